//! Nacks, backoff and dead letters.

use super::*;

const BACKOFF: Backoff = Backoff { minimum: Duration::from_secs(10), maximum: Duration::from_secs(30) };

fn with_dead_letters() -> Bench {
    Bench::with(Policy { max_delivery_attempts: Some(5), ..policy() })
}

/// Delivers and nacks until the queue gives up.
fn exhaust(bench: &mut Bench, consumer: ConsumerId) -> DeadLetter {
    loop {
        let delivery = bench.lease_one(consumer);
        if let Some(letter) = bench.nack(&delivery) {
            return letter;
        }
        bench.wait(NACK_PAUSE);
    }
}

#[test]
fn a_nacked_message_goes_to_another_consumer_at_once() {
    let mut bench = Bench::new();
    let (one, other) = (bench.join(), bench.join());
    bench.publish(1);
    let delivery = bench.lease_one(one);
    assert!(bench.nack(&delivery).is_none());
    assert!(bench.queue.has_ready());
    assert!(bench.lease(one).is_empty());
    assert_eq!(bench.leased_ids(other), [1]);
}

#[test]
fn a_nacked_message_returns_to_its_consumer_after_a_pause() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    bench.publish(1);
    let delivery = bench.lease_one(consumer);
    assert!(bench.nack(&delivery).is_none());
    assert!(bench.lease(consumer).is_empty());
    assert_eq!(bench.queue.next_timer(), Some(bench.now + NACK_PAUSE));
    bench.wait(NACK_PAUSE);
    assert_eq!(bench.leased_ids(consumer), [1]);
}

#[test]
fn a_consumer_that_has_left_causes_no_pause() {
    let mut bench = Bench::new();
    let (leaving, staying) = (bench.join(), bench.join());
    bench.publish(1);
    let delivery = bench.lease_one(leaving);
    bench.queue.leave(leaving);
    assert!(bench.nack(&delivery).is_none());
    assert_eq!(bench.queue.next_timer(), None);
    assert_eq!(bench.leased_ids(staying), [1]);
}

#[test]
fn a_nacked_message_can_still_be_acknowledged() {
    let mut bench = Bench::new();
    let (one, other) = (bench.join(), bench.join());
    bench.publish(1);
    let delivery = bench.lease_one(one);
    assert!(bench.nack(&delivery).is_none());
    bench.queue.ack(delivery.ack_id);
    assert!(bench.lease(other).is_empty());
    assert!(bench.wait(NACK_PAUSE).is_empty());
    assert!(bench.lease(one).is_empty());
}

#[test]
fn backoff_delays_nacks_and_expiries_alike() {
    let mut bench = Bench::with(Policy { retry: Some(BACKOFF), ..policy() });
    let consumer = bench.join();
    bench.publish(1);
    let delivery = bench.lease_one(consumer);
    assert!(bench.nack(&delivery).is_none());
    assert_eq!(bench.queue.next_timer(), Some(bench.now + Duration::from_secs(10)));
    bench.wait(Duration::from_secs(10));
    assert_eq!(bench.lease(consumer).len(), 1);
    bench.wait(DEADLINE);
    assert!(bench.lease(consumer).is_empty());
    assert_eq!(bench.queue.next_timer(), Some(bench.now + Duration::from_secs(20)));
    bench.wait(Duration::from_secs(20));
    assert_eq!(bench.lease(consumer).len(), 1);
}

#[test]
fn attempts_are_counted_only_with_a_dead_letter_policy() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    bench.publish(1);
    assert_eq!(bench.lease_one(consumer).attempt, None);

    let mut bench = with_dead_letters();
    let consumer = bench.join();
    bench.publish(1);
    let first = bench.lease_one(consumer);
    assert_eq!(first.attempt, Some(1));
    assert!(bench.nack(&first).is_none());
    bench.wait(NACK_PAUSE);
    assert_eq!(bench.lease_one(consumer).attempt, Some(2));
    bench.wait(DEADLINE);
    assert_eq!(bench.lease_one(consumer).attempt, Some(3));
}

#[test]
fn the_last_nack_makes_a_dead_letter() {
    let mut bench = with_dead_letters();
    let consumer = bench.join();
    bench.publish(1);
    let letter = exhaust(&mut bench, consumer);
    assert_eq!((letter.message.id.0, letter.attempts), (1, 5));
    bench.wait(DEADLINE * 10);
    assert!(bench.lease(consumer).is_empty());
    bench.queue.forwarded(letter.message.id, true, bench.now);
    assert!(bench.lease(consumer).is_empty());
}

#[test]
fn the_last_lease_that_runs_out_makes_a_dead_letter() {
    let mut bench = with_dead_letters();
    let consumer = bench.join();
    bench.publish(1);
    for _ in 0..4 {
        assert_eq!(bench.lease(consumer).len(), 1);
        assert!(bench.wait(DEADLINE).is_empty());
    }
    assert_eq!(bench.lease(consumer).len(), 1);
    let dead = bench.wait(DEADLINE);
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].attempts, 5);
}

#[test]
fn a_dead_letter_that_nobody_takes_is_delivered_again() {
    let mut bench = with_dead_letters();
    let consumer = bench.join();
    bench.publish(1);
    let letter = exhaust(&mut bench, consumer);
    bench.queue.forwarded(letter.message.id, false, bench.now);
    let delivery = bench.lease_one(consumer);
    assert_eq!(delivery.attempt, Some(6));
    assert!(bench.nack(&delivery).is_some());
}

#[test]
fn an_acknowledgement_does_not_take_a_dead_letter_back() {
    let mut bench = with_dead_letters();
    let consumer = bench.join();
    bench.publish(1);
    let mut last = bench.lease_one(consumer);
    while bench.nack(&last).is_none() {
        bench.wait(NACK_PAUSE);
        last = bench.lease_one(consumer);
    }
    bench.queue.ack(last.ack_id);
    bench.queue.forwarded(last.message.id, false, bench.now);
    assert_eq!(bench.lease(consumer).len(), 1);
    // An answer that comes twice finds nothing to do.
    bench.queue.forwarded(last.message.id, true, bench.now);
    bench.wait(DEADLINE);
    assert!(bench.queue.has_ready() || bench.queue.next_timer().is_none());
}
