use bytes::Bytes;
use fast_image_resize::Resizer;
use image::{
    DynamicImage, ImageEncoder, ImageError,
    codecs::{
        jpeg::JpegEncoder,
        png::{CompressionType, FilterType, PngEncoder},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    PictureError,
    picture::{Picture, turned},
    schema::binary,
};

/// Where artefacts are not seen at these sizes, and files are a third of what 95 would give.
const JPEG_QUALITY: u8 = 80;
/// The format's own limit on a side; a line may be longer, and becomes a PNG.
const JPEG_MAX_SIDE: u32 = 65_535;

/// One preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// `image/jpeg`, or `image/png` for what can be seen through.
    pub content_type: String,
    /// The file.
    #[schemars(schema_with = "binary")]
    pub bytes: Bytes,
}

impl Picture {
    /// Makes a preview of this size, upright.
    pub(crate) fn preview(&self, size: (u32, u32)) -> Result<Preview, PictureError> {
        let (width, height) = turned(self.orientation, size);
        let mut pixels = DynamicImage::new(width, height, self.pixels.color());
        // Lanczos, with colours weighted by their opacity: the default.
        Resizer::new().resize(&self.pixels, &mut pixels, None).map_err(|error| PictureError::Preview(error.to_string()))?;
        pixels.apply_orientation(self.orientation);
        let (content_type, bytes) = self.write(pixels).map_err(|error| PictureError::Preview(error.to_string()))?;
        Ok(Preview { width: size.0, height: size.1, content_type: content_type.to_owned(), bytes: bytes.into() })
    }

    fn write(&self, pixels: DynamicImage) -> Result<(&'static str, Vec<u8>), ImageError> {
        let mut file = Vec::new();
        let as_jpeg = !self.transparent && pixels.width().max(pixels.height()) <= JPEG_MAX_SIDE;
        let pixels = in_eight_bits(pixels, self.transparent);
        if as_jpeg {
            self.encode(&pixels, JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY))?;
            return Ok(("image/jpeg", file));
        }
        self.encode(&pixels, PngEncoder::new_with_quality(&mut file, CompressionType::Default, FilterType::Adaptive))?;
        Ok(("image/png", file))
    }

    /// The colours mean what they meant in the original: its profile goes along.
    fn encode(&self, pixels: &DynamicImage, mut encoder: impl ImageEncoder) -> Result<(), ImageError> {
        if let Some(profile) = &self.profile {
            encoder.set_icc_profile(profile.clone()).map_err(ImageError::Unsupported)?;
        }
        pixels.write_with_encoder(encoder)
    }
}

fn in_eight_bits(pixels: DynamicImage, transparent: bool) -> DynamicImage {
    match (pixels.color().has_color(), transparent) {
        (true, true) => pixels.into_rgba8().into(),
        (true, false) => pixels.into_rgb8().into(),
        (false, true) => pixels.into_luma_alpha8().into(),
        (false, false) => pixels.into_luma8().into(),
    }
}
