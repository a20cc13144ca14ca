//! Durations, timestamps, bytes, masks and enums.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt::Display;

/// `"600s"`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Duration(pub(crate) prost_types::Duration);

/// RFC 3339, `"2026-01-02T03:04:05.678Z"`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timestamp(pub(crate) prost_types::Timestamp);

/// `"labels,ackDeadlineSeconds"`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldMask(pub(crate) prost_types::FieldMask);

/// Base64, standard when written; with either alphabet and any padding when read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) bytes::Bytes);

/// An enum's value, read as its name or number. Only output fields have one, so nobody looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Enum {
    Name(String),
    Number(i32),
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| D::Error::custom(format!("{text:?} is not a duration, as in \"600s\"")))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| D::Error::custom(format!("{text:?} is not a time in RFC 3339")))
    }
}

impl<'de> Deserialize<'de> for FieldMask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let paths = text.split(',').map(|path| path.trim().to_owned()).filter(|path| !path.is_empty()).collect();
        Ok(Self(prost_types::FieldMask { paths }))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(&text).or_else(|_| URL_SAFE.decode(&text)).map_err(D::Error::custom)?;
        Ok(Self(bytes.into()))
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_text(&self.0, serializer)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_text(&self.0, serializer)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

fn as_text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json, to_value};

    #[test]
    fn durations_are_seconds_with_an_s() {
        let duration = Duration(prost_types::Duration { seconds: 600, nanos: 500_000_000 });
        assert_eq!(to_value(duration).ok(), Some(json!("600.500s")));
        assert_eq!(from_value(json!("600.5s")).ok(), Some(duration));
        for nonsense in [json!("600"), json!("ten"), json!(600), json!("")] {
            assert!(from_value::<Duration>(nonsense.clone()).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn timestamps_are_rfc_3339() {
        let timestamp = Timestamp(prost_types::Timestamp { seconds: 1_767_323_045, nanos: 678_000_000 });
        assert_eq!(to_value(timestamp).ok(), Some(json!("2026-01-02T03:04:05.678Z")));
        assert_eq!(from_value(json!("2026-01-02T05:04:05.678+02:00")).ok(), Some(timestamp));
        assert!(from_value::<Timestamp>(json!("yesterday")).is_err());
    }

    #[test]
    fn bytes_are_base64_of_any_kind() {
        let bytes = Bytes(bytes::Bytes::from_static(&[0xfb, 0xff, 0xfe, 0x01]));
        assert_eq!(to_value(&bytes).ok(), Some(json!("+//+AQ==")));
        for text in ["+//+AQ==", "+//+AQ", "-__-AQ==", "-__-AQ"] {
            assert_eq!(from_value(json!(text)).ok(), Some(bytes.clone()), "{text}");
        }
        assert!(from_value::<Bytes>(json!("?")).is_err());
    }

    #[test]
    fn masks_are_lists_with_commas() {
        let mask: Option<FieldMask> = from_value(json!("labels, ackDeadlineSeconds,")).ok();
        assert_eq!(mask.map(|mask| mask.0.paths), Some(vec!["labels".into(), "ackDeadlineSeconds".into()]));
    }
}
