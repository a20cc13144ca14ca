use std::{fmt, str::FromStr};

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Attributes, Audience, JobId, Kind, MalformedMessage, Payload, Timestamp, WireError,
    attributes::{self, CONTENT_TYPE, CURRENT_SCHEMA, check_schema, optional, required},
};

/// Something that happened, as it travels on `mayfly-events`.
#[derive(Debug, Clone, PartialEq)]
pub enum EventMessage {
    /// A job moved on.
    Job(JobEvent),
    /// Anything that a service wants browsers to know.
    Notification(Notification),
}

/// One step of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobEvent {
    /// The job.
    pub job_id: JobId,
    /// Its type.
    pub kind: Kind,
    /// Who sees this.
    pub audience: Audience,
    /// Orders the job's events, see [`crate::seq`].
    pub seq: u64,
    /// The handler's run, from 1.
    pub attempt: u32,
    /// What happened.
    pub event_type: EventType,
    /// When.
    pub at: Timestamp,
    /// Progress, or the result.
    pub data: Option<Payload>,
    /// What went wrong, on `retrying` and `failed`.
    pub error: Option<WireError>,
}

/// What a job event reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// A handler took the job up.
    Started,
    /// The handler tells how far it is.
    Progress,
    /// An attempt failed; another one follows.
    Retrying,
    /// The end: here is the result.
    Succeeded,
    /// The end: there will be no result.
    Failed,
    /// The end: somebody asked for it.
    Cancelled,
}

/// An application's own message to browsers; reaches them as `channel:event`.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Tells two notifications apart; Pub/Sub's message id unless its publisher gave one.
    pub id: String,
    /// Who sees it.
    pub audience: Audience,
    /// A name that means something to the page; `message` unless its publisher gave one.
    pub event: String,
    /// What comes with it.
    pub data: Option<Payload>,
}

impl EventType {
    /// Every type.
    pub const ALL: [Self; 6] = [Self::Started, Self::Progress, Self::Retrying, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// Whether nothing can follow.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Whether it must reach its audience; the others are hints, of which the latest counts.
    #[must_use]
    pub fn is_durable(self) -> bool {
        self.is_terminal()
    }

    /// The name on every wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Progress => "progress",
            Self::Retrying => "retrying",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventType {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|event_type| event_type.as_str() == text).ok_or("is not a type of job event")
    }
}

impl JobEvent {
    /// The attributes and the body to publish: the error as JSON if there is one, otherwise the data.
    #[must_use]
    pub fn to_message(&self) -> (Attributes, Bytes) {
        let mut attributes = Attributes::from([
            (attributes::ID.into(), self.job_id.to_string()),
            (attributes::KIND.into(), self.kind.to_string()),
            (attributes::AUDIENCE.into(), self.audience.to_string()),
            (attributes::SEQ.into(), self.seq.to_string()),
            (attributes::ATTEMPT.into(), self.attempt.to_string()),
            (attributes::TYPE.into(), self.event_type.to_string()),
            (attributes::AT.into(), self.at.to_string()),
            (attributes::SCHEMA.into(), CURRENT_SCHEMA.into()),
        ]);
        let error = self.error.as_ref().and_then(|error| Payload::encode(error).ok());
        let body = error.as_ref().or(self.data.as_ref());
        if let Some(payload) = body {
            attributes.insert(CONTENT_TYPE.into(), payload.content_type().into());
        }
        (attributes, body.map(Payload::body).unwrap_or_default())
    }

    fn parse(attributes: &Attributes, body: Bytes, published_at: Timestamp) -> Result<Self, MalformedMessage> {
        let event_type: EventType = required(attributes, attributes::TYPE)?;
        let body = optional_payload(attributes, body)?;
        let reports_error = matches!(event_type, EventType::Retrying | EventType::Failed);
        let error = body
            .as_ref()
            .filter(|_| reports_error)
            .map(|payload| payload.decode().unwrap_or_else(|_| WireError::new("failed", "the job failed without saying why")));
        Ok(Self {
            job_id: required(attributes, attributes::ID)?,
            kind: required(attributes, attributes::KIND)?,
            audience: required(attributes, attributes::AUDIENCE)?,
            seq: required(attributes, attributes::SEQ)?,
            attempt: optional(attributes, attributes::ATTEMPT)?.unwrap_or(1),
            at: optional(attributes, attributes::AT)?.unwrap_or(published_at),
            event_type,
            data: body.filter(|_| !reports_error),
            error,
        })
    }
}

