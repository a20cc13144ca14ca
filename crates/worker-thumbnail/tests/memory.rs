//! What hostile and large pictures take, seen from outside: the process's peak is the system's account of it.
//! These are in a file of their own because a peak is the whole process's and never falls.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![cfg(target_os = "linux")]

use std::fs::read_to_string;

use image::{ImageFormat, RgbImage};
use worker::testing::run;
use worker_thumbnail::{Studio, Thumbnail, ThumbnailSettings};

fn peak_mib() -> u64 {
    let status = read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// A PNG that says it is larger than it is. Only the header is read, which need not be right in anything else.
fn bomb(side: u32) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    RgbImage::new(8, 8).write_to(&mut file, ImageFormat::Png).unwrap();
    let mut file = file.into_inner();
    file[16..20].copy_from_slice(&side.to_be_bytes());
    file[20..24].copy_from_slice(&side.to_be_bytes());
    let crc = !file[12..29].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    });
    file[29..33].copy_from_slice(&crc.to_be_bytes());
    file
}

#[tokio::test]
async fn bombs_take_nothing_and_pictures_no_more_than_their_share() {
    let studio = Studio::new(&ThumbnailSettings { thumbnail_memory_mib: 128, ..ThumbnailSettings::default() });
    let picture = {
        let mut file = std::io::Cursor::new(Vec::new());
        RgbImage::from_fn(3000, 2000, |x, y| image::Rgb([x as u8, y as u8, 7])).write_to(&mut file, ImageFormat::Jpeg).unwrap();
        file.into_inner()
    };

    let before = peak_mib();
    for side in [50_000, 9_000] {
        let error = run(Thumbnail::new(bomb(side)), &studio).await.result.unwrap_err();
        assert_eq!(error.wire().code, "image_too_large", "{error}");
    }
    assert!(peak_mib() - before < 16, "bombs took {} MiB", peak_mib() - before);

    // Each takes some 40 MiB: eight at a time would take more than twice what is allowed.
    let jobs = (0..8).map(|_| run(Thumbnail::new(picture.clone()), &studio));
    for done in futures::future::join_all(jobs).await {
        assert_eq!(done.result.unwrap().previews.len(), 3);
    }
    assert!(peak_mib() - before < 128 + 64, "pictures took {} MiB", peak_mib() - before);
}
