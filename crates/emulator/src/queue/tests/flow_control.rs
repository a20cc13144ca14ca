//! What a consumer may hold.

use super::*;

#[test]
fn a_consumer_gets_no_more_messages_than_it_wants() {
    let mut bench = Bench::new();
    let consumer = bench.queue.join(Limits::from_wire(2, 0));
    bench.publish(5);
    let held = bench.lease(consumer);
    assert_eq!(ids(&held), [1, 2]);
    assert!(bench.lease(consumer).is_empty());
    bench.queue.ack(held[0].ack_id);
    assert_eq!(bench.leased_ids(consumer), [3]);
}

#[test]
fn bytes_close_the_tap_once_they_are_reached() {
    let mut bench = Bench::new();
    let consumer = bench.queue.join(Limits::from_wire(0, 1));
    bench.publish(2);
    let held = bench.lease_one(consumer);
    assert!(bench.lease(consumer).is_empty());
    bench.queue.ack(held.ack_id);
    assert_eq!(bench.leased_ids(consumer), [2]);
}

#[test]
fn nacks_expiries_and_late_acknowledgements_free_their_place() {
    let mut bench = Bench::new();
    let consumer = bench.queue.join(Limits::from_wire(1, 0));
    bench.publish(3);
    let nacked = bench.lease_one(consumer);
    assert!(bench.nack(&nacked).is_none());
    let expired = bench.lease_one(consumer);
    assert_eq!(expired.message.id.0, 2);
    bench.wait(DEADLINE);
    let third = bench.lease_one(consumer);
    assert_eq!(third.message.id.0, 3);
    bench.queue.ack(expired.ack_id);
    assert!(bench.lease(consumer).is_empty());
}

#[test]
fn a_full_consumer_has_no_share() {
    let mut bench = Bench::new();
    let full = bench.queue.join(Limits::from_wire(1, 0));
    let hungry = bench.join();
    bench.publish(1);
    assert_eq!(bench.lease(full).len(), 1);
    bench.publish(4);
    assert_eq!(bench.lease(hungry).len(), 4);
}

#[test]
fn zero_and_less_mean_no_limit() {
    let none = Limits { messages: usize::MAX, bytes: usize::MAX };
    assert_eq!(Limits::from_wire(0, 0), none);
    assert_eq!(Limits::from_wire(-1, i64::MIN), none);
    assert_eq!(Limits::from_wire(7, 8), Limits { messages: 7, bytes: 8 });
}
