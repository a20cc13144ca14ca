//! What a subscription's settings mean for its queue.

use std::time::Duration;

/// The settings of a subscription that its queue follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Messages older than this are dropped, acknowledged or not.
    pub(crate) retention: Duration,
    /// Keep acknowledged messages, so that a seek can bring them back.
    pub(crate) retain_acked: bool,
    /// Without it, redelivery is immediate.
    pub(crate) retry: Option<Backoff>,
    /// After so many deliveries a message goes to the dead letter topic.
    pub(crate) max_delivery_attempts: Option<u32>,
}

/// Exponential: the lower bound doubles with every attempt up to the upper one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    pub(crate) minimum: Duration,
    pub(crate) maximum: Duration,
}

impl Backoff {
    /// How long a message waits after its nth delivery, counted from one, has failed.
    pub(crate) fn after(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(31);
        self.minimum.saturating_mul(1 << doublings).min(self.maximum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_maximum() {
        let backoff = Backoff { minimum: Duration::from_secs(10), maximum: Duration::from_secs(60) };
        let waits: Vec<_> = (1..=5).map(|attempt| backoff.after(attempt).as_secs()).collect();
        assert_eq!(waits, [10, 20, 40, 60, 60]);
        assert_eq!(backoff.after(u32::MAX), backoff.maximum);
    }
}
