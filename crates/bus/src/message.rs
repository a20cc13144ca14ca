use bytes::Bytes;
use shared::Attributes;

/// What travels on a topic: at most 10 MB, of which attributes are names up to 256 and values up to 1024 bytes, at most 100.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// Text beside the body, for routing and tracing.
    pub attributes: Attributes,
    /// Anything at all.
    pub body: Bytes,
}

impl Message {
    /// A message of these parts.
    #[must_use]
    pub fn new(attributes: Attributes, body: impl Into<Bytes>) -> Self {
        Self { attributes, body: body.into() }
    }
}

impl From<(Attributes, Bytes)> for Message {
    fn from((attributes, body): (Attributes, Bytes)) -> Self {
        Self { attributes, body }
    }
}
