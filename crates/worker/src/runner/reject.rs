use std::sync::Arc;

use bus::{Delivery, Message, PublishError};
use bytes::Bytes;
use shared::{Attributes, EventType, JobId, JobMessage, MalformedMessage, WireError, attributes};
use tokio::time::sleep;

use super::{
    core::Core,
    handover::Carried,
    intake::{self, envelope},
    reporter::{End, Reporter},
    serve::Station,
};
use crate::{metrics::JobOutcome, registered::INVALID_PAYLOAD};

/// Deals with a message that is no job: its client is told, if it has one that can be read; otherwise it is put aside.
pub(crate) async fn reject(station: &Station, delivery: Delivery, malformed: MalformedMessage) {
    match addressee(station, &delivery, &malformed) {
        Some(job) => tell(station, delivery, job, malformed).await,
        None => put_aside(station, delivery, malformed.to_string()).await,
    }
}

/// The job without its payload, if only the payload is at fault.
fn addressee(station: &Station, delivery: &Delivery, malformed: &MalformedMessage) -> Option<JobMessage> {
    if malformed.attribute != "body" {
        return None;
    }
    let mut attributes = delivery.message.attributes.clone();
    attributes.remove(attributes::CONTENT_TYPE);
    JobMessage::parse(&attributes, Bytes::new(), envelope(station, delivery)).ok()
}

async fn tell(station: &Station, delivery: Delivery, job: JobMessage, malformed: MalformedMessage) {
    let core = &station.core;
    let number = Carried::read(&delivery.message.attributes).delivery(delivery.delivery_attempt);
    let kind = job.kind.clone();
    let error = WireError::new(INVALID_PAYLOAD, format!("the payload {}", malformed.reason));
    let end = End { event_type: EventType::Failed, attempt: 1, data: None, error: Some(error) };
    let mut reporter = Reporter::new(Arc::clone(core), Arc::new(job), number);
    let event = reporter.event(end.into());
    match reporter.announce(event).await {
        Some(_) => {
            core.metrics.job(&kind, JobOutcome::failed);
            delivery.ack();
        }
        None => intake::hand_back(station, delivery).await,
    }
}

/// Sends a message to the dead letters, where its client is told if there is one.
pub(crate) async fn put_aside(station: &Station, delivery: Delivery, reason: String) {
    let (core, kind) = (&station.core, &station.registered.kind);
    let names = core.bus.names();
    tracing::warn!(%kind, message = delivery.message_id, reason, "off to the dead letters");
    let mut attributes = delivery.message.attributes.clone();
    attributes.entry(attributes::KIND.into()).or_insert_with(|| kind.to_string());
    attributes.entry(attributes::ID.into()).or_insert_with(|| JobId::derived(kind.as_str(), &delivery.message_id).to_string());
    attributes.insert(attributes::DEAD_LETTER_REASON.into(), cut(reason));
    // The letter counts as one more, and what is said of it must be newer than all that was said before.
    let deliveries = Carried::read(&attributes).delivery(delivery.delivery_attempt).saturating_sub(1);
    attributes.insert(attributes::DELIVERIES_DONE.into(), deliveries.to_string());
    attributes.insert(attributes::DEAD_LETTER_TOPIC.into(), names.jobs(kind).id().to_owned());
    make_room(&mut attributes);
    let mut attempt = 0;
    loop {
        let message = Message::new(attributes.clone(), delivery.message.body.clone());
        match core.bus.publish(&names.dead_letter(), message).await {
            Ok(_) => {
                core.metrics.job(kind, JobOutcome::dead_lettered);
                return delivery.ack();
            }
            // Pub/Sub puts it aside by itself when it has been handed back often enough.
            Err(PublishError::Rejected(reason)) => {
                tracing::error!(%kind, message = delivery.message_id, %reason, "Pub/Sub will not take the dead letter");
                return intake::hand_back(station, delivery).await;
            }
            Err(_) => attempt += 1,
        }
        tokio::select! {
            () = sleep(Core::INSIST.pause(attempt)) => {}
            () = core.time_is_up() => return intake::hand_back(station, delivery).await,
        }
    }
}

/// Pub/Sub takes 100 attributes, of which publishing adds two for the trace.
const MOST_ATTRIBUTES: usize = 98;
/// Pub/Sub takes values of this many bytes.
const MOST_VALUE_BYTES: usize = 1024;

fn cut(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(MOST_VALUE_BYTES));
    reason
}

/// Leaves out what means nothing to Mayfly, where a publisher used up all the attributes there may be.
fn make_room(attributes: &mut Attributes) {
    use attributes::{
        AUDIENCE, CONTENT_TYPE, DEAD_LETTER_REASON, DEAD_LETTER_TOPIC, DELIVERIES_DONE, ID, KIND, MAX_ATTEMPTS, SCHEMA, SUBMITTED_AT,
        TIMEOUT_MS,
    };
    const OURS: [&str; 11] = [
        ID,
        KIND,
        AUDIENCE,
        SUBMITTED_AT,
        MAX_ATTEMPTS,
        TIMEOUT_MS,
        SCHEMA,
        CONTENT_TYPE,
        DELIVERIES_DONE,
        DEAD_LETTER_REASON,
        DEAD_LETTER_TOPIC,
    ];
    let mut foreign: Vec<String> = attributes.keys().filter(|name| !OURS.contains(&name.as_str())).cloned().collect();
    foreign.sort();
    while attributes.len() > MOST_ATTRIBUTES {
        let Some(name) = foreign.pop() else { return };
        attributes.remove(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_room_for_the_reason() {
        let mut attributes: Attributes = (0..100).map(|n| (format!("x-{n}"), String::new())).collect();
        attributes.insert(attributes::AUDIENCE.into(), "all".into());
        attributes.insert(attributes::DEAD_LETTER_REASON.into(), cut("é".repeat(1000)));
        make_room(&mut attributes);
        assert_eq!(attributes.len(), MOST_ATTRIBUTES);
        assert_eq!(attributes[attributes::DEAD_LETTER_REASON].len(), MOST_VALUE_BYTES);
        assert!(attributes.contains_key(attributes::AUDIENCE));
    }
}
