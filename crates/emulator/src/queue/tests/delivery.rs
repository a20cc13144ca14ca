//! Leases: taken, extended, acknowledged, run out.

use super::*;

#[test]
fn messages_come_in_the_order_of_their_publication() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    bench.publish(5);
    assert_eq!(bench.leased_ids(consumer), [1, 2, 3, 4, 5]);
}

#[test]
fn a_leased_message_is_nobody_elses() {
    let mut bench = Bench::new();
    let (one, other) = (bench.join(), bench.join());
    bench.publish(1);
    assert_eq!(bench.leased_ids(one), [1]);
    assert!(bench.lease(one).is_empty());
    assert!(bench.lease(other).is_empty());
    assert!(!bench.queue.has_ready());
}

#[test]
fn hungry_consumers_share() {
    let mut bench = Bench::new();
    let (one, other) = (bench.join(), bench.join());
    bench.publish(10);
    assert_eq!(bench.lease(one).len(), 5);
    assert!(bench.queue.has_ready());
    assert!(!bench.lease(other).is_empty());
}

#[test]
fn a_batch_has_an_end() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    bench.publish(BATCH_MESSAGES as u64 + 1);
    assert_eq!(bench.lease(consumer).len(), BATCH_MESSAGES);
    assert_eq!(bench.lease(consumer).len(), 1);
}

#[test]
fn an_acknowledged_message_is_gone() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    bench.publish(1);
    let delivery = bench.lease_one(consumer);
    bench.queue.ack(delivery.ack_id);
    assert_eq!(bench.queue.next_timer(), None);
    assert!(bench.wait(DEADLINE * 2).is_empty());
    assert!(bench.lease(consumer).is_empty());
    // Once more does not hurt.
    bench.queue.ack(delivery.ack_id);
}

#[test]
fn a_lease_that_runs_out_makes_the_message_ready_again() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    bench.publish(1);
    let first = bench.lease_one(consumer);
    assert_eq!(bench.queue.next_timer(), Some(bench.now + DEADLINE));
    assert!(bench.wait(DEADLINE - Duration::from_nanos(1)).is_empty());
    assert!(bench.lease(consumer).is_empty());
    assert!(bench.wait(Duration::from_nanos(1)).is_empty());
    let second = bench.lease_one(consumer);
    assert_eq!(second.message.id, first.message.id);
    assert_ne!(second.ack_id, first.ack_id);
}

#[test]
fn an_extended_lease_runs_from_the_extension() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    bench.publish(1);
    let delivery = bench.lease_one(consumer);
    bench.wait(DEADLINE / 2);
    bench.queue.extend(delivery.ack_id, DEADLINE, bench.now);
    bench.wait(DEADLINE / 2);
    assert!(bench.lease(consumer).is_empty());
    bench.wait(DEADLINE / 2);
    assert_eq!(bench.lease(consumer).len(), 1);
}

#[test]
fn a_late_acknowledgement_counts_even_when_somebody_else_has_the_message() {
    let mut bench = Bench::new();
    let (slow, other) = (bench.join(), bench.join());
    bench.publish(1);
    let late = bench.lease_one(slow);
    bench.wait(DEADLINE);
    let current = bench.lease_one(other);
    bench.queue.ack(late.ack_id);
    assert_eq!(bench.nack(&current).map(|_| ()), None);
    bench.wait(DEADLINE * 2);
    assert!(bench.lease(slow).is_empty());
}

#[test]
fn a_late_nack_or_extension_does_not_touch_the_new_lease() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    bench.publish(1);
    let late = bench.lease_one(consumer);
    bench.wait(DEADLINE);
    let current = bench.lease_one(consumer);
    assert!(bench.nack(&late).is_none());
    bench.queue.extend(late.ack_id, DEADLINE * 10, bench.now);
    assert!(bench.lease(consumer).is_empty());
    assert_eq!(bench.queue.next_timer(), Some(bench.now + DEADLINE));
    bench.queue.ack(current.ack_id);
    assert_eq!(bench.queue.next_timer(), None);
}

#[test]
fn leases_outlive_the_consumer() {
    let mut bench = Bench::new();
    let (leaving, staying) = (bench.join(), bench.join());
    bench.publish(2);
    let (first, second) = (bench.lease_one(leaving), bench.lease_one(leaving));
    bench.queue.leave(leaving);
    assert!(bench.lease(staying).is_empty());
    bench.queue.ack(first.ack_id);
    bench.wait(DEADLINE);
    assert_eq!(bench.leased_ids(staying), [second.message.id.0]);
}

#[test]
fn who_has_left_gets_nothing() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    assert!(bench.queue.has_consumers());
    bench.queue.leave(consumer);
    assert!(!bench.queue.has_consumers());
    bench.publish(1);
    assert!(bench.lease(consumer).is_empty());
}
