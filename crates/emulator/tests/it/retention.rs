//! Messages that are kept, sought and forgotten.

use crate::harness::*;
use google_cloud_gax::error::rpc::Code;
use google_cloud_pubsub::model::ExpirationPolicy;
use google_cloud_wkt as wkt;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn seconds(seconds: i64) -> wkt::Duration {
    wkt::Duration::clamp(seconds, 0)
}

/// A topic that keeps its messages for ten minutes.
async fn with_log() -> Harness {
    let harness = Harness::start().await;
    let topic = harness.topics.create_topic().set_name(TOPIC).set_message_retention_duration(seconds(600));
    in_time(topic.send()).await.unwrap();
    harness
}

async fn seek(harness: &Harness, moment: wkt::Timestamp) {
    in_time(harness.subscriptions.seek().set_subscription(SUBSCRIPTION).set_time(moment).send()).await.unwrap();
}

#[tokio::test]
async fn a_new_subscription_can_seek_to_what_was_published_before_it_existed() {
    let harness = with_log().await;
    for data in ["one", "two"] {
        harness.publish(data).await;
    }
    let created = harness.create_subscription(subscription()).await;
    assert_eq!(created.topic_message_retention_duration, Some(seconds(600)));
    seek(&harness, wkt::Timestamp::clamp(0, 0)).await;
    let mut stream = harness.subscribe().await;
    for data in ["one", "two"] {
        assert_eq!(text(&next(&mut stream).await.0), data);
    }
}

#[tokio::test]
async fn a_seek_stops_at_its_moment() {
    let harness = with_log().await;
    harness.create_subscription(subscription()).await;
    harness.publish("early").await;
    harness.clock.advance(MINUTE);
    harness.publish("late").await;
    let mut stream = harness.subscribe().await;
    let (early, one) = next(&mut stream).await;
    let (late, other) = next(&mut stream).await;
    one.ack();
    other.ack();
    finish(stream).await;
    assert!(early.publish_time < late.publish_time);
    seek(&harness, late.publish_time.unwrap()).await;
    assert_eq!(text(&next(&mut harness.subscribe().await).await.0), "late");
}

#[tokio::test]
async fn what_is_past_the_topics_retention_cannot_be_sought() {
    let harness = with_log().await;
    harness.publish("forgotten").await;
    harness.clock.advance(MINUTE * 6);
    harness.publish("remembered").await;
    harness.clock.advance(MINUTE * 6);
    harness.create_subscription(subscription()).await;
    seek(&harness, wkt::Timestamp::clamp(0, 0)).await;
    assert_eq!(text(&next(&mut harness.subscribe().await).await.0), "remembered");
}

#[tokio::test]
async fn a_subscription_can_retain_what_it_has_acknowledged() {
    let harness = Harness::start().await;
    harness.create_topic(TOPIC).await;
    harness.create_subscription(subscription().set_retain_acked_messages(true)).await;
    harness.publish("evergreen").await;
    let mut stream = harness.subscribe().await;
    let (_, handler) = next(&mut stream).await;
    handler.ack();
    finish(stream).await;
    harness.assert_drained().await;
    seek(&harness, wkt::Timestamp::clamp(0, 0)).await;
    assert_eq!(text(&next(&mut harness.subscribe().await).await.0), "evergreen");
}

#[tokio::test]
async fn a_seek_into_the_future_empties_the_subscription() {
    let harness = Harness::with_subscription().await;
    harness.publish("purged").await;
    seek(&harness, wkt::Timestamp::clamp(4_000_000_000, 0)).await;
    harness.assert_drained().await;
}

#[tokio::test]
async fn an_unread_message_is_dropped_after_its_retention() {
    let harness = Harness::start().await;
    harness.create_topic(TOPIC).await;
    harness.create_subscription(subscription().set_message_retention_duration(seconds(600))).await;
    harness.publish("too late").await;
    harness.clock.advance(MINUTE * 11);
    harness.publish("in time").await;
    assert_eq!(text(&next(&mut harness.subscribe().await).await.0), "in time");
}

#[tokio::test]
async fn a_subscription_that_nobody_uses_expires() {
    let harness = Harness::start().await;
    harness.create_topic(TOPIC).await;
    let policy = ExpirationPolicy::new().set_ttl(seconds(86_400));
    let used = "projects/p/subscriptions/used";
    harness.create_subscription(subscription().set_expiration_policy(policy.clone())).await;
    harness.create_subscription(subscription().set_name(used).set_expiration_policy(policy)).await;
    let mut stream = harness.subscribe_to(used).await;
    harness.publish("somebody listens").await;
    let _held = next(&mut stream).await;

    harness.clock.advance(MINUTE * 60 * 25);
    let expired = async {
        loop {
            let get = harness.subscriptions.get_subscription().set_subscription(SUBSCRIPTION).send();
            if let Err(error) = in_time(get).await {
                break error;
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(in_time(expired).await.status().unwrap().code, Code::NotFound);
    in_time(harness.subscriptions.get_subscription().set_subscription(used).send()).await.unwrap();
}
