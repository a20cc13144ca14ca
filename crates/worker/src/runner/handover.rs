use std::str::FromStr;

use bus::{Delivery, Message, PublishError};
use shared::{
    Attributes, JobMessage, Timestamp,
    attributes::{ATTEMPTS_DONE, DELIVERIES_DONE, NOT_BEFORE},
    limits::MAX_RETRY_AFTER,
};

use super::core::Core;

/// What one worker has done for a job and the next must know.
///
/// Pub/Sub counts deliveries, but cannot tell an attempt from a hand-back, and a nack carries nothing. So a job with
/// something to carry is handed back as a new message, and the old one acknowledged once that is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Carried {
    /// Attempts done.
    pub(crate) attempts: u32,
    /// Deliveries under earlier messages, so that the job's events go on counting upwards.
    pub(crate) deliveries: u32,
    /// When the next attempt may begin.
    pub(crate) not_before: Option<Timestamp>,
}

impl Carried {
    /// What a message carries. Workers write these attributes for each other; nonsense in them is as good as nothing.
    pub(crate) fn read(attributes: &Attributes) -> Self {
        fn get<T: FromStr>(attributes: &Attributes, name: &str) -> Option<T> {
            attributes.get(name).and_then(|value| value.parse().ok())
        }
        let latest = Timestamp::now() + MAX_RETRY_AFTER;
        Self {
            attempts: get(attributes, ATTEMPTS_DONE).unwrap_or_default(),
            deliveries: get(attributes, DELIVERIES_DONE).unwrap_or_default(),
            not_before: get(attributes, NOT_BEFORE).map(|at: Timestamp| at.min(latest)),
        }
    }

    /// The number of this delivery among all of the job's.
    pub(crate) fn delivery(&self, delivery_attempt: u32) -> u32 {
        self.deliveries.saturating_add(delivery_attempt)
    }

    fn is_nothing(&self) -> bool {
        self.attempts == 0 && self.not_before.is_none()
    }

    fn write(&self, attributes: &mut Attributes) {
        attributes.insert(ATTEMPTS_DONE.into(), self.attempts.to_string());
        attributes.insert(DELIVERIES_DONE.into(), self.deliveries.to_string());
        match self.not_before {
            Some(at) => attributes.insert(NOT_BEFORE.into(), at.to_string()),
            None => attributes.remove(NOT_BEFORE),
        };
    }
}

/// Publishes a message that carries the job on, if there is anything to carry, or if the job was `tried`: a new message is under no
/// suspicion. `Ok(false)` leaves it to a nack.
///
/// # Errors
/// When the message was not confirmed; then a nack must do, at the price of what would have been carried.
pub(crate) async fn carry_on(
    core: &Core,
    job: &JobMessage,
    delivery: &Delivery,
    mut carried: Carried,
    tried: bool,
) -> Result<bool, PublishError> {
    if carried.is_nothing() && !tried {
        return Ok(false);
    }
    carried.deliveries = carried.delivery(delivery.delivery_attempt);
    let mut attributes = delivery.message.attributes.clone();
    // With all that the old message left to defaults: the new one has another id and date.
    attributes.extend(job.to_message().0);
    carried.write(&mut attributes);
    let message = Message::new(attributes, delivery.message.body.clone());
    core.bus.publish(&core.bus.names().jobs(&job.kind), message).await.map(|_| true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_carried_reads_back_as_written() {
        let carried = Carried { attempts: 2, deliveries: 7, not_before: Some("2026-01-02T03:04:05Z".parse().unwrap()) };
        let mut attributes = Attributes::new();
        carried.write(&mut attributes);
        assert_eq!(Carried::read(&attributes), carried);
        let rested = Carried { not_before: None, ..carried };
        rested.write(&mut attributes);
        assert_eq!(Carried::read(&attributes), rested);
    }

    #[test]
    fn nobody_is_put_off_for_ever() {
        let attributes = Attributes::from([(NOT_BEFORE.into(), "2999-01-01T00:00:00Z".into()), (ATTEMPTS_DONE.into(), "many".into())]);
        let carried = Carried::read(&attributes);
        assert!(carried.not_before.unwrap() <= Timestamp::now() + MAX_RETRY_AFTER);
        assert_eq!((carried.attempts, carried.deliveries), (0, 0));
    }
}
