use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes wait for a client, roughly: those that were queued for it, less those that have left this process.
#[derive(Debug, Default)]
pub(crate) struct Outbound(AtomicUsize);

impl Outbound {
    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// So many bytes were queued; framing is not counted.
    pub(crate) fn queued(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many bytes have left, framing included; the count stops at nothing, so that errors do not add up.
    pub(super) fn left(&self, bytes: usize) {
        let less = |queued: usize| Some(queued.saturating_sub(bytes));
        // The closure always says Some, so the update cannot fail.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}
