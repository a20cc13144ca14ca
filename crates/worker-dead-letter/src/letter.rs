use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use bus::{Delivery, Message, Names};
use bytes::Bytes;
use serde::Serialize;
use shared::{
    Attributes, Audience, EventType, JobEvent, JobId, Kind, Timestamp, WireError,
    attributes::{ATTEMPTS_DONE, AUDIENCE, DEAD_LETTER_REASON, DEAD_LETTER_TOPIC, DELIVERIES_DONE, ID, KIND, NOT_BEFORE},
    seq::seq,
};

/// A message that nobody could process, read as far as it can be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The letter's own id, to be asked for by.
    pub message_id: String,
    /// When it was put aside.
    pub put_aside_at: Timestamp,
    /// Why, for a person.
    pub reason: String,
    /// How often the job was delivered.
    pub deliveries: u32,
    /// The job, unless its publisher left that to Pub/Sub: then it is lost with the first message's id.
    pub job_id: Option<JobId>,
    /// The job's type, unless even that cannot be told.
    pub kind: Option<Kind>,
    /// Who waits for the job.
    pub audience: Option<Audience>,
    /// Everything beside the body, as it came.
    pub attributes: BTreeMap<String, String>,
    /// The whole body.
    #[serde(serialize_with = "readable")]
    pub body: Bytes,
}

/// The code of a job that nobody could process.
const DEAD_LETTERED: &str = "dead_lettered";
/// What Pub/Sub adds to a message that it puts aside.
const FORWARDED: &str = "CloudPubSubDeadLetterSource";
/// How often it had delivered the message.
const DELIVERY_COUNT: &str = "CloudPubSubDeadLetterSourceDeliveryCount";
/// The subscription that it came from, without its path.
const SUBSCRIPTION: &str = "CloudPubSubDeadLetterSourceSubscription";

impl DeadLetter {
    /// Reads whatever can be read; there is nothing that is not a dead letter.
    #[must_use]
    pub fn read(delivery: &Delivery, names: &Names) -> Self {
        Self::of(&delivery.message, &delivery.message_id, delivery.published_at, names)
    }

    fn of(message: &Message, message_id: &str, put_aside_at: Timestamp, names: &Names) -> Self {
        fn get<T: std::str::FromStr>(attributes: &Attributes, name: &str) -> Option<T> {
            attributes.get(name).and_then(|value| value.parse().ok())
        }
        let attributes = &message.attributes;
        let forwarded: Option<u32> = get(attributes, DELIVERY_COUNT);
        let deliveries = get::<u32>(attributes, DELIVERIES_DONE).unwrap_or_default().saturating_add(forwarded.unwrap_or(1));
        let reason = attributes.get(DEAD_LETTER_REASON).cloned();
        Self {
            message_id: message_id.to_owned(),
            put_aside_at,
            reason: reason.unwrap_or_else(|| format!("no worker could process it in {deliveries} deliveries")),
            deliveries,
            job_id: get(attributes, ID),
            kind: source_kind(attributes, names).or_else(|| get(attributes, KIND)),
            audience: get(attributes, AUDIENCE),
            attributes: attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            body: message.body.clone(),
        }
    }

    /// What the job's audience is told, if it can be told who that is and which job it is about.
    #[must_use]
    pub fn event(&self) -> Option<JobEvent> {
        Some(JobEvent {
            job_id: self.job_id?,
            kind: self.kind.clone()?,
            audience: self.audience.clone()?,
            seq: seq(self.next_delivery(), 0),
            attempt: 1,
            event_type: EventType::Failed,
            at: Timestamp::now(),
            data: None,
            error: Some(WireError::new(DEAD_LETTERED, format!("{} (delivered {} times)", self.reason, self.deliveries))),
        })
    }

