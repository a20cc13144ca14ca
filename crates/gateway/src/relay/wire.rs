use std::sync::Arc;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use shared::{Audience, JobEvent, JobId, Kind, Notification, Payload, PayloadError, Timestamp, WireError};

use super::told::News;
use crate::history::Since;

/// The event that tells of a job.
const JOB_EVENT: &str = "job:event";
/// The event that carries a notification.
const CHANNEL_EVENT: &str = "channel:event";

/// Something to send to any number of sockets, written once.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) event: &'static str,
    pub(crate) urgency: Urgency,
    /// What it tells of a job, if it does.
    pub(super) news: Option<News>,
    /// Since when this could be known, if that makes a difference.
    pub(super) since: Since,
    body: Body,
    /// About how many bytes travel.
    pub(crate) weight: usize,
}

/// What happens when a client is too slow for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// It is left out; the next one says more anyway.
    Perishable,
    /// The client is closed, to come back and ask for what it missed.
    Durable,
}

#[derive(Debug)]
enum Body {
    Json(Box<RawValue>),
    JobEvent(JobEventView),
    ChannelEvent(ChannelEventView),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JobEventView {
    job_id: JobId,
    kind: Kind,
    seq: u64,
    attempt: u32,
    r#type: &'static str,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "Data::attached")]
    data: Option<Data>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<WireError>,
}

#[derive(Debug, Serialize)]
struct ChannelEventView {
    channel: String,
    event: String,
    #[serde(serialize_with = "Data::attached")]
    data: Option<Data>,
    id: String,
}

/// A payload as socket.io takes it: JSON as it is written, binary as attachments.
#[derive(Debug)]
pub(crate) enum Data {
    Json(Arc<RawValue>),
    Bytes(Bytes),
    Structure(rmpv::Value),
}

impl Packet {
    pub(crate) fn of_job_event(event: &JobEvent, since: Since) -> Result<Self, PayloadError> {
        let view = JobEventView {
            job_id: event.job_id,
            kind: event.kind.clone(),
            seq: event.seq,
            attempt: event.attempt,
            r#type: event.event_type.as_str(),
            at: event.at,
            data: event.data.as_ref().map(Data::of).transpose()?,
            error: event.error.clone(),
        };
        let body = if Data::is_json(view.data.as_ref()) { Body::Json(raw(&view)?) } else { Body::JobEvent(view) };
        let urgency = if event.event_type.is_durable() { Urgency::Durable } else { Urgency::Perishable };
        Ok(Self { event: JOB_EVENT, urgency, news: Some(News::of(event)), since, weight: body.weight(event.data.as_ref()), body })
    }

    pub(crate) fn of_notification(notification: &Notification, urgency: Urgency) -> Result<Self, PayloadError> {
        let view = ChannelEventView {
            channel: match &notification.audience {
                Audience::Channel(name) => name.clone(),
                other => other.to_string(),
            },
            event: notification.event.clone(),
            data: notification.data.as_ref().map(Data::of).transpose()?,
            id: notification.id.clone(),
        };
        let body = if Data::is_json(view.data.as_ref()) { Body::Json(raw(&view)?) } else { Body::ChannelEvent(view) };
        let weight = body.weight(notification.data.as_ref());
        Ok(Self { event: CHANNEL_EVENT, urgency, news: None, since: Since::Now, weight, body })
    }

    /// Something without binary in it.
    pub(crate) fn of_json(event: &'static str, urgency: Urgency, value: &impl Serialize) -> Result<Self, PayloadError> {
        let json = raw(value)?;
        Ok(Self { event, urgency, news: None, since: Since::Now, weight: json.get().len(), body: Body::Json(json) })
    }
}

impl Body {
    fn weight(&self, data: Option<&Payload>) -> usize {
        /// Roughly what an event takes around its data.
        const ENVELOPE: usize = 250;
        match self {
            Self::Json(json) => json.get().len(),
            _ => ENVELOPE + data.map_or(0, Payload::len),
        }
    }
}

impl Data {
    pub(crate) fn of(payload: &Payload) -> Result<Self, PayloadError> {
        Ok(match payload {
            Payload::Json(json) => Self::Json(json.clone()),
            Payload::Raw { bytes, .. } => Self::Bytes(bytes.clone()),
            Payload::Packed(_) => Self::Structure(payload.to_value()?),
        })
    }

    /// Writes data without the `Some` around it, behind which socketioxide's serializer misses binary.
    pub(crate) fn attached<S: Serializer>(data: &Option<Self>, serializer: S) -> Result<S::Ok, S::Error> {
        match data {
            Some(data) => data.serialize(serializer),
            None => serializer.serialize_none(),
        }
    }

    fn is_json(data: Option<&Self>) -> bool {
        matches!(data, None | Some(Self::Json(_)))
    }
}

impl Serialize for Packet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.body {
            Body::Json(json) => json.serialize(serializer),
            Body::JobEvent(view) => view.serialize(serializer),
            Body::ChannelEvent(view) => view.serialize(serializer),
        }
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Json(json) => json.serialize(serializer),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::Structure(value) => value.serialize(serializer),
        }
    }
}

fn raw(value: &impl Serialize) -> Result<Box<RawValue>, PayloadError> {
    Ok(serde_json::value::to_raw_value(value)?)
}
