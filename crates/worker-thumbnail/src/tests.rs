//! Whole pictures, from file to previews.

#![allow(clippy::unwrap_used, reason = "tests")]

mod bad;
mod good;
mod job;
mod samples;

use image::DynamicImage;

use crate::{
    PictureError, Preview,
    picture::{Header, Picture},
    widths::sizes,
};

const MEGAPIXELS: u64 = 1_000_000;

/// The previews in these widths, and the picture's size.
fn previews(file: &[u8], widths: &[u32]) -> Result<((u32, u32), Vec<Preview>), PictureError> {
    let header = Header::read(file, 100 * MEGAPIXELS)?;
    let picture = Picture::decode(file, &header)?;
    let previews = sizes(widths, header.upright()).into_iter().map(|size| picture.preview(size)).collect::<Result<_, _>>()?;
    Ok((header.upright(), previews))
}

fn preview(file: &[u8], width: u32) -> (Preview, DynamicImage) {
    let preview = previews(file, &[width]).unwrap().1.remove(0);
    let pixels = image::load_from_memory(&preview.bytes).unwrap();
    assert_eq!((pixels.width(), pixels.height()), (preview.width, preview.height));
    (preview, pixels)
}
