//! From bytes to pixels, in two steps: the header tells what the pixels would take, so that nobody decodes a bomb.

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits, metadata::Orientation};

use crate::{Format, PictureError, jpeg, webp};

/// What a decoder may take beside the pixels: rows, tables, colour profiles.
const DECODER_OVERHEAD: u64 = 16 << 20;
/// A larger colour profile than any display's would be copied into every preview.
const MAX_PROFILE: usize = 64 << 10;

/// What a picture says about itself before it is decoded.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) format: Format,
    /// Width and height as stored, which may lie on its side.
    stored: (u32, u32),
    orientation: Orientation,
    /// The pixels once decoded, in bytes.
    decoded: u64,
    /// The most that decoding takes at a time, the pixels included, in bytes.
    decoding: u64,
}

/// Pixels as they were stored. Turning them is left to the previews, which are smaller.
pub(crate) struct Picture {
    pub(crate) pixels: DynamicImage,
    pub(crate) orientation: Orientation,
    /// Whether it can be seen through anywhere.
    pub(crate) transparent: bool,
    /// An ICC profile that fits the decoded pixels.
    pub(crate) profile: Option<Vec<u8>>,
}

impl Header {
    /// Reads the header, nothing else.
    pub(crate) fn read(bytes: &[u8], allowed: u64) -> Result<Self, PictureError> {
        let format = Format::detect(bytes)?;
        guarded(format, || {
            let mut decoder = decoder(bytes, format, DECODER_OVERHEAD).map_err(|error| match error {
                ImageError::Limits(_) => PictureError::HeaderTooLarge(format),
                error => damaged(format, error),
            })?;
            let (width, height) = decoder.dimensions();
            let pixels = u64::from(width) * u64::from(height);
            if pixels > allowed {
                return Err(PictureError::TooManyPixels { width, height, allowed });
            }
            if pixels == 0 {
                return Err(damaged(format, "it has no pixels"));
            }
            // An orientation that cannot be read is one that is not given.
            let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
            let decoded = decoder.total_bytes();
            let decoding = decoded + working_memory(bytes, format, (width, height))? + DECODER_OVERHEAD;
            Ok(Self { format, stored: (width, height), orientation, decoded, decoding })
        })
    }

    /// Width and height as a viewer sees them.
    pub(crate) fn upright(&self) -> (u32, u32) {
        turned(self.orientation, self.stored)
    }

    /// How many bytes it takes to make previews of up to `largest`, at the worst moment.
    pub(crate) fn memory(&self, largest: (u32, u32)) -> u64 {
        let (width, height) = turned(self.orientation, largest);
        let pixel = self.decoded / (u64::from(self.stored.0) * u64::from(self.stored.1)).max(1);
        let preview = u64::from(width) * u64::from(height) * pixel;
        // Resizing goes by way of a picture of the new width and the old height; writing turns and converts a copy.
        let resizing = self.decoded + preview + u64::from(width) * u64::from(self.stored.1) * pixel;
        let writing = self.decoded + 4 * preview;
        self.decoding.max(resizing).max(writing)
    }
}

impl Picture {
    /// Decodes what [`Header::read`] has found sensible.
    pub(crate) fn decode(bytes: &[u8], header: &Header) -> Result<Self, PictureError> {
        let format = header.format;
        guarded(format, || {
            let mut decoder = decoder(bytes, format, header.decoding - header.decoded).map_err(|error| damaged(format, error))?;
            let profile = decoder.icc_profile().unwrap_or_default();
            let pixels = DynamicImage::from_decoder(decoder).map_err(|error| damaged(format, error))?;
            let profile = profile.filter(|profile| profile.len() <= MAX_PROFILE && describes(profile, &pixels));
            Ok(Self { orientation: header.orientation, transparent: is_transparent(&pixels), profile, pixels })
        })
    }
}

/// A size before an orientation is applied, or after: turning twice brings it back.
pub(crate) fn turned(orientation: Orientation, (width, height): (u32, u32)) -> (u32, u32) {
    match orientation {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => (height, width),
        _ => (width, height),
    }
}

fn decoder<'a>(bytes: &'a [u8], format: Format, memory: u64) -> Result<impl ImageDecoder + 'a, ImageError> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(memory);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.as_image_format());
    reader.limits(limits);
    reader.into_decoder()
}

/// What decoding takes beside the decoded pixels, in bytes; and a look at what the decoders let pass.
fn working_memory(bytes: &[u8], format: Format, size: (u32, u32)) -> Result<u64, PictureError> {
    let pixels = u64::from(size.0) * u64::from(size.1);
    Ok(match format {
        Format::Png => 0,
        // A frame that does not cover the whole picture is drawn onto it: indices or colours.
        Format::Gif => 4 * pixels,
        // All coefficients, of up to four components of two bytes, when the picture comes in several scans.
        Format::Jpeg => match jpeg::scan(bytes) {
            Some(scans) => bytes.len() as u64 + if scans.several { 8 * pixels } else { 0 },
            None => return Err(damaged(format, "its end is missing")),
        },
        // Planes or a copy with transparency; the frame and the canvas of an animation.
        Format::WebP => match webp::scan(bytes, size) {
            Ok(frames) => pixels * if frames.animated { 12 } else { 6 },
            Err(reason) => return Err(damaged(format, reason)),
        },
    })
}

fn is_transparent(pixels: &DynamicImage) -> bool {
    match pixels {
        DynamicImage::ImageLumaA8(pixels) => pixels.chunks_exact(2).any(|pixel| pixel[1] != u8::MAX),
        DynamicImage::ImageRgba8(pixels) => pixels.chunks_exact(4).any(|pixel| pixel[3] != u8::MAX),
        DynamicImage::ImageLumaA16(pixels) => pixels.chunks_exact(2).any(|pixel| pixel[1] != u16::MAX),
        DynamicImage::ImageRgba16(pixels) => pixels.chunks_exact(4).any(|pixel| pixel[3] != u16::MAX),
        _ => false,
    }
}

/// Decoding turns CMYK into RGB, after which a profile for CMYK would be wrong. The colour space is at a fixed place.
fn describes(profile: &[u8], pixels: &DynamicImage) -> bool {
    let wanted: &[u8] = if pixels.color().has_color() { b"RGB " } else { b"GRAY" };
    profile.get(16..20) == Some(wanted)
}

/// Decoders meet hostile input; a panic in one says that the picture is bad, not that the worker is.
fn guarded<T>(format: Format, decode: impl FnOnce() -> Result<T, PictureError>) -> Result<T, PictureError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err(damaged(format, "it cannot be decoded")))
}

fn damaged(format: Format, reason: impl ToString) -> PictureError {
    PictureError::Damaged { format, reason: reason.to_string() }
}
