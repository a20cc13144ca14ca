//! Forgetting, and going back in time.

use super::*;

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

fn retaining() -> Bench {
    Bench::with(Policy { retain_acked: true, ..policy() })
}

fn ack_all(bench: &mut Bench, consumer: ConsumerId) {
    for delivery in bench.lease(consumer) {
        bench.queue.ack(delivery.ack_id);
    }
}

#[test]
fn a_message_older_than_the_retention_is_dropped() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    bench.publish(2);
    let leased = bench.queue.lease(consumer, DEADLINE, bench.now);
    assert!(bench.nack(&leased[1]).is_none());
    bench.wait(MINUTE);
    bench.publish(1);
    bench.wait(HOUR);
    assert_eq!(bench.leased_ids(consumer), [3]);
    bench.wait(HOUR);
    assert!(bench.lease(consumer).is_empty());
    assert_eq!(bench.queue.next_timer(), None);
}

#[test]
fn a_queue_that_nobody_reads_does_not_grow() {
    let mut bench = Bench::new();
    for _ in 0..10 {
        bench.publish(100);
        bench.wait(HOUR * 2);
    }
    bench.queue.prune(bench.now);
    assert!(bench.queue.entries.is_empty());
    assert!(bench.queue.ready.is_empty());
}

#[test]
fn a_shorter_retention_applies_to_what_is_there() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    bench.publish(1);
    bench.wait(MINUTE * 20);
    bench.queue.set_policy(Policy { retention: MINUTE * 10, ..policy() });
    assert!(bench.lease(consumer).is_empty());
}

#[test]
fn seeking_back_revives_what_was_acknowledged_and_retained() {
    let mut bench = retaining();
    let consumer = bench.join();
    bench.publish(1);
    bench.wait(MINUTE);
    let moment = bench.now;
    bench.publish(2);
    ack_all(&mut bench, consumer);
    assert!(!bench.queue.has_ready());
    bench.queue.seek(moment, [], bench.now);
    assert_eq!(bench.leased_ids(consumer), [2, 3]);
}

#[test]
fn without_retention_an_acknowledged_message_is_lost_to_a_seek() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    bench.publish(1);
    ack_all(&mut bench, consumer);
    bench.queue.seek(Time::default(), [], bench.now);
    assert!(bench.lease(consumer).is_empty());
}

#[test]
fn seeking_forward_acknowledges_what_was_published_before() {
    let mut bench = retaining();
    let consumer = bench.join();
    let start = bench.now;
    bench.publish(1);
    let held = bench.lease_one(consumer);
    bench.publish(1);
    bench.wait(MINUTE);
    bench.queue.seek(bench.now, [], bench.now);
    bench.publish(1);
    assert_eq!(bench.leased_ids(consumer), [3]);
    // The lease ended with the seek, so this changes nothing.
    assert!(bench.nack(&held).is_none());
    bench.queue.seek(start, [], bench.now);
    assert_eq!(bench.leased_ids(consumer), [1, 2]);
}

#[test]
fn the_topics_log_brings_back_what_the_queue_never_had() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    let old = bench.message();
    bench.wait(MINUTE);
    let moment = bench.now;
    let log = vec![old, bench.message(), bench.message()];
    bench.publish(1);
    bench.queue.seek(moment, log, bench.now);
    assert_eq!(bench.leased_ids(consumer), [2, 3, 4]);
}

#[test]
fn a_seek_leaves_running_leases_alone() {
    let mut bench = Bench::new();
    let consumer = bench.join();
    bench.publish(2);
    let held = bench.lease(consumer);
    let log: Vec<_> = held.iter().map(|delivery| Arc::clone(&delivery.message)).collect();
    bench.queue.seek(Time::default(), log, bench.now);
    assert!(bench.lease(consumer).is_empty());
    bench.queue.ack(held[0].ack_id);
    bench.wait(DEADLINE);
    assert_eq!(bench.leased_ids(consumer), [2]);
}

#[test]
fn a_revived_message_starts_counting_anew() {
    let mut bench = Bench::with(Policy { retain_acked: true, max_delivery_attempts: Some(5), ..policy() });
    let consumer = bench.join();
    bench.publish(1);
    ack_all(&mut bench, consumer);
    bench.queue.seek(Time::default(), [], bench.now);
    assert_eq!(bench.lease_one(consumer).attempt, Some(1));
}

#[test]
fn a_cleared_queue_has_forgotten_everything() {
    let mut bench = retaining();
    let consumer = bench.join();
    bench.publish(3);
    let held = bench.lease(consumer);
    bench.queue.ack(held[0].ack_id);
    bench.queue.clear();
    assert!(!bench.queue.has_ready());
    assert_eq!(bench.queue.next_timer(), None);
    bench.queue.seek(Time::default(), [], bench.now);
    assert!(bench.lease(consumer).is_empty());
}
