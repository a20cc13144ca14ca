use std::sync::Arc;

use bytes::Bytes;
use rmpv::Value;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// JSON text.
pub(crate) const JSON: &str = "application/json";
/// Structures that have binary in them, as MessagePack with named fields.
pub(crate) const MSGPACK: &str = "application/msgpack";
/// Bytes that nobody named.
pub(crate) const OCTET_STREAM: &str = "application/octet-stream";

/// What a job carries in, or an event out. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Payload {
    /// JSON, kept as the text it came in: gateways pass it on without looking inside.
    Json(Arc<RawValue>),
    /// A structure that contains binary, as MessagePack.
    Packed(Bytes),
    /// Any other bytes, for instance a picture.
    Raw {
        /// The media type that the publisher gave.
        content_type: String,
        /// The bytes themselves.
        bytes: Bytes,
    },
}

/// A payload that does not read or write as what it should be.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The text is not JSON, or not of the wanted shape.
    #[error("the payload does not have the expected form: {0}")]
    Json(#[from] serde_json::Error),
    /// The bytes are not MessagePack, or not of the wanted shape.
    #[error("the payload does not have the expected form: {0}")]
    Unpack(#[from] rmp_serde::decode::Error),
    /// The value cannot be written as MessagePack.
    #[error("the value cannot be written: {0}")]
    Pack(#[from] rmp_serde::encode::Error),
    /// The value has no representation that keeps binary apart.
    #[error("the value cannot be written: {0}")]
    Value(#[from] rmpv::ext::Error),
    /// Raw bytes where a structure was wanted.
    #[error("the payload is raw `{0}`, where JSON or MessagePack is expected")]
    NotStructured(String),
}

impl Payload {
    /// Writes a value as JSON, or as MessagePack when there is binary in it.
    ///
    /// # Errors
    /// When the value has no such form, for instance a map whose keys are no strings.
    pub fn encode<T: Serialize>(value: &T) -> Result<Self, PayloadError> {
        if has_binary(&rmpv::ext::to_value(value)?) {
            return Ok(Self::Packed(rmp_serde::to_vec_named(value)?.into()));
        }
        Ok(Self::Json(serde_json::value::to_raw_value(value)?.into()))
    }

    /// Reads the payload as a value.
    ///
    /// # Errors
    /// When its form is another, or it is raw bytes.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        match self {
            Self::Json(json) => Ok(serde_json::from_str(json.get())?),
            Self::Packed(bytes) => Ok(rmp_serde::from_slice(bytes)?),
            Self::Raw { content_type, .. } => Err(PayloadError::NotStructured(content_type.clone())),
        }
    }

    /// What a message's body is, by its content type. Without one it is JSON if it reads as JSON (nothing at all being
    /// `null`), otherwise raw bytes: `gcloud pubsub topics publish --message=hello` is a payload too.
    ///
    /// # Errors
    /// When the body is not what its content type says.
    pub fn from_message(content_type: Option<&str>, body: Bytes) -> Result<Self, PayloadError> {
        match content_type.map(media_type) {
            Some(JSON) => Self::from_json(&body).map_err(PayloadError::from),
            Some(MSGPACK) => {
                let _shape: serde::de::IgnoredAny = rmp_serde::from_slice(&body)?;
                Ok(Self::Packed(body))
            }
            Some(_) => Ok(Self::Raw { content_type: content_type.unwrap_or_default().to_owned(), bytes: body }),
            None => Ok(Self::from_json(&body).unwrap_or_else(|_| Self::Raw { content_type: OCTET_STREAM.to_owned(), bytes: body })),
        }
    }

    /// A payload from what a socket.io client sent: a lone binary is raw bytes, a structure with binary is packed.
    ///
    /// # Errors
    /// When the value has no wire form.
    pub fn from_value(value: Value) -> Result<Self, PayloadError> {
        match value {
            Value::Binary(bytes) => Ok(Self::Raw { content_type: OCTET_STREAM.to_owned(), bytes: bytes.into() }),
            value => Self::encode(&value),
        }
    }

    /// The payload as socket.io takes it: every binary in it becomes an attachment.
    ///
    /// # Errors
    /// When packed bytes are not MessagePack, which [`Payload::from_message`] has already refused.
    pub fn to_value(&self) -> Result<Value, PayloadError> {
        match self {
            Self::Raw { bytes, .. } => Ok(Value::Binary(bytes.to_vec())),
            structured => structured.decode(),
        }
    }

    /// The JSON text, if it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<&RawValue> {
        match self {
            Self::Json(json) => Some(json),
            _ => None,
        }
    }

    /// The bytes as they travel.
    #[must_use]
    pub fn body(&self) -> Bytes {
        match self {
            Self::Json(json) => Bytes::from_owner(JsonText(json.clone())),
            Self::Packed(bytes) | Self::Raw { bytes, .. } => bytes.clone(),
        }
    }

    /// The media type that goes with [`Payload::body`].
    #[must_use]
    pub fn content_type(&self) -> &str {
        match self {
            Self::Json(_) => JSON,
            Self::Packed(_) => MSGPACK,
            Self::Raw { content_type, .. } => content_type,
        }
    }

    /// How many bytes travel.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Json(json) => json.get().len(),
            Self::Packed(bytes) | Self::Raw { bytes, .. } => bytes.len(),
        }
    }

    /// Whether nothing travels: only raw bytes can be empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn from_json(body: &Bytes) -> Result<Self, serde_json::Error> {
        let text: &[u8] = if body.is_empty() { b"null" } else { body };
        serde_json::from_slice::<Box<RawValue>>(text).map(|json| Self::Json(json.into()))
    }
}

