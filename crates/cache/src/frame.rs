//! A message as one string of bytes: its Pub/Sub attributes and body, so that there is one wire format and one parser.

use std::collections::BTreeMap;

use bytes::Bytes;
use shared::{Attributes, EventMessage, Timestamp};

/// The same message always gives the same bytes: a history knows by them what it has already.
pub(crate) fn encode((attributes, body): (Attributes, Bytes)) -> Vec<u8> {
    rmp_serde::to_vec(&(BTreeMap::from_iter(attributes), body)).expect("strings and bytes always have a MessagePack form")
}

/// Nothing if the bytes are no message: another version of Mayfly may have written them.
pub(crate) fn decode(frame: &[u8]) -> Option<EventMessage> {
    event(message(frame)?)
}

/// Likewise, whatever the message is.
pub(crate) fn message(frame: &[u8]) -> Option<(Attributes, Bytes)> {
    rmp_serde::from_slice(frame).ok()
}

/// Nothing if the message is no event.
pub(crate) fn event((attributes, body): (Attributes, Bytes)) -> Option<EventMessage> {
    EventMessage::parse(&attributes, body, "", Timestamp::UNIX_EPOCH).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use shared::{Audience, EventType, JobEvent, JobId, Notification, Payload};

    use super::*;

    pub(crate) fn event(seq: u64, event_type: EventType) -> JobEvent {
        JobEvent {
            job_id: JobId::new(),
            kind: "echo".parse().unwrap(),
            audience: Audience::All,
            seq,
            attempt: 1,
            event_type,
            at: "2026-01-02T03:04:05Z".parse().unwrap(),
            data: Some(Payload::Raw { content_type: "image/png".into(), bytes: Bytes::from_static(&[0, 255]) }),
            error: None,
        }
    }

    #[test]
    fn a_message_comes_back_from_its_frame() {
        let event = event(7, EventType::Succeeded);
        assert_eq!(encode(event.to_message()), encode(event.to_message()));
        assert_eq!(decode(&encode(event.to_message())), Some(EventMessage::Job(event)));
        let chat = Notification { id: "1".into(), audience: Audience::Channel("news".into()), event: "said".into(), data: None };
        assert_eq!(decode(&encode(chat.to_message())), Some(EventMessage::Notification(chat)));
        assert_eq!(decode(b"garbage"), None);
    }
}
