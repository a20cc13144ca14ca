use std::time::Duration;

use bytes::Bytes;

use crate::{
    Attributes, Audience, JobId, Kind, MalformedMessage, Payload, Timestamp,
    attributes::{self, CONTENT_TYPE, CURRENT_SCHEMA, check_schema, optional, required},
    limits,
};

/// A unit of work, as it travels on `mayfly-jobs-<kind>`.
#[derive(Debug, Clone, PartialEq)]
pub struct JobMessage {
    /// The idempotency key.
    pub id: JobId,
    /// The name of the job type.
    pub kind: Kind,
    /// Who sees what comes of it.
    pub audience: Audience,
    /// When it was accepted.
    pub submitted_at: Timestamp,
    /// How often a handler may run, 1 to [`limits::MAX_ATTEMPTS`]; none leaves it to the job type.
    pub max_attempts: Option<u32>,
    /// How long one attempt may take; none leaves it to the job type.
    pub timeout: Option<Duration>,
    /// What the handler gets.
    pub payload: Payload,
}

/// What Pub/Sub knows of a message, which stands in for attributes that its publisher left out.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The kind whose topic it came by.
    pub kind: &'a Kind,
    /// Pub/Sub's id of the message, the same for every delivery.
    pub message_id: &'a str,
    /// When Pub/Sub took it.
    pub published_at: Timestamp,
}

impl JobMessage {
    /// The attributes and the body to publish.
    #[must_use]
    pub fn to_message(&self) -> (Attributes, Bytes) {
        let mut attributes = Attributes::from([
            (attributes::ID.into(), self.id.to_string()),
            (attributes::KIND.into(), self.kind.to_string()),
            (attributes::AUDIENCE.into(), self.audience.to_string()),
            (attributes::SUBMITTED_AT.into(), self.submitted_at.to_string()),
            (attributes::SCHEMA.into(), CURRENT_SCHEMA.into()),
            (CONTENT_TYPE.into(), self.payload.content_type().into()),
        ]);
        if let Some(attempts) = self.max_attempts {
            attributes.insert(attributes::MAX_ATTEMPTS.into(), attempts.to_string());
        }
        if let Some(timeout) = self.timeout {
            attributes.insert(attributes::TIMEOUT_MS.into(), timeout.as_millis().to_string());
        }
        (attributes, self.payload.body())
    }

    /// Reads a message. Only `audience` has no default; bounds are narrowed to the limits rather than refused.
    ///
    /// # Errors
    /// Names the attribute, or the body, that cannot be understood.
    pub fn parse(attributes: &Attributes, body: Bytes, envelope: Envelope<'_>) -> Result<Self, MalformedMessage> {
        check_schema(attributes)?;
        let kind = optional(attributes, attributes::KIND)?.unwrap_or_else(|| envelope.kind.clone());
        if kind != *envelope.kind {
            return Err(MalformedMessage::new(attributes::KIND, format!("`{kind}` came by the topic of `{}`", envelope.kind)));
        }
        let payload = Payload::from_message(attributes.get(CONTENT_TYPE).map(String::as_str), body)
            .map_err(|error| MalformedMessage::new("body", error.to_string()))?;
        Ok(Self {
            id: optional(attributes, attributes::ID)?.unwrap_or_else(|| JobId::derived(kind.as_str(), envelope.message_id)),
            audience: required(attributes, attributes::AUDIENCE)?,
            submitted_at: optional(attributes, attributes::SUBMITTED_AT)?.unwrap_or(envelope.published_at),
            max_attempts: optional::<u32>(attributes, attributes::MAX_ATTEMPTS)?.map(|attempts| attempts.clamp(1, limits::MAX_ATTEMPTS)),
            timeout: optional(attributes, attributes::TIMEOUT_MS)?
                .map(|millis| Duration::from_millis(millis).clamp(limits::MIN_TIMEOUT, limits::MAX_TIMEOUT)),
            kind,
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn echo() -> Kind {
        "echo".parse().unwrap()
    }

    fn parse(attributes: &[(&str, &str)], body: &'static str) -> Result<JobMessage, MalformedMessage> {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let published_at = "2026-01-02T03:04:05Z".parse().unwrap();
        JobMessage::parse(&attributes, Bytes::from_static(body.as_bytes()), Envelope { kind: &echo(), message_id: "17", published_at })
    }

    #[test]
    fn a_job_reads_back_as_written() {
        let job = JobMessage {
            id: JobId::new(),
            kind: echo(),
            audience: Audience::User("42".into()),
            submitted_at: "2026-01-02T03:04:05.678Z".parse().unwrap(),
            max_attempts: Some(3),
            timeout: Some(Duration::from_millis(1500)),
            payload: Payload::encode(&"hi").unwrap(),
        };
        let (attributes, body) = job.to_message();
        let envelope = Envelope { kind: &echo(), message_id: "1", published_at: Timestamp::UNIX_EPOCH };
        assert_eq!(JobMessage::parse(&attributes, body, envelope).unwrap(), job);
    }

    #[test]
    fn an_audience_is_all_that_a_publisher_must_give() {
        let job = parse(&[("audience", "user:42")], r#"{"text":"hi"}"#).unwrap();
        assert_eq!(job.id, JobId::derived("echo", "17"));
        assert_eq!(
            (job.kind.as_str(), job.audience, job.submitted_at.to_string().as_str()),
            ("echo", Audience::User("42".into()), "2026-01-02T03:04:05Z")
        );
        assert_eq!((job.max_attempts, job.timeout), (None, None));
    }

    #[test]
    fn bounds_beyond_the_limits_are_narrowed() {
        let job = parse(&[("audience", "all"), ("max-attempts", "9000"), ("timeout-ms", "0")], "").unwrap();
        assert_eq!((job.max_attempts, job.timeout), (Some(limits::MAX_ATTEMPTS), Some(limits::MIN_TIMEOUT)));
    }

    #[test]
    fn garbage_is_named() {
        for (attributes, culprit) in [
            (&[] as &[(&str, &str)], "audience"),
            (&[("audience", "everybody")], "audience"),
            (&[("audience", "all"), ("id", "17")], "id"),
            (&[("audience", "all"), ("kind", "thumbnail")], "kind"),
            (&[("audience", "all"), ("schema", "2")], "schema"),
            (&[("audience", "all"), ("timeout-ms", "soon")], "timeout-ms"),
            (&[("audience", "all"), ("content-type", "application/json")], "body"),
        ] {
            assert_eq!(parse(attributes, "{not json").unwrap_err().attribute, culprit);
        }
    }
}