impl From<Box<RawValue>> for Payload {
    fn from(json: Box<RawValue>) -> Self {
        Self::Json(json.into())
    }
}

/// Two payloads are the same when the same bytes travel under the same name.
impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.content_type() == other.content_type() && self.body() == other.body()
    }
}

/// Lets JSON text be sent without a copy.
struct JsonText(Arc<RawValue>);

impl AsRef<[u8]> for JsonText {
    fn as_ref(&self) -> &[u8] {
        self.0.get().as_bytes()
    }
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn has_binary(value: &Value) -> bool {
    match value {
        Value::Binary(_) => true,
        Value::Array(items) => items.iter().any(has_binary),
        Value::Map(entries) => entries.iter().any(|(key, value)| has_binary(key) || has_binary(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    struct Picture {
        image: Bytes,
        widths: Vec<u32>,
    }

    fn picture() -> Picture {
        Picture { image: Bytes::from_static(&[0, 255, 1]), widths: vec![64] }
    }

    #[test]
    fn a_structure_with_binary_travels_as_raw_bytes_not_base64() {
        let payload = Payload::encode(&picture()).unwrap();
        assert_eq!(payload.content_type(), MSGPACK);
        assert!(payload.body().windows(3).any(|bytes| bytes == [0, 255, 1]));
        assert_eq!(payload.decode::<Picture>().unwrap(), picture());
    }

    #[test]
    fn a_structure_without_binary_stays_json() {
        let payload = Payload::encode(&serde_json::json!({"a": [1, 2.5, null, "x"]})).unwrap();
        assert_eq!(payload.json().unwrap().get(), r#"{"a":[1,2.5,null,"x"]}"#);
    }

    #[test]
    fn json_is_passed_on_byte_for_byte() {
        let text = r#"{ "big": 123456789012345678901234567890, "same": 1.0 }"#;
        let payload = Payload::from_message(Some("application/json; charset=utf-8"), text.into()).unwrap();
        assert_eq!(payload.body(), text.as_bytes());
    }

    #[test]
    fn a_message_without_a_content_type_is_json_if_it_reads_as_json() {
        assert_eq!(Payload::from_message(None, "{\"a\":1}".into()).unwrap().content_type(), JSON);
        assert_eq!(Payload::from_message(None, Bytes::new()).unwrap().json().unwrap().get(), "null");
        assert_eq!(Payload::from_message(None, "hello".into()).unwrap().content_type(), OCTET_STREAM);
    }

    #[test]
    fn a_body_that_is_not_what_its_content_type_says_is_refused() {
        assert!(matches!(Payload::from_message(Some(JSON), "{".into()), Err(PayloadError::Json(_))));
        assert!(matches!(Payload::from_message(Some(MSGPACK), Bytes::from_static(&[0xc1])), Err(PayloadError::Unpack(_))));
    }

    #[test]
    fn what_a_socket_sends_comes_back_as_the_same_value() {
        let value = Value::Map(vec![("image".into(), Value::Binary(vec![1, 2])), ("n".into(), 7.into())]);
        assert_eq!(Payload::from_value(value.clone()).unwrap().to_value().unwrap(), value);
        let lone = Value::Binary(vec![3]);
        let payload = Payload::from_value(lone.clone()).unwrap();
        assert_eq!((payload.content_type(), payload.to_value().unwrap()), (OCTET_STREAM, lone));
    }

    #[test]
    fn raw_bytes_are_no_structure() {
        let payload = Payload::from_message(Some("image/png"), Bytes::from_static(b"png")).unwrap();
        assert_eq!(
            payload.decode::<Picture>().unwrap_err().to_string(),
            "the payload is raw `image/png`, where JSON or MessagePack is expected"
        );
    }
}
