use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared::{Payload, PayloadError};
use url::Url;

use crate::{WebhookError, headers, sender::Letter};

/// The shortest time that a job may give a receiver, in milliseconds.
const MIN_TIMEOUT_MS: u64 = 100;
/// The longest, in milliseconds: receivers that do the work before they answer are slow, and should not.
const MAX_TIMEOUT_MS: u64 = 30_000;

/// Sends JSON to somebody's server, signed.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Where to: `https`, or `http` where that is allowed.
    #[schemars(extend("format" = "uri"))]
    pub url: String,
    /// What, byte for byte.
    pub body: Box<RawValue>,
    /// What happened, for instance `invoice.paid`. The body is then sent as `{ "type": <event>, "data": <body> }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// More headers: `authorization`, `idempotency-key` and most that begin with `x-`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// How long the receiver may take to answer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 30_000))]
    pub timeout_ms: Option<u64>,
}

/// A webhook that has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivered {
    /// The receiver's answer: 200 to 299.
    pub status: u16,
    /// In which attempt.
    pub attempt: u32,
    /// How long the receiver took to answer, in milliseconds.
    pub duration_ms: u64,
    /// The beginning of the receiver's answer, at most 4 KiB of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_preview: Option<String>,
}

/// What the specification recommends for a body.
#[derive(Serialize)]
struct Event<'a> {
    r#type: &'a str,
    data: &'a RawValue,
}

impl Webhook {
    /// MessagePack has no JSON text to keep: there the body is written anew.
    pub(crate) fn from_payload(payload: &Payload) -> Result<Self, PayloadError> {
        match payload {
            Payload::Packed(_) => Ok(serde_json::from_value(payload.decode()?)?),
            payload => payload.decode(),
        }
    }

    /// How long the receiver may take.
    pub(crate) fn timeout(&self, default: Duration) -> Result<Duration, WebhookError> {
        match self.timeout_ms {
            None => Ok(default),
            Some(millis) if (MIN_TIMEOUT_MS..=MAX_TIMEOUT_MS).contains(&millis) => Ok(Duration::from_millis(millis)),
            Some(millis) => Err(WebhookError::Invalid(format!("`timeoutMs` must be {MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS}, not {millis}"))),
        }
    }

    pub(crate) fn into_letter(self, id: String) -> Result<Letter, WebhookError> {
        let url = Url::parse(&self.url).map_err(|error| WebhookError::Invalid(format!("`url` cannot be read: {error}")))?;
        let headers = headers::checked(&self.headers)?;
        let body = match &self.event {
            None => self.body.get().to_owned(),
            Some(event) => serde_json::to_string(&Event { r#type: event, data: &self.body })
                .map_err(|error| WebhookError::Invalid(format!("the body cannot be written: {error}")))?,
        };
        Ok(Letter { id, url, headers, body: body.into() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn webhook(json: &str) -> Webhook {
        Webhook::from_payload(&Payload::from_message(Some("application/json"), json.to_owned().into()).unwrap()).unwrap()
    }

    #[test]
    fn the_body_is_sent_as_it_was_written() {
        let letter = webhook(r#"{"url": "https://a.example", "body": { "b" : 1.0, "a": 12345678901234567890123 }}"#)
            .into_letter("1".into())
            .unwrap();
        assert_eq!(letter.body, r#"{ "b" : 1.0, "a": 12345678901234567890123 }"#);
    }

    #[test]
    fn an_event_has_a_type_and_data() {
        let letter = webhook(r#"{"url": "https://a.example", "body": [1], "event": "invoice.paid"}"#).into_letter("1".into()).unwrap();
        assert_eq!(letter.body, r#"{"type":"invoice.paid","data":[1]}"#);
    }

    #[test]
    fn a_packed_payload_is_read_too_unless_there_is_binary_in_it() {
        let packed = |body: rmpv::Value| {
            let entries = vec![("url".into(), "https://a.example".into()), ("body".into(), body)];
            let mut bytes = Vec::new();
            rmpv::encode::write_value(&mut bytes, &rmpv::Value::Map(entries)).unwrap();
            Webhook::from_payload(&Payload::from_message(Some("application/msgpack"), bytes.into()).unwrap())
        };
        assert_eq!(packed(rmpv::Value::from(7)).unwrap().body.get(), "7");
        assert!(packed(rmpv::Value::Binary(vec![1])).is_err());
    }

    #[test]
    fn what_is_wrong_with_a_job_is_said() {
        let error = webhook(r#"{"url": "example.com", "body": 1}"#).into_letter("1".into()).err().unwrap();
        assert_eq!((error.code(), error.to_string().as_str()), ("invalid_request", "`url` cannot be read: relative URL without a base"));
        let error = webhook(r#"{"url": "https://a.example", "body": 1, "timeoutMs": 31000}"#).timeout(Duration::ZERO).unwrap_err();
        assert_eq!(error.to_string(), "`timeoutMs` must be 100 to 30000, not 31000");
    }

    #[test]
    fn the_schema_says_what_the_checks_do() {
        let schema = serde_json::to_value(schemars::schema_for!(Webhook)).unwrap();
        let timeout = &schema["properties"]["timeoutMs"];
        assert_eq!((&timeout["minimum"], &timeout["maximum"]), (&MIN_TIMEOUT_MS.into(), &MAX_TIMEOUT_MS.into()));
        assert_eq!(schema["required"], serde_json::json!(["url", "body"]));
    }
}
