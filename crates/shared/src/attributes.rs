//! The names of the Pub/Sub attributes, the same on every topic.

use std::collections::HashMap;

use crate::MalformedMessage;

/// The attributes of one Pub/Sub message: at most 100, names up to 256 bytes, values up to 1024.
pub type Attributes = HashMap<String, String>;

/// The job's or the notification's id.
pub const ID: &str = "id";
/// The name of the job type.
pub const KIND: &str = "kind";
/// Who may see what comes of it, see [`crate::Audience`].
pub const AUDIENCE: &str = "audience";
/// When the job was accepted, RFC 3339.
pub const SUBMITTED_AT: &str = "submitted-at";
/// How often a handler may run for this job.
pub const MAX_ATTEMPTS: &str = "max-attempts";
/// How long one attempt may take, in milliseconds.
pub const TIMEOUT_MS: &str = "timeout-ms";
/// The version of the message format; absent means the current one.
pub const SCHEMA: &str = "schema";
/// How to read the body; absent means JSON.
pub const CONTENT_TYPE: &str = "content-type";
/// What a message is about, where a topic carries several sorts: a job event has one and a notification none, a trial has one and a
/// cancellation none.
pub const TYPE: &str = "type";
/// Orders a job's events, see [`crate::seq`].
pub const SEQ: &str = "seq";
/// The handler's run that an event belongs to, from 1.
pub const ATTEMPT: &str = "attempt";
/// When an event happened, RFC 3339.
pub const AT: &str = "at";
/// A notification's name, chosen by its publisher.
pub const EVENT: &str = "event";
/// How often the handler has run, on a job that one worker hands on to another.
pub const ATTEMPTS_DONE: &str = "attempts-done";
/// How often the job was delivered under earlier messages, so that its events go on counting upwards.
pub const DELIVERIES_DONE: &str = "deliveries-done";
/// Until when a job that was handed on rests before its next attempt, RFC 3339.
pub const NOT_BEFORE: &str = "not-before";
/// Why a message was put aside, on dead letters that Mayfly wrote itself.
pub const DEAD_LETTER_REASON: &str = "dead-letter-reason";
/// The topic that a dead letter came from, so that it can be replayed.
pub const DEAD_LETTER_TOPIC: &str = "dead-letter-topic";
/// Pub/Sub's id of the message that a trial is about.
pub const MESSAGE_ID: &str = "message-id";
/// The worker process that a trial takes place in.
pub const WORKER: &str = "worker";
/// Whether no other suspect runs beside a trial, `true` or `false`.
pub const ALONE: &str = "alone";

/// The only message format so far.
pub const CURRENT_SCHEMA: &str = "1";

/// Refuses a message of a format that this build does not know.
pub(crate) fn check_schema(attributes: &Attributes) -> Result<(), MalformedMessage> {
    match attributes.get(SCHEMA).map(String::as_str) {
        None | Some(CURRENT_SCHEMA) => Ok(()),
        Some(other) => Err(MalformedMessage::new(SCHEMA, format!("`{other}` is not a known version; this build reads `{CURRENT_SCHEMA}`"))),
    }
}

/// Reads an optional attribute; a value that does not parse names the attribute.
pub(crate) fn optional<T: std::str::FromStr>(attributes: &Attributes, name: &'static str) -> Result<Option<T>, MalformedMessage>
where
    T::Err: std::fmt::Display,
{
    attributes.get(name).map(|value| value.parse().map_err(|error| MalformedMessage::new(name, format!("`{value}`: {error}")))).transpose()
}

/// Reads an attribute that has no default.
pub(crate) fn required<T: std::str::FromStr>(attributes: &Attributes, name: &'static str) -> Result<T, MalformedMessage>
where
    T::Err: std::fmt::Display,
{
    optional(attributes, name)?.ok_or_else(|| MalformedMessage::new(name, "is missing"))
}
