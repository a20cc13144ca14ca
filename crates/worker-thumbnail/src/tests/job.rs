//! The job as clients submit it.

use bytes::Bytes;
use image::ImageFormat;
use shared::Payload;
use tokio_util::sync::CancellationToken;
use worker::testing::{Testing, run, run_payload};

use super::samples::{bombs, file, noise, quarters};
use crate::{Format, MAX_WIDTH, Previews, Studio, Thumbnail, ThumbnailSettings};

fn studio() -> Studio {
    Studio::new(&ThumbnailSettings::default())
}

#[tokio::test]
async fn a_lone_picture_becomes_previews_with_their_bytes() {
    let payload = Payload::Raw { content_type: "image/png".into(), bytes: file(quarters(600, 300), ImageFormat::Png).into() };
    let result = run_payload::<Thumbnail>(&payload, &studio()).await.unwrap();
    let previews: Previews = result.decode().unwrap();
    assert_eq!((previews.width, previews.height, previews.format), (600, 300, Format::Png));
    assert_eq!(previews.previews.iter().map(|preview| preview.width).collect::<Vec<_>>(), [64, 256, 600]);
    for preview in &previews.previews {
        assert_eq!(image::guess_format(&preview.bytes).unwrap(), ImageFormat::Jpeg);
    }
    assert_eq!(result.content_type(), "application/msgpack");
}

#[tokio::test]
async fn every_step_is_reported() {
    let job = Thumbnail { image: file(quarters(600, 300), ImageFormat::Jpeg).into(), widths: vec![300, 10, 20] };
    let done = run(job, &studio()).await;
    assert_eq!(done.progress(), [0.25, 0.5, 0.75, 1.0]);
    assert_eq!(done.result.unwrap().previews.len(), 3);
}

#[tokio::test]
async fn a_cancelled_job_stops_between_two_steps() {
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    let job = Thumbnail::new(file(quarters(600, 300), ImageFormat::Jpeg));
    let done = Testing::default().cancelled_by(cancelled).run(job, &studio()).await;
    assert!(done.result.is_err());
    assert!(done.progress().len() < 2);
}

#[tokio::test]
async fn a_job_that_waits_for_memory_can_be_cancelled() {
    let studio = Studio::new(&ThumbnailSettings { thumbnail_memory_mib: 64, ..ThumbnailSettings::default() });
    let _all = studio.share(64 << 20).await.unwrap();
    let cancelled = CancellationToken::new();
    let job = Thumbnail::new(file(quarters(600, 300), ImageFormat::Jpeg));
    let run = Testing::default().cancelled_by(cancelled.clone()).run(job, &studio);
    let (done, ()) = futures::join!(run, async { cancelled.cancel() });
    assert!(done.result.is_err());
}

#[tokio::test]
async fn what_is_wrong_is_final_and_the_next_job_is_served() {
    let studio = studio();
    let wide = Thumbnail { widths: vec![MAX_WIDTH + 1], ..Thumbnail::new(file(quarters(9, 9), ImageFormat::Png)) };
    let jobs = [
        (wide, "invalid_request"),
        (Thumbnail::new(Bytes::new()), "image_missing"),
        (Thumbnail::new("a text"), "unsupported_format"),
        (Thumbnail::new(bombs::png(50_000, 50_000)), "image_too_large"),
        (Thumbnail::new(bombs::png(12_000, 8_000)), "image_damaged"),
    ];
    for (job, code) in jobs {
        let error = run(job, &studio).await.result.unwrap_err();
        assert_eq!((error.wire().code.as_ref(), error.is_retryable()), (code, false), "{error}");
    }
    assert!(run(Thumbnail::new(file(quarters(9, 9), ImageFormat::Png)), &studio).await.result.is_ok());
}

#[tokio::test]
async fn previews_that_no_message_can_carry_are_refused() {
    let widths = vec![2000, 2010, 2020, 2030, 2040, 2050, 2060, 2070];
    let job = Thumbnail { image: file(noise(2070, 1500), ImageFormat::Jpeg).into(), widths };
    let error = run(job, &studio()).await.result.unwrap_err();
    assert_eq!(error.wire().code, "previews_too_large");
}
