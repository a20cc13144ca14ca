//! A published message, as it is kept.

use crate::{clock::Time, memory::Reservation, proto::PubsubMessage};
use bytes::Bytes;
use prost::Message as _;

/// What a message costs beside its bytes: its id and time, its bookkeeping, an entry in a subscription.
const OVERHEAD_BYTES: usize = 256;

/// Grows with every message of the emulator, and is what clients see as `message_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MessageId(pub(crate) u64);

/// A message that subscriptions and the topic's log share. Its memory is given back with the last of them.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) id: MessageId,
    pub(crate) published: Time,
    /// The encoded `PubsubMessage`, ready to be copied into responses.
    pub(crate) encoded: Bytes,
    _memory: Reservation,
}

impl Message {
    /// The memory that a message needs once it is published.
    pub(crate) fn cost(message: &PubsubMessage) -> usize {
        message.encoded_len() + OVERHEAD_BYTES
    }

    /// Stamps a message with its id and time.
    pub(crate) fn publish(id: MessageId, published: Time, message: PubsubMessage, memory: Reservation) -> Self {
        let stamped = PubsubMessage { message_id: id.0.to_string(), publish_time: Some(published.into()), ..message };
        Self { id, published, encoded: stamped.encode_to_vec().into(), _memory: memory }
    }

    /// The message as it was published.
    pub(crate) fn decode(&self) -> PubsubMessage {
        PubsubMessage::decode(self.encoded.clone()).expect("it was encoded by `publish`")
    }

    /// Counts towards a stream's `max_outstanding_bytes`.
    pub(crate) fn size(&self) -> usize {
        self.encoded.len()
    }
}