impl Notification {
    /// The attributes and the body to publish.
    #[must_use]
    pub fn to_message(&self) -> (Attributes, Bytes) {
        let mut attributes = Attributes::from([
            (attributes::ID.into(), self.id.clone()),
            (attributes::AUDIENCE.into(), self.audience.to_string()),
            (attributes::EVENT.into(), self.event.clone()),
            (attributes::SCHEMA.into(), CURRENT_SCHEMA.into()),
        ]);
        if let Some(data) = &self.data {
            attributes.insert(CONTENT_TYPE.into(), data.content_type().into());
        }
        (attributes, self.data.as_ref().map(Payload::body).unwrap_or_default())
    }

    fn parse(attributes: &Attributes, body: Bytes, message_id: &str) -> Result<Self, MalformedMessage> {
        Ok(Self {
            id: attributes.get(attributes::ID).cloned().unwrap_or_else(|| message_id.to_owned()),
            audience: required(attributes, attributes::AUDIENCE)?,
            event: attributes.get(attributes::EVENT).cloned().unwrap_or_else(|| "message".to_owned()),
            data: optional_payload(attributes, body)?,
        })
    }
}

impl EventMessage {
    /// Reads a message: a job event if it has a `type`, otherwise a notification.
    ///
    /// # Errors
    /// Names the attribute, or the body, that cannot be understood.
    pub fn parse(attributes: &Attributes, body: Bytes, message_id: &str, published_at: Timestamp) -> Result<Self, MalformedMessage> {
        check_schema(attributes)?;
        if attributes.contains_key(attributes::TYPE) {
            JobEvent::parse(attributes, body, published_at).map(Self::Job)
        } else {
            Notification::parse(attributes, body, message_id).map(Self::Notification)
        }
    }

    /// The attributes and the body to publish.
    #[must_use]
    pub fn to_message(&self) -> (Attributes, Bytes) {
        match self {
            Self::Job(event) => event.to_message(),
            Self::Notification(notification) => notification.to_message(),
        }
    }
}

fn optional_payload(attributes: &Attributes, body: Bytes) -> Result<Option<Payload>, MalformedMessage> {
    let content_type = attributes.get(CONTENT_TYPE).map(String::as_str);
    if body.is_empty() && content_type.is_none() {
        return Ok(None);
    }
    Payload::from_message(content_type, body).map(Some).map_err(|error| MalformedMessage::new("body", error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::{ErrorCode, seq::seq};

    fn event(event_type: EventType, data: Option<Payload>, error: Option<WireError>) -> JobEvent {
        JobEvent {
            job_id: JobId::new(),
            kind: "echo".parse().unwrap(),
            audience: Audience::All,
            seq: seq(2, 3),
            attempt: 2,
            event_type,
            at: "2026-01-02T03:04:05Z".parse().unwrap(),
            data,
            error,
        }
    }

    fn reread(message: &EventMessage) -> EventMessage {
        let (attributes, body) = message.to_message();
        EventMessage::parse(&attributes, body, "1", Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn every_event_reads_back_as_written() {
        let data = Payload::encode(&1).unwrap();
        for message in [
            event(EventType::Started, None, None),
            event(EventType::Progress, Some(data.clone()), None),
            event(
                EventType::Retrying,
                None,
                Some(WireError::new("upstream", "answered 503").retry_after(std::time::Duration::from_secs(1))),
            ),
            event(EventType::Succeeded, Some(Payload::Raw { content_type: "image/png".into(), bytes: Bytes::from_static(b"p") }), None),
            event(EventType::Failed, None, Some(ErrorCode::Internal.error("boom"))),
            event(EventType::Cancelled, None, None),
        ] {
            let message = EventMessage::Job(message);
            assert_eq!(reread(&message), message);
        }
        let notification =
            Notification { id: "7".into(), audience: Audience::Channel("news".into()), event: "sale".into(), data: Some(data) };
        assert_eq!(reread(&EventMessage::Notification(notification.clone())), EventMessage::Notification(notification));
    }

    #[test]
    fn a_service_needs_to_give_an_audience_only() {
        let attributes = Attributes::from([("audience".into(), "all".into())]);
        let message = EventMessage::parse(&attributes, Bytes::from_static(b"{}"), "17", Timestamp::UNIX_EPOCH).unwrap();
        let EventMessage::Notification(notification) = message else { panic!("a message without a type is a notification") };
        assert_eq!((notification.id.as_str(), notification.event.as_str()), ("17", "message"));
    }

    #[test]
    fn an_event_of_an_unknown_type_is_malformed() {
        let (mut attributes, body) = event(EventType::Started, None, None).to_message();
        attributes.insert("type".into(), "exploded".into());
        assert_eq!(EventMessage::parse(&attributes, body, "1", Timestamp::UNIX_EPOCH).unwrap_err().attribute, "type");
    }
}
