//! Google's client leaves the limits of a stream to the server.

use crate::harness::*;
use google_cloud_pubsub::subscriber::MessageStream;
use std::collections::BTreeSet;

async fn with_messages(count: usize) -> Harness {
    let harness = Harness::with_subscription().await;
    let publisher = harness.publisher(TOPIC).await;
    let sent: Vec<_> = (0..count).map(|n| publisher.publish(message(&n.to_string()))).collect();
    for publish in sent {
        in_time(publish).await.unwrap();
    }
    harness
}

/// A stream that may hold one message, and has it.
async fn full(harness: &Harness) -> (MessageStream, impl Sized) {
    let mut stream = harness.subscriber().await.subscribe(SUBSCRIPTION).set_max_outstanding_messages(1).build();
    let held = next(&mut stream).await;
    (stream, held)
}

#[tokio::test]
async fn a_full_stream_leaves_the_rest_to_others() {
    let harness = with_messages(20).await;
    let (_full, _held) = full(&harness).await;
    let mut other = harness.subscribe().await;
    let mut seen = BTreeSet::new();
    let mut held = Vec::new();
    while seen.len() < 19 {
        let (received, handler) = next(&mut other).await;
        seen.insert(text(&received));
        held.push(handler);
    }
}

#[tokio::test]
async fn an_acknowledgement_makes_room_for_the_next() {
    let harness = with_messages(10).await;
    let mut stream = harness.subscriber().await.subscribe(SUBSCRIPTION).set_max_outstanding_messages(1).build();
    for _ in 0..10 {
        let (_, handler) = next(&mut stream).await;
        handler.ack();
    }
}

#[tokio::test]
async fn bytes_are_limited_too() {
    let harness = with_messages(3).await;
    let mut stream = harness.subscriber().await.subscribe(SUBSCRIPTION).set_max_outstanding_bytes(1).build();
    let _held = next(&mut stream).await;
    let mut other = harness.subscribe().await;
    let _second = next(&mut other).await;
    let _third = next(&mut other).await;
}

#[tokio::test]
async fn workers_with_one_job_each_share_the_work() {
    let harness = with_messages(3).await;
    let mut full_ones = Vec::new();
    for _ in 0..3 {
        full_ones.push(full(&harness).await);
    }
}
