//! Whatever happens in whatever order: nothing is lost, and nothing is under two leases at a time.

use super::*;
use proptest::{collection::vec, prelude::*};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Step {
    Publish,
    Join,
    Leave(usize),
    Lease(usize),
    Ack(usize),
    Nack(usize),
    Extend(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let any = 0..64_usize;
    prop_oneof![
        3 => Just(Step::Publish),
        1 => Just(Step::Join),
        1 => any.clone().prop_map(Step::Leave),
        4 => any.clone().prop_map(Step::Lease),
        2 => any.clone().prop_map(Step::Ack),
        2 => any.clone().prop_map(Step::Nack),
        1 => any.prop_map(Step::Extend),
        2 => (1..8000_u64).prop_map(Step::Wait),
    ]
}

/// What a client knows: its deliveries, and until when each is its own.
#[derive(Default)]
struct Clients {
    present: Vec<ConsumerId>,
    deliveries: Vec<Delivery>,
    leases: BTreeMap<MessageId, (AckId, Time)>,
    acknowledged: BTreeSet<u64>,
}

impl Clients {
    fn receive(&mut self, bench: &mut Bench, consumer: ConsumerId) {
        let now = bench.now;
        for delivery in bench.lease(consumer) {
            let id = delivery.message.id;
            let other = self.leases.insert(id, (delivery.ack_id, now + DEADLINE));
            assert!(other.is_none_or(|(_, until)| until <= now), "{id:?} is under two leases");
            assert!(!self.acknowledged.contains(&id.0), "{id:?} was acknowledged");
            self.deliveries.push(delivery);
        }
    }

    fn holds(&self, delivery: &Delivery, now: Time) -> bool {
        let lease = self.leases.get(&delivery.message.id);
        lease.is_some_and(|(ack_id, until)| *ack_id == delivery.ack_id && *until > now)
    }

    fn nack(&mut self, bench: &mut Bench, delivery: &Delivery) {
        assert!(bench.nack(delivery).is_none());
        if self.holds(delivery, bench.now) {
            self.leases.remove(&delivery.message.id);
        }
    }

    fn extend(&mut self, bench: &mut Bench, delivery: &Delivery) {
        bench.queue.extend(delivery.ack_id, DEADLINE * 2, bench.now);
        if self.holds(delivery, bench.now) {
            self.leases.insert(delivery.message.id, (delivery.ack_id, bench.now + DEADLINE * 2));
        }
    }
}

/// The element that a random number means.
fn pick<T: Clone>(all: &[T], at: usize) -> Option<T> {
    all.get(at.checked_rem(all.len())?).cloned()
}

proptest! {
    #[test]
    fn nothing_is_lost_or_leased_twice(steps in vec(step(), 1..200), backoff in any::<bool>()) {
        let retry = backoff.then_some(Backoff { minimum: Duration::from_secs(1), maximum: Duration::from_secs(4) });
        let mut bench = Bench::with(Policy { retry, retention: Duration::MAX, ..policy() });
        let mut clients = Clients::default();
        for step in steps {
            match step {
                Step::Publish => bench.publish(1),
                Step::Join => clients.present.push(bench.queue.join(Limits::from_wire(3, 0))),
                Step::Leave(at) => if let Some(consumer) = pick(&clients.present, at) {
                    bench.queue.leave(consumer);
                    clients.present.retain(|present| *present != consumer);
                },
                Step::Lease(at) => if let Some(consumer) = pick(&clients.present, at) {
                    clients.receive(&mut bench, consumer);
                },
                Step::Ack(at) => if let Some(delivery) = pick(&clients.deliveries, at) {
                    bench.queue.ack(delivery.ack_id);
                    clients.acknowledged.insert(delivery.message.id.0);
                },
                Step::Nack(at) => if let Some(delivery) = pick(&clients.deliveries, at) {
                    clients.nack(&mut bench, &delivery);
                },
                Step::Extend(at) => if let Some(delivery) = pick(&clients.deliveries, at) {
                    clients.extend(&mut bench, &delivery);
                },
                Step::Wait(millis) => prop_assert!(bench.wait(Duration::from_millis(millis)).is_empty()),
            }
        }
        // All leases run out, all waits end, and a newcomer gets everything that is left.
        for consumer in clients.present.drain(..) {
            bench.queue.leave(consumer);
        }
        bench.wait(DEADLINE * 2);
        bench.wait(DEADLINE * 2);
        let newcomer = bench.join();
        let left: BTreeSet<u64> = bench.leased_ids(newcomer).into_iter().collect();
        let expected: BTreeSet<u64> = (1..=bench.published).filter(|id| !clients.acknowledged.contains(id)).collect();
        prop_assert_eq!(left, expected);
    }
}
