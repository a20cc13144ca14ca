use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Room for so many messages is kept when none waits.
const KEPT: usize = 16;

/// What waits for a client, message by message. Their sizes are estimates, but each takes away what it brought:
/// errors do not add up, whatever else its connection carries.
#[derive(Debug, Default)]
pub(crate) struct Outbound(Mutex<Waiting>);

/// No more than engine.io's queue holds and what is being written.
#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<usize>,
    bytes: usize,
}

impl Outbound {
    /// How many bytes wait, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Does `send`, which queues a message of about so many bytes. It counts from before that, since it may leave at once.
    pub(crate) fn queue<E>(&self, bytes: usize, send: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        self.lock().push(bytes);
        send().inspect_err(|_| self.lock().take_back())
    }

    /// So many messages have left this process.
    pub(super) fn left(&self, messages: usize) {
        self.lock().pop(messages);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, bytes: usize) {
        self.messages.push_back(bytes);
        self.bytes += bytes;
    }

    /// If others came in between it is not this very message that goes; in the end all the same have gone.
    fn take_back(&mut self) {
        self.bytes -= self.messages.pop_back().unwrap_or_default();
    }

    fn pop(&mut self, messages: usize) {
        let gone = self.messages.len().min(messages);
        self.bytes -= self.messages.drain(..gone).sum::<usize>();
        if self.messages.is_empty() {
            self.messages.shrink_to(KEPT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(outbound: &Outbound, bytes: usize) {
        assert_eq!(outbound.queue(bytes, || Ok::<(), ()>(())), Ok(()));
    }

    #[test]
    fn each_message_takes_away_what_it_brought_and_nothing_waits_when_all_have_left() {
        let outbound = Outbound::default();
        for bytes in [250, 7, 1_000_000] {
            queue(&outbound, bytes);
        }
        assert_eq!(outbound.bytes(), 1_000_257);
        outbound.left(2);
        assert_eq!(outbound.bytes(), 1_000_000);
        outbound.left(1);
        assert_eq!(outbound.bytes(), 0);
        // What nobody counted is no debt.
        outbound.left(5);
        queue(&outbound, 3);
        assert_eq!(outbound.bytes(), 3);
    }

    #[test]
    fn a_message_that_leaves_while_it_is_sent_is_gone_and_one_that_cannot_be_sent_never_waits() {
        let outbound = Outbound::default();
        let leaves_at_once = || {
            outbound.left(1);
            Ok::<(), ()>(())
        };
        assert_eq!(outbound.queue(100, leaves_at_once), Ok(()));
        assert_eq!(outbound.bytes(), 0);
        assert_eq!(outbound.queue(100, || Err("full")), Err("full"));
        assert_eq!(outbound.bytes(), 0);
    }
}
