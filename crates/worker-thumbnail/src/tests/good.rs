//! Pictures as people have them.

use image::{
    DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, Rgb, Rgba, RgbaImage,
    codecs::{png::PngEncoder, webp::WebPEncoder},
};

use super::{
    preview, previews,
    samples::{BLUE, GREEN, RED, WHITE, animated_gif, as_stored, exif, file, half_transparent, quarters, with_exif, written},
};

/// The colours in the middle of the four quarters.
fn corners(pixels: &DynamicImage) -> [Rgb<u8>; 4] {
    let (width, height) = (pixels.width(), pixels.height());
    let pixels = pixels.to_rgb8();
    [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| *pixels.get_pixel(width * x / 4, height * y / 4))
}

fn assert_close(seen: [Rgb<u8>; 4], wanted: [Rgb<u8>; 4], what: &str) {
    let differs = |(a, b): (Rgb<u8>, Rgb<u8>)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 12);
    assert!(!std::iter::zip(seen, wanted).any(differs), "{what}: {seen:?} is not {wanted:?}");
}

#[test]
fn every_format_gives_upright_previews_of_the_right_size_and_colours() {
    let pixels = DynamicImage::from(quarters(300, 200));
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
        let (size, made) = previews(&file(pixels.clone(), format), &[60, 150]).unwrap();
        assert_eq!((size, made.len()), ((300, 200), 2), "{format:?}");
        for preview in made {
            let pixels = image::load_from_memory(&preview.bytes).unwrap();
            assert_eq!((preview.width * 2, preview.content_type.as_str()), (preview.height * 3, "image/jpeg"), "{format:?}");
            assert_eq!((pixels.width(), pixels.height()), (preview.width, preview.height));
            assert_close(corners(&pixels), [RED, GREEN, BLUE, WHITE], &format!("{format:?}"));
        }
    }
}

#[test]
fn however_the_camera_was_held_the_previews_are_upright() {
    let scene = quarters(120, 80);
    for orientation in 1..=8 {
        let stored = as_stored(&scene, orientation);
        let jpeg = with_exif(&file(stored.clone(), ImageFormat::Jpeg), &exif(orientation));
        let (mut png, mut webp) = (Vec::new(), Vec::new());
        let tagged = |mut encoder: PngEncoder<_>| {
            encoder.set_exif_metadata(exif(orientation)).unwrap();
            encoder
        };
        written(&stored, |file| tagged(PngEncoder::new(file)), &mut png);
        let mut encoder = WebPEncoder::new_lossless(&mut webp);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        stored.write_with_encoder(encoder).unwrap();
        for (format, file) in [("JPEG", jpeg), ("PNG", png), ("WebP", webp)] {
            assert_eq!(previews(&file, &[60]).unwrap().0, (120, 80), "{format} {orientation}");
            let (preview, pixels) = preview(&file, 60);
            assert_eq!((preview.width, preview.height), (60, 40), "{format} {orientation}");
            assert_close(corners(&pixels), [RED, GREEN, BLUE, WHITE], &format!("{format} {orientation}"));
        }
    }
}

#[test]
fn an_orientation_that_makes_no_sense_is_none() {
    let jpeg = file(quarters(120, 80), ImageFormat::Jpeg);
    for broken in [exif(0), exif(9), exif(6)[..12].to_vec(), b"MM".to_vec()] {
        assert_eq!(previews(&with_exif(&jpeg, &broken), &[60]).unwrap().0, (120, 80));
    }
}

#[test]
fn what_can_be_seen_through_stays_so_and_hidden_colours_do_not_bleed() {
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
        let (preview, pixels) = preview(&file(half_transparent(200, 100), format), 50);
        assert_eq!(preview.content_type, "image/png", "{format:?}");
        let pixels = pixels.to_rgba8();
        assert_eq!((pixels.get_pixel(5, 5)[3], pixels.get_pixel(45, 5)[3]), (255, 0));
        let seen = |pixel: &Rgba<u8>| pixel[3] > 0;
        assert!(pixels.pixels().filter(|pixel| seen(pixel)).all(|pixel| pixel[1] < 8), "{format:?}: green at the edge");
    }
}

#[test]
fn a_channel_for_transparency_that_is_not_used_costs_nothing() {
    let opaque = RgbaImage::from_pixel(100, 100, Rgba([9, 9, 9, 255]));
    assert_eq!(preview(&file(opaque, ImageFormat::Png), 50).0.content_type, "image/jpeg");
}

#[test]
fn grey_and_deep_pictures_are_read_too() {
    let scene = DynamicImage::from(quarters(100, 100));
    let kinds = [
        (DynamicImage::from(scene.to_luma8()), "image/jpeg"),
        (scene.to_luma16().into(), "image/jpeg"),
        (scene.to_rgb16().into(), "image/jpeg"),
        (DynamicImage::from(half_transparent(100, 100)).to_luma_alpha8().into(), "image/png"),
        (DynamicImage::from(half_transparent(100, 100)).to_rgba16().into(), "image/png"),
    ];
    for (pixels, content_type) in kinds {
        let kind = pixels.color();
        let (preview, made) = preview(&file(pixels, ImageFormat::Png), 50);
        assert_eq!((preview.content_type.as_str(), made.color().has_color()), (content_type, kind.has_color()), "{kind:?}");
        assert_eq!(made.color().bytes_per_pixel(), made.color().channel_count(), "{kind:?}: eight bits");
    }
}

#[test]
fn of_an_animation_the_first_frame_is_taken() {
    let frame = |color: Rgb<u8>| RgbaImage::from_pixel(60, 40, Rgba([color[0], color[1], color[2], 255]));
    let (_, pixels) = preview(&animated_gif(&[frame(RED), frame(BLUE)]), 30);
    assert_close(corners(&pixels), [RED; 4], "the first frame");
}

#[test]
fn a_small_picture_is_not_enlarged() {
    let (size, made) = previews(&file(quarters(100, 50), ImageFormat::Png), &[64, 256, 1024]).unwrap();
    assert_eq!((size, made.len()), ((100, 50), 2));
    assert_eq!((made[1].width, made[1].height), (100, 50));
}

#[test]
fn the_smallest_picture_and_the_longest_line_are_pictures() {
    assert_eq!(preview(&file(quarters(1, 1), ImageFormat::Png), 64).0.width, 1);
    assert_eq!(preview(&file(quarters(5000, 1), ImageFormat::Png), 64).0.height, 1);
    let (line, _) = preview(&file(quarters(1, 70_000), ImageFormat::Png), 64);
    assert_eq!((line.height, line.content_type.as_str()), (70_000, "image/png"));
}

#[test]
fn colours_keep_the_profile_that_says_what_they_mean() {
    let profile = |space: &[u8; 4]| [&[0; 16], &space[..], &[7; 108]].concat();
    for (space, kept) in [(b"RGB ", true), (b"CMYK", false)] {
        let mut png = Vec::new();
        let mut encoder = PngEncoder::new(&mut png);
        encoder.set_icc_profile(profile(space)).unwrap();
        quarters(100, 100).write_with_encoder(encoder).unwrap();
        let (preview, _) = preview(&png, 50);
        let mut decoder = image::codecs::jpeg::JpegDecoder::new(std::io::Cursor::new(&preview.bytes)).unwrap();
        assert_eq!(decoder.icc_profile().unwrap(), kept.then(|| profile(space)));
    }
}
