//! Responses that carry messages already encoded.
//!
//! On the wire an embedded message and a byte string are the same thing, so these types are interchangeable with the
//! protocol's own. A message is encoded once, when it is published, and every delivery of it only copies bytes.

use crate::proto::streaming_pull_response::SubscriptionProperties;
use bytes::Bytes;

/// `google.pubsub.v1.ReceivedMessage`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ReceivedMessage {
    #[prost(string, tag = "1")]
    pub(crate) ack_id: String,
    /// An encoded `PubsubMessage`.
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) message: Bytes,
    #[prost(int32, tag = "3")]
    pub(crate) delivery_attempt: i32,
}

/// `google.pubsub.v1.PullResponse`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PullResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) received_messages: Vec<ReceivedMessage>,
}

/// `google.pubsub.v1.StreamingPullResponse`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct StreamingPullResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) received_messages: Vec<ReceivedMessage>,
    #[prost(message, optional, tag = "4")]
    pub(crate) subscription_properties: Option<SubscriptionProperties>,
}
