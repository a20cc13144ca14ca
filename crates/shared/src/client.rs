//! What clients see over socket.io and HTTP, apart from payloads, which pass through untouched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{EventType, JobId, SessionId, Timestamp, WireError};

/// The handshake's `auth`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Auth {
    /// A signed-in user's token, issued by the application.
    #[serde(default)]
    pub token: Option<String>,
    /// The session token from an earlier `welcome`.
    #[serde(default)]
    pub session: Option<String>,
}

/// What a client may ask of the job that it submits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SubmitOptions {
    /// How long one attempt may take, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// How often the handler may run.
    pub max_attempts: Option<u32>,
}

/// The first thing a client hears after `hostname`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Welcome {
    /// Who the client is.
    pub session: SessionInfo,
    /// The serving host.
    pub hostname: String,
    /// The gateway's version.
    pub version: String,
    /// The job types that this client may submit.
    pub kinds: Vec<String>,
    /// What this client must keep to.
    pub limits: ClientLimits,
    /// What is degraded.
    pub status: Status,
}

/// A session and the proof of it, good at any gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionInfo {
    /// The session.
    pub id: SessionId,
    /// Give this back as `auth.session` to be the same client again.
    pub token: String,
    /// Until when the token is good.
    #[schemars(with = "String")]
    pub expires_at: Timestamp,
}

/// The limits of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientLimits {
    /// The largest payload, in bytes.
    pub max_payload_bytes: usize,
    /// How many jobs may be unfinished at a time.
    pub max_unfinished_jobs: usize,
    /// How many submits a second are taken in the long run.
    pub submits_per_second: u32,
    /// How many channels one socket may be in.
    pub max_channels: usize,
    /// The largest message to a channel, in bytes.
    pub max_publish_bytes: usize,
    /// How many messages a second to channels are taken in the long run.
    pub publishes_per_second: u32,
}

/// What is degraded; sent on every change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// `off` is a choice of the installation, `down` is not.
    pub redis: Dependency,
    /// While `down`, submits are refused.
    pub pubsub: Dependency,
    /// Whether this gateway knows of what happened before it started.
    pub history: HistoryState,
}

/// How a dependency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dependency {
    /// Working.
    Up,
    /// Wanted but away.
    Down,
    /// Not wanted here.
    Off,
}

/// How far back a gateway's history goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HistoryState {
    /// Filled from the topic's retention when the gateway started.
    Warm,
    /// Only since the gateway started.
    Cold,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Accepted; no handler has taken it up that we know of.
    Queued,
    /// A handler is at it.
    Running,
    /// An attempt failed; another one follows.
    Retrying,
    /// Done.
    Succeeded,
    /// Given up.
    Failed,
    /// Ended on request.
    Cancelled,
}

impl From<EventType> for JobState {
    fn from(event_type: EventType) -> Self {
        match event_type {
            EventType::Started | EventType::Progress => Self::Running,
            EventType::Retrying => Self::Retrying,
            EventType::Succeeded => Self::Succeeded,
            EventType::Failed => Self::Failed,
            EventType::Cancelled => Self::Cancelled,
        }
    }
}

/// One job that a returning client asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResumeJob {
    /// The job.
    pub id: JobId,
    /// The last event that the client has; 0 for none.
    #[serde(default)]
    pub seq: u64,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResumedJob {
    /// The job.
    pub id: JobId,
    /// Where it is; none if nothing is known of it.
    pub state: Option<JobState>,
    /// Whether the client now has, or is about to get, everything durable that it missed.
    pub recovered: bool,
}

/// `job:get`'s answer and `GET /v1/jobs/{id}`'s, apart from `data`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
    /// The job.
    pub id: JobId,
    /// Its type.
    pub kind: String,
    /// Where it is.
    pub state: JobState,
    /// Its newest event's number; 0 while there is none.
    pub seq: u64,
    /// The handler's run, from 1; 0 while there is none.
    pub attempt: u32,
    /// When it last moved.
    #[schemars(with = "String")]
    pub updated_at: Timestamp,
    /// What went wrong, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<WireError>,
}
