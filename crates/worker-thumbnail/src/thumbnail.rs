use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::{Payload, PayloadError};

use crate::{DEFAULT_WIDTHS, Format, Preview, schema::binary};

/// Makes previews of a picture. The picture may also be the whole payload, as raw bytes of any content type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Thumbnail {
    /// A JPEG, PNG, WebP or GIF file.
    #[serde(default)]
    #[schemars(schema_with = "binary")]
    pub image: Bytes,
    /// How wide the previews shall be, in pixels: 1 to 8 numbers from 1 to 4096. Nothing is enlarged, so a small picture may
    /// have fewer previews.
    #[serde(default = "default_widths")]
    #[schemars(length(min = 1, max = 8), inner(range(min = 1, max = 4096)))]
    pub widths: Vec<u32>,
}

/// What became of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Previews {
    /// The picture's width in pixels, upright.
    pub width: u32,
    /// The picture's height in pixels, upright.
    pub height: u32,
    /// What the picture is, by its content.
    pub format: Format,
    /// The smallest first.
    pub previews: Vec<Preview>,
}

impl Thumbnail {
    /// Previews of this picture in the default widths.
    pub fn new(image: impl Into<Bytes>) -> Self {
        Self { image: image.into(), widths: default_widths() }
    }

    /// Raw bytes are the picture; no payload at all is no picture, which has a message of its own.
    pub(crate) fn from_payload(payload: &Payload) -> Result<Self, PayloadError> {
        match payload {
            Payload::Raw { bytes, .. } => Ok(Self::new(bytes.clone())),
            Payload::Json(json) if json.get() == "null" => Ok(Self::new(Bytes::new())),
            structured => structured.decode(),
        }
    }
}

fn default_widths() -> Vec<u32> {
    DEFAULT_WIDTHS.to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn read(content_type: Option<&str>, body: &'static [u8]) -> Thumbnail {
        Thumbnail::from_payload(&Payload::from_message(content_type, Bytes::from_static(body)).unwrap()).unwrap()
    }

    #[test]
    fn a_picture_may_come_as_it_is() {
        for content_type in [Some("image/png"), Some("application/octet-stream"), None] {
            assert_eq!(read(content_type, b"\x89PNG"), Thumbnail::new(&b"\x89PNG"[..]));
        }
    }

    #[test]
    fn a_picture_may_come_with_widths() {
        let wanted = Thumbnail { image: Bytes::from_static(&[1, 2]), widths: vec![5] };
        assert_eq!(Thumbnail::from_payload(&Payload::encode(&wanted).unwrap()).unwrap(), wanted);
    }

    #[test]
    fn a_payload_without_a_picture_is_read_as_one() {
        assert_eq!(read(None, b""), Thumbnail::new(Bytes::new()));
        assert_eq!(read(Some("application/json"), b"{}"), Thumbnail::new(Bytes::new()));
    }

    #[test]
    fn the_schema_says_what_the_checks_do() {
        let schema = serde_json::to_value(schemars::schema_for!(Thumbnail)).unwrap();
        let widths = &schema["properties"]["widths"];
        assert_eq!((&widths["maxItems"], &widths["items"]["maximum"]), (&crate::MAX_WIDTHS.into(), &crate::MAX_WIDTH.into()));
        assert_eq!(schema["properties"]["image"]["format"], "binary");
    }
}
