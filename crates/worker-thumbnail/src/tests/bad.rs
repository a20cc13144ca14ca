//! Pictures that are none, too much, or not all there.

use image::{DynamicImage, ImageFormat};

use super::{
    previews,
    samples::{animated_gif, bombs, file, half_transparent, noise, quarters},
};

fn refusal(file: &[u8]) -> (&'static str, String) {
    let error = previews(file, &[64]).unwrap_err();
    (error.code(), error.to_string())
}

fn code(file: &[u8]) -> &'static str {
    refusal(file).0
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    for bomb in [
        bombs::png(50_000, 50_000),
        bombs::png(i32::MAX as u32, 1),
        bombs::gif(65_535, 65_535),
        bombs::jpeg(65_535, 65_535),
        bombs::webp((16_384, 16_384), (16_383, 16_383)),
    ] {
        assert_eq!(code(&bomb), "image_too_large");
    }
    let (_, message) = refusal(&bombs::png(50_000, 50_000));
    assert_eq!(message, "the picture is too large: 50000 × 50000 pixels, where 100 megapixels are allowed");
}

#[test]
fn a_huge_frame_in_a_small_picture_is_not_decoded() {
    assert_eq!(code(&bombs::webp((10, 10), (16_383, 16_383))), "image_damaged");
    assert_eq!(code(&bombs::framed_gif((10, 10), (65_535, 65_535))), "image_damaged");
}

#[test]
fn what_is_no_picture_is_called_so() {
    assert_eq!(code(b""), "image_missing");
    assert_eq!(code(b"Dear Sir or Madam"), "unsupported_format");
    assert_eq!(code(&[0; 4096]), "unsupported_format");
    assert_eq!(code(b"%PDF-1.7"), "unsupported_format");
}

#[test]
fn a_picture_that_is_cut_short_is_damaged_and_never_a_wrong_preview() {
    let scene = DynamicImage::from(noise(61, 47));
    let frames = [half_transparent(40, 30), half_transparent(40, 30)];
    let mut files: Vec<(&str, Vec<u8>)> = vec![("animated GIF", animated_gif(&frames))];
    for (name, format) in [("JPEG", ImageFormat::Jpeg), ("PNG", ImageFormat::Png), ("WebP", ImageFormat::WebP), ("GIF", ImageFormat::Gif)] {
        files.push((name, file(scene.clone(), format)));
    }
    for (name, file) in files {
        let whole = previews(&file, &[20]).unwrap();
        for length in (0..file.len()).step_by(7).chain(file.len() - 16..file.len()) {
            match previews(&file[..length], &[20]) {
                // Nothing that shows is missing: a PNG's last chunk, a GIF's trailer or second frame.
                Ok(made) => assert!(made == whole && !matches!(name, "JPEG" | "WebP"), "{name} cut to {length} of {}", file.len()),
                Err(error) => {
                    let expected = match length {
                        0 => "image_missing",
                        1..12 => error.code(),
                        _ => "image_damaged",
                    };
                    assert_eq!(error.code(), expected, "{name} cut to {length}: {error}");
                }
            }
        }
    }
}

#[test]
fn flipped_bits_are_borne() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
        let whole = file(quarters(40, 30), format);
        for at in 0..whole.len().min(600) {
            let mut file = whole.clone();
            file[at] ^= 1 << (at % 8);
            if let Err(error) = previews(&file, &[20]) {
                let code = error.code();
                assert!(["image_damaged", "image_too_large", "unsupported_format"].contains(&code), "{format:?} {at}: {error}");
            }
        }
    }
}
