use std::fmt;

use image::ImageFormat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PictureError;

/// The pictures that can be read, told apart by their first bytes: names and declared types are often wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG; of an animated one the default picture.
    Png,
    /// WebP, lossy or lossless; of an animated one the first frame.
    WebP,
    /// GIF; the first frame.
    Gif,
}

impl Format {
    /// # Errors
    /// [`PictureError::Missing`] without any bytes, [`PictureError::Unsupported`] for those of anything else.
    pub(crate) fn detect(bytes: &[u8]) -> Result<Self, PictureError> {
        if bytes.is_empty() {
            return Err(PictureError::Missing);
        }
        match image::guess_format(bytes) {
            Ok(ImageFormat::Jpeg) => Ok(Self::Jpeg),
            Ok(ImageFormat::Png) => Ok(Self::Png),
            Ok(ImageFormat::WebP) => Ok(Self::WebP),
            Ok(ImageFormat::Gif) => Ok(Self::Gif),
            Ok(ImageFormat::Tiff) => Err(PictureError::Unsupported(Some("TIFF"))),
            Ok(ImageFormat::Avif) => Err(PictureError::Unsupported(Some("AVIF"))),
            // Two letters are all that marks a BMP, so that a text may begin like one; the reserved zeros tell them apart.
            Ok(ImageFormat::Bmp) if bytes.get(6..10) == Some(&[0; 4]) => Err(PictureError::Unsupported(Some("BMP"))),
            _ if is_heic(bytes) => Err(PictureError::Unsupported(Some("HEIC"))),
            _ => Err(PictureError::Unsupported(None)),
        }
    }

    pub(crate) fn as_image_format(self) -> ImageFormat {
        match self {
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
            Self::WebP => ImageFormat::WebP,
            Self::Gif => ImageFormat::Gif,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
        })
    }
}

/// What telephones make: people will send them, and should hear what is wrong.
fn is_heic(bytes: &[u8]) -> bool {
    bytes.get(4..8) == Some(b"ftyp") && matches!(bytes.get(8..12), Some(b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        Format::detect(bytes).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_read_is_called_by_its_name() {
        assert_eq!(refusal(b"II*\0\x08\0\0\0"), "TIFF pictures cannot be read; JPEG, PNG, WebP and GIF pictures can be read");
        assert!(refusal(b"\0\0\0\x18ftypheic\0\0\0\0").starts_with("HEIC pictures"));
        assert!(refusal(b"\0\0\0\x18ftypavif\0\0\0\0").starts_with("AVIF pictures"));
        assert!(refusal(b"BM\x9a\0\0\0\0\0\0\0").starts_with("BMP pictures"));
    }

    #[test]
    fn a_text_is_not_a_picture_however_it_begins() {
        for text in ["hello", "BMW is a make of cars", "P1 is a promise", "<svg/>", "\0"] {
            assert!(refusal(text.as_bytes()).starts_with("this is not a picture"), "{text}");
        }
    }

    #[test]
    fn nothing_is_something_else_than_a_wrong_picture() {
        assert_eq!(Format::detect(b""), Err(PictureError::Missing));
    }
}
