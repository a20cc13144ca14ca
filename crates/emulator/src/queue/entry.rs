//! A message in one subscription.

use super::{ack_id::AckId, consumers::ConsumerId};
use crate::{clock::Time, message::Message};
use std::sync::Arc;

/// A message and how far its delivery has come.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) message: Arc<Message>,
    /// Deliveries so far.
    pub(super) attempts: u32,
    pub(super) state: State,
}

impl Entry {
    pub(super) fn new(message: Arc<Message>) -> Self {
        Self { message, attempts: 0, state: State::Ready }
    }

    /// The lease that `ack_id` names, if it still runs.
    pub(super) fn lease(&self, ack_id: AckId) -> Option<Lease> {
        match self.state {
            State::Leased(lease) if lease.number == ack_id.lease => Some(lease),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Any consumer may take it.
    Ready,
    /// Any consumer may take it but the one that has just given it back; that one from `until` on.
    HandedBack { by: ConsumerId, until: Time },
    /// Backoff: nobody may take it yet.
    Delayed { until: Time },
    /// A consumer has it.
    Leased(Lease),
    /// On its way to the dead letter topic.
    Forwarding,
    /// Done, and kept only for a seek.
    Acked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) number: u64,
    pub(super) consumer: ConsumerId,
    pub(super) expires: Time,
}

impl State {
    /// The moment at which this state ends by itself.
    pub(super) fn timer(&self) -> Option<Time> {
        match self {
            Self::HandedBack { until, .. } | Self::Delayed { until } => Some(*until),
            Self::Leased(lease) => Some(lease.expires),
            Self::Ready | Self::Forwarding | Self::Acked => None,
        }
    }
}
