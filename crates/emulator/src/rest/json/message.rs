//! `google.pubsub.v1.PubsubMessage` and `ReceivedMessage`.

use super::{
    is_default,
    scalar::{Bytes, Timestamp},
};
use crate::{proto, wire};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Message {
    #[serde(skip_serializing_if = "is_default")]
    data: Bytes,
    #[serde(skip_serializing_if = "is_default")]
    attributes: HashMap<String, String>,
    message_id: String,
    publish_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "is_default")]
    ordering_key: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReceivedMessage {
    ack_id: String,
    message: Message,
    #[serde(skip_serializing_if = "is_default")]
    delivery_attempt: i32,
}

impl From<Message> for proto::PubsubMessage {
    fn from(message: Message) -> Self {
        Self {
            data: message.data.0,
            attributes: message.attributes,
            ordering_key: message.ordering_key,
            // Both are the server's to give.
            message_id: String::new(),
            publish_time: None,
        }
    }
}

impl From<proto::PubsubMessage> for Message {
    fn from(message: proto::PubsubMessage) -> Self {
        Self {
            data: Bytes(message.data),
            attributes: message.attributes,
            message_id: message.message_id,
            publish_time: message.publish_time.map(Timestamp),
            ordering_key: message.ordering_key,
        }
    }
}

impl From<wire::ReceivedMessage> for ReceivedMessage {
    fn from(received: wire::ReceivedMessage) -> Self {
        let message = proto::PubsubMessage::decode(received.message).expect("the emulator has encoded it");
        Self { ack_id: received.ack_id, message: message.into(), delivery_attempt: received.delivery_attempt }
    }
}
