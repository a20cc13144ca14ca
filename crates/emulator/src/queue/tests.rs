//! The queue, without a clock or a network.

mod delivery;
mod failure;
mod flow_control;
mod promises;
mod retention;

use super::*;
use crate::{memory::Memory, proto::PubsubMessage};

const DEADLINE: Duration = Duration::from_secs(10);

/// A queue with a hand on its clock.
struct Bench {
    queue: Queue,
    now: Time,
    published: u64,
}

impl Bench {
    fn new() -> Self {
        Self::with(policy())
    }

    fn with(policy: Policy) -> Self {
        Self { queue: Queue::new(policy), now: Time::default() + Duration::from_secs(1_000_000), published: 0 }
    }

    fn publish(&mut self, count: u64) {
        for _ in 0..count {
            let message = self.message();
            self.queue.push(message);
        }
    }

    /// A message that the queue does not know yet.
    fn message(&mut self) -> Arc<Message> {
        self.published += 1;
        let content = PubsubMessage { data: b"0123456789".as_slice().into(), ..PubsubMessage::default() };
        let memory = Memory::new(usize::MAX).reserve(0).expect("nothing fits anywhere");
        Arc::new(Message::publish(MessageId(self.published), self.now, content, memory))
    }

    fn join(&mut self) -> ConsumerId {
        self.queue.join(Limits::from_wire(0, 0))
    }

    fn lease(&mut self, consumer: ConsumerId) -> Vec<Delivery> {
        self.queue.lease(consumer, DEADLINE, self.now)
    }

    fn lease_one(&mut self, consumer: ConsumerId) -> Delivery {
        let [only] = <[_; 1]>::try_from(self.lease(consumer)).expect("one message should be ready");
        only
    }

    fn leased_ids(&mut self, consumer: ConsumerId) -> Vec<u64> {
        ids(&self.lease(consumer))
    }

    fn wait(&mut self, by: Duration) -> Vec<DeadLetter> {
        self.now = self.now + by;
        self.queue.tick(self.now)
    }

    fn nack(&mut self, delivery: &Delivery) -> Option<DeadLetter> {
        self.queue.nack(delivery.ack_id, self.now)
    }
}

fn policy() -> Policy {
    Policy { retention: Duration::from_secs(3600), retain_acked: false, retry: None, max_delivery_attempts: None }
}

fn ids(batch: &[Delivery]) -> Vec<u64> {
    batch.iter().map(|delivery| delivery.message.id.0).collect()
}
