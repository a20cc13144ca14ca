//! Messages that nobody could process.

use crate::harness::*;
use google_cloud_pubsub::{
    model::{DeadLetterPolicy, Subscription},
    subscriber::handler::Handler,
};
use std::time::Duration;

const DEAD_TOPIC: &str = "projects/p/topics/the-dead";
const DEAD_SUBSCRIPTION: &str = "projects/p/subscriptions/the-undertaker";

async fn harness() -> Harness {
    let harness = Harness::start().await;
    harness.create_topic(TOPIC).await;
    harness.create_topic(DEAD_TOPIC).await;
    let policy = DeadLetterPolicy::new().set_dead_letter_topic(DEAD_TOPIC).set_max_delivery_attempts(5);
    harness.create_subscription(subscription().set_dead_letter_policy(policy)).await;
    harness.create_subscription(Subscription::new().set_name(DEAD_SUBSCRIPTION).set_topic(DEAD_TOPIC)).await;
    harness
}

fn nack(handler: Handler) {
    let Handler::AtLeastOnce(handler) = handler else { panic!("at least once") };
    handler.nack();
}

#[tokio::test]
async fn a_message_nacked_too_often_arrives_at_the_dead_letter_topic() {
    let harness = harness().await;
    let sent = message("poison").set_attributes([("kind", "echo")]);
    in_time(harness.publisher(TOPIC).await.publish(sent)).await.unwrap();
    let mut stream = harness.subscribe().await;
    let mut published = None;
    for attempt in 1..=5 {
        let (received, handler) = next(&mut stream).await;
        assert_eq!(handler.delivery_attempt(), Some(attempt));
        published = received.publish_time;
        nack(handler);
    }
    let (dead, handler) = next(&mut harness.subscribe_to(DEAD_SUBSCRIPTION).await).await;
    assert_eq!(text(&dead), "poison");
    assert_eq!(handler.delivery_attempt(), None);
    let attribute = |key: &str| dead.attributes.get(key).cloned();
    assert_eq!(attribute("kind").as_deref(), Some("echo"));
    assert_eq!(attribute("CloudPubSubDeadLetterSourceDeliveryCount").as_deref(), Some("5"));
    assert_eq!(attribute("CloudPubSubDeadLetterSourceSubscription").as_deref(), Some("the-subscription"));
    assert_eq!(attribute("CloudPubSubDeadLetterSourceSubscriptionProject").as_deref(), Some("p"));
    let source_time = attribute("CloudPubSubDeadLetterSourceTopicPublishTime").unwrap();
    assert_eq!(Some(source_time.as_str().try_into().unwrap()), published);
    handler.ack();
    finish(stream).await;
    harness.assert_drained().await;
}

#[tokio::test]
async fn a_message_that_times_out_too_often_does_as_well() {
    let harness = harness().await;
    harness.publish("slow poison").await;
    let mut stream = harness.subscribe().await;
    let mut held = Vec::new();
    for _ in 1..=5 {
        held.push(next(&mut stream).await);
        harness.clock.advance(Duration::from_secs(61));
    }
    let (dead, _) = next(&mut harness.subscribe_to(DEAD_SUBSCRIPTION).await).await;
    assert_eq!(text(&dead), "slow poison");
}

#[tokio::test]
async fn without_its_dead_letter_topic_a_subscription_goes_on_delivering() {
    let harness = harness().await;
    in_time(harness.topics.delete_topic().set_topic(DEAD_TOPIC).send()).await.unwrap();
    harness.publish("undead").await;
    let mut stream = harness.subscribe().await;
    for attempt in 1..=7 {
        let (_, handler) = next(&mut stream).await;
        assert_eq!(handler.delivery_attempt(), Some(attempt));
        nack(handler);
    }
}