    /// The message that sends the job again: as it was, with all its attempts before it, and numbers above those so far.
    #[must_use]
    pub fn again(&self) -> Message {
        let ours = [DEAD_LETTER_REASON, DEAD_LETTER_TOPIC, ATTEMPTS_DONE, NOT_BEFORE];
        let kept = |name: &str| !name.starts_with(FORWARDED) && !ours.contains(&name);
        let mut attributes: Attributes =
            self.attributes.iter().filter(|(name, _)| kept(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
        attributes.insert(DELIVERIES_DONE.into(), self.next_delivery().to_string());
        Message::new(attributes, self.body.clone())
    }

    /// The body for a person: as text if it is some, otherwise as base64.
    #[must_use]
    pub fn readable_body(&self) -> String {
        std::str::from_utf8(&self.body).map_or_else(|_| BASE64_STANDARD.encode(&self.body), ToOwned::to_owned)
    }

    /// Above every delivery that a worker had, so that nothing which it said is newer.
    fn next_delivery(&self) -> u32 {
        self.deliveries.saturating_add(1)
    }
}

/// The kind by whose topic it came; more to be trusted than what it says of itself, which may be what is wrong with it.
fn source_kind(attributes: &Attributes, names: &Names) -> Option<Kind> {
    let topics = names.topic("jobs-");
    let by_topic = attributes.get(DEAD_LETTER_TOPIC).and_then(|topic| topic.strip_prefix(topics.id()));
    let by_subscription =
        || attributes.get(SUBSCRIPTION).and_then(|subscription| subscription.strip_prefix(topics.id())?.strip_suffix("-worker"));
    by_topic.or_else(by_subscription)?.parse().ok()
}

fn readable<S: serde::Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(body) {
        Ok(text) => serializer.serialize_str(text),
        Err(_) => serializer.serialize_str(&format!("base64:{}", BASE64_STANDARD.encode(body))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const JOB: &str = "0190a8f0-0000-7000-8000-000000000001";

    fn letter(attributes: &[(&str, &str)], body: &'static [u8]) -> DeadLetter {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        DeadLetter::of(&Message::new(attributes, body), "17", Timestamp::UNIX_EPOCH, &Names::new("shop", "mayfly-"))
    }

    fn forwarded() -> DeadLetter {
        let source = [(DELIVERY_COUNT, "20"), (SUBSCRIPTION, "mayfly-jobs-echo-worker")];
        letter(&[&source[..], &[("id", JOB), ("audience", "user:1"), ("deliveries-done", "3"), ("attempts-done", "2")]].concat(), b"{}")
    }

    #[test]
    fn a_job_that_was_delivered_too_often_fails_at_its_client_above_all_numbers() {
        let event = forwarded().event().unwrap();
        assert_eq!((event.kind.as_str(), event.event_type), ("echo", EventType::Failed));
        assert!(event.seq > seq(23, u32::MAX));
        let error = event.error.unwrap();
        assert_eq!(error.code, "dead_lettered");
        assert!(error.message.contains("23 times"), "{error}");
    }

    #[test]
    fn sent_again_it_is_the_job_that_it_was_and_its_numbers_go_on() {
        let message = forwarded().again();
        let mut names: Vec<_> = message.attributes.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["audience", "deliveries-done", "id"]);
        assert_eq!((message.attributes["deliveries-done"].as_str(), message.body), ("24", Bytes::from_static(b"{}")));
    }

    #[test]
    fn a_letter_of_our_own_says_why() {
        let letter =
            letter(&[("dead-letter-reason", "attribute `audience` is missing"), ("dead-letter-topic", "mayfly-jobs-echo")], b"\xff");
        assert_eq!((letter.reason.as_str(), letter.deliveries), ("attribute `audience` is missing", 1));
        assert_eq!(letter.kind.as_ref().map(Kind::as_str), Some("echo"));
        assert_eq!(letter.event(), None, "there is nobody to tell");
        assert_eq!(serde_json::to_value(&letter).unwrap()["body"], "base64:/w==");
    }

    #[test]
    fn nonsense_is_a_dead_letter_too() {
        let letter = letter(&[("id", "x"), ("kind", "?"), (DELIVERY_COUNT, "many")], b"");
        assert_eq!((letter.job_id, letter.kind, letter.audience, letter.deliveries), (None, None, None, 1));
    }
}
