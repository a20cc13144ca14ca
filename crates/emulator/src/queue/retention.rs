//! Going back in time, and forgetting.

use super::{
    Queue,
    entry::{Entry, State},
};
use crate::{
    clock::Time,
    message::{Message, MessageId},
};
use std::sync::Arc;

impl Queue {
    /// Drops what is older than the retention allows.
    pub(crate) fn prune(&mut self, now: Time) {
        let horizon = now - self.policy.retention;
        while let Some((&id, entry)) = self.entries.first_key_value()
            && entry.message.published < horizon
        {
            self.remove(id);
        }
        // Without a consumer nobody else would skip what these lists no longer need to name.
        while self.ready.front().is_some_and(|id| !self.entries.contains_key(id)) {
            self.ready.pop_front();
        }
        while self.handed_back.front().is_some_and(|(id, _)| !self.entries.contains_key(id)) {
            self.handed_back.pop_front();
        }
    }

    /// Acknowledges everything published before `moment`, and brings back what was published since, as far as the queue
    /// or the topic's `log` still has it. Leases on messages since `moment` go on.
    pub(crate) fn seek(&mut self, moment: Time, log: impl IntoIterator<Item = Arc<Message>>, now: Time) {
        let ids: Vec<MessageId> = self.entries.keys().copied().collect();
        for id in ids {
            match self.entries.get_mut(&id) {
                Some(entry) if entry.message.published < moment => self.finish(id),
                Some(entry) if entry.state == State::Acked => {
                    entry.attempts = 0;
                    self.enter(id, State::Ready);
                }
                _ => {}
            }
        }
        for message in log {
            if message.published >= moment {
                self.entries.entry(message.id).or_insert_with(|| Entry::new(message));
            }
        }
        let ready = |(id, entry): (&MessageId, &Entry)| (entry.state == State::Ready).then_some(*id);
        self.ready = self.entries.iter().filter_map(ready).collect();
        self.prune(now);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        let ids: Vec<MessageId> = self.entries.keys().copied().collect();
        for id in ids {
            self.remove(id);
        }
        self.ready.clear();
        self.handed_back.clear();
    }
}
