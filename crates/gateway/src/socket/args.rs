use std::{fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use shared::{ErrorCode, Payload, WireError};
use socketioxide::{
    adapter::LocalAdapter,
    extract::TryData,
    handler::{FromMessageParts, Value},
    socket::Socket,
};

/// What a client event carries: its first argument, further ones being ignored.
///
/// JSON stays the text it came in, which is three times as fast as taking it apart. Only a packet with attachments is
/// read as a value, because its text holds placeholders.
#[derive(Debug)]
pub(super) enum Args {
    Json(Box<RawValue>),
    /// With the number of bytes that came as attachments.
    Value {
        value: rmpv::Value,
        weight: usize,
    },
}

/// The text of an event packet: its name, then its arguments.
struct EventText<'a> {
    name: &'a str,
    first: Option<Box<RawValue>>,
}

impl Args {
    /// Reads an event's name and argument; none for what is no event.
    pub(super) fn read(socket: &Arc<Socket<LocalAdapter>>, packet: &mut Value) -> Option<(String, Self)> {
        let Value::Str(text, attachments) = &*packet else { return None };
        let event: EventText<'_> = serde_json::from_str(text).ok()?;
        let name = event.name.to_owned();
        let weight = match attachments {
            Some(attachments) if !attachments.is_empty() => attachments.iter().map(bytes::Bytes::len).sum(),
            _ => return Some((name, Self::Json(event.first.unwrap_or_else(null)))),
        };
        let Ok(TryData(value)) = TryData::<rmpv::Value>::from_message_parts(socket, packet, &None);
        Some((name, Self::Value { value: value.ok()?, weight }))
    }

    /// Reads the argument as a plain structure.
    pub(super) fn parse<T: de::DeserializeOwned>(&self) -> Result<T, WireError> {
        match self {
            Self::Json(json) => serde_json::from_str(json.get()).map_err(|error| invalid(&error)),
            Self::Value { value, .. } => rmpv::ext::from_value(value.clone()).map_err(|error| invalid(&error)),
        }
    }

    /// Takes a field out of the argument as a payload, leaving the rest.
    pub(super) fn take_payload(&mut self, field: &str) -> Result<Option<Payload>, WireError> {
        match self {
            Self::Json(_) => Ok(None),
            Self::Value { value: rmpv::Value::Map(entries), .. } => {
                let Some(position) = entries.iter().position(|(name, _)| name.as_str() == Some(field)) else { return Ok(None) };
                let (_, value) = entries.swap_remove(position);
                Payload::from_value(value).map(Some).map_err(|error| invalid(&error))
            }
            Self::Value { .. } => Err(invalid(&"the argument is no object")),
        }
    }
}

pub(super) fn invalid(reason: &impl fmt::Display) -> WireError {
    ErrorCode::InvalidRequest.error(reason.to_string())
}

pub(super) fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

impl<'de> Deserialize<'de> for EventText<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EventVisitor;

        impl<'de> Visitor<'de> for EventVisitor {
            type Value = EventText<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event's name and arguments")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let name = items.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let first = items.next_element()?;
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(EventText { name, first })
            }
        }

        deserializer.deserialize_seq(EventVisitor)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn first(text: &str) -> Option<String> {
        serde_json::from_str::<EventText<'_>>(text).ok()?.first.map(|first| first.get().to_owned())
    }

    #[test]
    fn the_first_argument_is_taken_as_it_is_written() {
        assert_eq!(first(r#"["ping",{ "a": 1.0 },2,[3]]"#).unwrap(), r#"{ "a": 1.0 }"#);
        assert_eq!(first(r#"["ping"]"#), None);
        assert_eq!(first("[]"), None);
        assert_eq!(first("[1,2]"), None);
    }
}
