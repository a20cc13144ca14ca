//! Who takes messages from a queue, and how many each may hold.

use std::collections::HashMap;

/// One `StreamingPull` stream, or one `Pull` call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ConsumerId(u64);

/// What a consumer may hold without having acknowledged it.
///
/// A limit closes the tap when it is reached, so the last message may exceed the byte limit; otherwise a message larger
/// than the limit could never be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

impl Limits {
    /// From the wire, where zero and less mean "no limit".
    pub(crate) fn from_wire(messages: i64, bytes: i64) -> Self {
        let limit = |value: i64| usize::try_from(value).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        Self { messages: limit(messages), bytes: limit(bytes) }
    }
}

#[derive(Debug)]
struct Consumer {
    limits: Limits,
    outstanding_messages: usize,
    outstanding_bytes: usize,
}

impl Consumer {
    fn is_hungry(&self) -> bool {
        self.outstanding_messages < self.limits.messages && self.outstanding_bytes < self.limits.bytes
    }
}

#[derive(Debug, Default)]
pub(super) struct Consumers {
    present: HashMap<ConsumerId, Consumer>,
    joined: u64,
}

impl Consumers {
    pub(super) fn join(&mut self, limits: Limits) -> ConsumerId {
        self.joined += 1;
        let id = ConsumerId(self.joined);
        self.present.insert(id, Consumer { limits, outstanding_messages: 0, outstanding_bytes: 0 });
        id
    }

    pub(super) fn leave(&mut self, id: ConsumerId) {
        self.present.remove(&id);
    }

    pub(super) fn contains(&self, id: ConsumerId) -> bool {
        self.present.contains_key(&id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.present.is_empty()
    }

    pub(super) fn is_hungry(&self, id: ConsumerId) -> bool {
        self.present.get(&id).is_some_and(Consumer::is_hungry)
    }

    /// How many could take a message now.
    pub(super) fn hungry(&self) -> usize {
        self.present.values().filter(|consumer| consumer.is_hungry()).count()
    }

    pub(super) fn take(&mut self, id: ConsumerId, bytes: usize) {
        if let Some(consumer) = self.present.get_mut(&id) {
            consumer.outstanding_messages += 1;
            consumer.outstanding_bytes += bytes;
        }
    }

    /// The end of a lease. Its consumer may be gone: leases outlive their streams.
    pub(super) fn release(&mut self, id: ConsumerId, bytes: usize) {
        if let Some(consumer) = self.present.get_mut(&id) {
            consumer.outstanding_messages -= 1;
            consumer.outstanding_bytes -= bytes;
        }
    }
}
