//! Publish, receive, acknowledge, give back.

use crate::harness::*;
use google_cloud_pubsub::{
    model::Message,
    subscriber::{ShutdownBehavior, handler::Handler},
};
use std::{collections::BTreeSet, time::Duration};

#[tokio::test]
async fn a_published_message_arrives_with_everything_it_had() {
    let harness = Harness::with_subscription().await;
    let sent = message("hello").set_attributes([("colour", "blue")]);
    let id = in_time(harness.publisher(TOPIC).await.publish(sent)).await.unwrap();
    let (received, handler) = next(&mut harness.subscribe().await).await;
    assert_eq!(text(&received), "hello");
    assert_eq!(received.attributes.get("colour").map(String::as_str), Some("blue"));
    assert_eq!(received.message_id, id);
    assert!(received.publish_time.is_some());
    assert_eq!(handler.delivery_attempt(), None);
}

#[tokio::test]
async fn every_subscription_gets_every_message() {
    let harness = Harness::with_subscription().await;
    let other = "projects/p/subscriptions/another-one";
    harness.create_subscription(subscription().set_name(other)).await;
    harness.publish("news").await;
    for name in [SUBSCRIPTION, other] {
        let (received, _) = next(&mut harness.subscribe_to(name).await).await;
        assert_eq!(text(&received), "news");
    }
}

#[tokio::test]
async fn an_acknowledged_message_does_not_come_back() {
    let harness = Harness::with_subscription().await;
    harness.publish("once").await;
    let mut stream = harness.subscribe().await;
    let (_, handler) = next(&mut stream).await;
    handler.ack();
    finish(stream).await;
    harness.assert_drained().await;
}

#[tokio::test]
async fn a_nacked_message_comes_back_at_once() {
    let harness = Harness::with_subscription().await;
    harness.publish("again").await;
    let mut stream = harness.subscribe().await;
    let (first, Handler::AtLeastOnce(handler)) = next(&mut stream).await else { panic!("at least once") };
    handler.nack();
    let (second, _) = next(&mut stream).await;
    assert_eq!(first.message_id, second.message_id);
}

#[tokio::test]
async fn a_message_comes_back_when_its_lease_runs_out() {
    let harness = Harness::with_subscription().await;
    harness.publish("slow").await;
    let mut stream = harness.subscribe().await;
    let (first, _handler) = next(&mut stream).await;
    harness.clock.advance(Duration::from_secs(61));
    let (second, _) = next(&mut stream).await;
    assert_eq!(first.message_id, second.message_id);
}

#[tokio::test]
async fn thousands_of_messages_all_arrive() {
    let harness = Harness::with_subscription().await;
    let publisher = harness.publisher(TOPIC).await;
    let sent: Vec<_> = (0..5000).map(|n| publisher.publish(message(&n.to_string()))).collect();
    let mut stream = harness.subscribe().await;
    let mut seen = BTreeSet::new();
    while seen.len() < sent.len() {
        let (received, handler) = next(&mut stream).await;
        assert!(seen.insert(text(&received)), "{} came twice", text(&received));
        handler.ack();
    }
}

#[tokio::test]
async fn a_subscriber_that_shuts_down_hands_its_messages_to_another_at_once() {
    let harness = Harness::with_subscription().await;
    for n in 0..40 {
        harness.publish(&n.to_string()).await;
    }
    let subscriber = harness.subscriber().await;
    let mut leaving = subscriber.subscribe(SUBSCRIPTION).set_shutdown_behavior(ShutdownBehavior::NackImmediately).build();
    let mut held: Vec<(Message, Handler)> = Vec::new();
    while held.len() < 40 {
        held.push(next(&mut leaving).await);
    }
    let mut staying = harness.subscribe().await;
    finish(leaving).await;
    let mut seen = BTreeSet::new();
    while seen.len() < 40 {
        seen.insert(text(&next(&mut staying).await.0));
    }
}

#[tokio::test]
async fn it_does_so_even_while_its_stream_is_still_being_read() {
    let harness = Harness::with_subscription().await;
    harness.publish("handed on").await;
    let subscriber = harness.subscriber().await;
    let mut leaving = subscriber.subscribe(SUBSCRIPTION).set_shutdown_behavior(ShutdownBehavior::NackImmediately).build();
    let _held = next(&mut leaving).await;
    let token = leaving.shutdown_token();
    let reading = tokio::spawn(async move { while leaving.next().await.is_some() {} });
    let mut staying = harness.subscribe().await;
    in_time(token.shutdown()).await;
    assert_eq!(text(&next(&mut staying).await.0), "handed on");
    in_time(reading).await.unwrap();
}
