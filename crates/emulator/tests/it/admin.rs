//! Topics and subscriptions through Google's client, which administers them over REST.

use crate::harness::*;
use google_cloud_gax::{error::rpc::Code, paginator::ItemPaginator as _};
use google_cloud_pubsub::{
    Error,
    model::{DeadLetterPolicy, ExpirationPolicy, PushConfig, RetryPolicy, Subscription, Topic},
};
use google_cloud_wkt::{Duration, FieldMask};

fn seconds(seconds: i64) -> Duration {
    Duration::clamp(seconds, 0)
}

fn mask(paths: &[&str]) -> FieldMask {
    FieldMask::default().set_paths(paths.iter().copied())
}

fn code<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Code {
    outcome.unwrap_err().status().expect("the server should have refused it").code
}

#[tokio::test]
async fn a_topic_lives_through_its_life() {
    let harness = Harness::start().await;
    let created = in_time(
        harness.topics.create_topic().set_name(TOPIC).set_labels([("team", "mayfly")]).set_message_retention_duration(seconds(600)).send(),
    )
    .await
    .unwrap();
    assert_eq!(created.labels.get("team").map(String::as_str), Some("mayfly"));
    let read = in_time(harness.topics.get_topic().set_topic(TOPIC).send()).await.unwrap();
    assert_eq!(read, created);
    assert_eq!(read.message_retention_duration, Some(seconds(600)));

    let update = Topic::new().set_name(TOPIC).set_message_retention_duration(seconds(1200));
    let updated = in_time(harness.topics.update_topic().set_topic(update).set_update_mask(mask(&["message_retention_duration"])).send())
        .await
        .unwrap();
    assert_eq!(updated.message_retention_duration, Some(seconds(1200)));
    assert_eq!(updated.labels, created.labels);

    in_time(harness.topics.delete_topic().set_topic(TOPIC).send()).await.unwrap();
    assert_eq!(code(in_time(harness.topics.get_topic().set_topic(TOPIC).send()).await), Code::NotFound);
}

#[tokio::test]
async fn a_subscription_lives_through_its_life() {
    let harness = Harness::start().await;
    harness.create_topic(TOPIC).await;
    harness.create_topic("projects/p/topics/the-dead").await;
    let created = harness
        .create_subscription(
            subscription()
                .set_ack_deadline_seconds(60)
                .set_retain_acked_messages(true)
                .set_message_retention_duration(seconds(600))
                .set_expiration_policy(ExpirationPolicy::new().set_ttl(seconds(86_400)))
                .set_labels([("team", "mayfly")])
                .set_dead_letter_policy(
                    DeadLetterPolicy::new().set_dead_letter_topic("projects/p/topics/the-dead").set_max_delivery_attempts(20),
                )
                .set_retry_policy(RetryPolicy::new().set_minimum_backoff(seconds(1)).set_maximum_backoff(seconds(2))),
        )
        .await;
    assert_eq!(created.ack_deadline_seconds, 60);
    assert!(created.retain_acked_messages);
    assert_eq!(created.expiration_policy.as_ref().and_then(|policy| policy.ttl), Some(seconds(86_400)));
    assert_eq!(created.dead_letter_policy.as_ref().map(|policy| policy.max_delivery_attempts), Some(20));
    assert_eq!(created.retry_policy.as_ref().and_then(|policy| policy.maximum_backoff), Some(seconds(2)));
    let read = in_time(harness.subscriptions.get_subscription().set_subscription(SUBSCRIPTION).send()).await.unwrap();
    assert_eq!(read, created);

    // Nothing else changes, and what is named without a value returns to its default.
    let updated = in_time(
        harness
            .subscriptions
            .update_subscription()
            .set_subscription(Subscription::new().set_name(SUBSCRIPTION).set_ack_deadline_seconds(30))
            .set_update_mask(mask(&["ack_deadline_seconds", "dead_letter_policy"]))
            .send(),
    )
    .await
    .unwrap();
    assert_eq!(updated, created.set_ack_deadline_seconds(30).set_or_clear_dead_letter_policy(None::<DeadLetterPolicy>));

    in_time(harness.subscriptions.delete_subscription().set_subscription(SUBSCRIPTION).send()).await.unwrap();
    let gone = in_time(harness.subscriptions.get_subscription().set_subscription(SUBSCRIPTION).send()).await;
    assert_eq!(code(gone), Code::NotFound);
}

#[tokio::test]
async fn defaults_are_googles() {
    let harness = Harness::start().await;
    harness.create_topic(TOPIC).await;
    let created = harness.create_subscription(subscription()).await;
    assert_eq!(created.ack_deadline_seconds, 10);
    assert_eq!(created.message_retention_duration, Some(seconds(7 * 86_400)));
    assert_eq!(created.expiration_policy.and_then(|policy| policy.ttl), Some(seconds(31 * 86_400)));
    assert_eq!(created.push_config, Some(PushConfig::new()));
    assert_eq!(created.state, google_cloud_pubsub::model::subscription::State::Active);
}

#[tokio::test]
async fn lists_come_in_pages_and_by_project() {
    let harness = Harness::start().await;
    for n in 0..5 {
        harness.create_topic(&format!("projects/p/topics/topic-{n}")).await;
        let name = format!("projects/p/subscriptions/subscription-{n}");
        let topic = "projects/p/topics/topic-0";
        harness.create_subscription(subscription().set_name(name).set_topic(topic)).await;
    }
    harness.create_topic("projects/other/topics/topic-5").await;

    let mut topics = harness.topics.list_topics().set_project("projects/p").set_page_size(2).by_item();
    let mut names = Vec::new();
    while let Some(topic) = in_time(topics.next()).await {
        names.push(topic.unwrap().name);
    }
    assert_eq!(names, (0..5).map(|n| format!("projects/p/topics/topic-{n}")).collect::<Vec<_>>());

    let mut subscriptions = harness.subscriptions.list_subscriptions().set_project("projects/p").set_page_size(3).by_item();
    let mut count = 0;
    while let Some(subscription) = in_time(subscriptions.next()).await {
        assert_eq!(subscription.unwrap().topic, "projects/p/topics/topic-0");
        count += 1;
    }
    assert_eq!(count, 5);

    let list = harness.topics.list_topic_subscriptions().set_topic("projects/p/topics/topic-0").set_page_size(4);
    let page = in_time(list.clone().send()).await.unwrap();
    assert_eq!(page.subscriptions.len(), 4);
    let rest = in_time(list.set_page_token(page.next_page_token).send()).await.unwrap();
    assert_eq!(rest.subscriptions, ["projects/p/subscriptions/subscription-4"]);
    assert_eq!(rest.next_page_token, "");
}

#[tokio::test]
async fn what_exists_cannot_be_created_again() {
    let harness = Harness::with_subscription().await;
    assert_eq!(code(in_time(harness.topics.create_topic().set_name(TOPIC).send()).await), Code::AlreadyExists);
    let again = harness.subscriptions.create_subscription().with_request(subscription()).send();
    assert_eq!(code(in_time(again).await), Code::AlreadyExists);
}

#[tokio::test]
async fn what_is_missing_is_not_found() {
    let harness = Harness::start().await;
    let create = harness.subscriptions.create_subscription().with_request(subscription()).send();
    assert_eq!(code(in_time(create).await), Code::NotFound);
    harness.create_topic(TOPIC).await;
    let policy = DeadLetterPolicy::new().set_dead_letter_topic("projects/p/topics/missing").set_max_delivery_attempts(5);
    let create = harness.subscriptions.create_subscription().with_request(subscription().set_dead_letter_policy(policy));
    assert_eq!(code(in_time(create.send()).await), Code::NotFound);
    assert_eq!(code(in_time(harness.topics.delete_topic().set_topic("projects/p/topics/missing").send()).await), Code::NotFound);
    let delete = harness.subscriptions.delete_subscription().set_subscription(SUBSCRIPTION).send();
    assert_eq!(code(in_time(delete).await), Code::NotFound);
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused_with_a_reason() {
    let harness = Harness::start().await;
    harness.create_topic(TOPIC).await;
    let create = harness.subscriptions.create_subscription().with_request(subscription().set_ack_deadline_seconds(5));
    let error = in_time(create.send()).await.unwrap_err();
    let status = error.status().unwrap();
    assert_eq!(status.code, Code::InvalidArgument);
    assert!(status.message.contains("between 10 and 600"), "{}", status.message);
}

#[tokio::test]
async fn what_is_not_supported_is_refused_by_name() {
    let harness = Harness::start().await;
    harness.create_topic(TOPIC).await;
    for (unsupported, feature) in [
        (subscription().set_filter("attributes:kind"), "filters"),
        (subscription().set_enable_message_ordering(true), "ordering"),
        (subscription().set_enable_exactly_once_delivery(true), "exactly-once"),
        (subscription().set_push_config(PushConfig::new().set_push_endpoint("https://example.com")), "push"),
    ] {
        let create = harness.subscriptions.create_subscription().with_request(unsupported);
        let error = in_time(create.send()).await.unwrap_err();
        let status = error.status().unwrap();
        assert_eq!(status.code, Code::Unimplemented);
        assert!(status.message.contains(feature), "{}", status.message);
    }
    let snapshots = harness.topics.list_topic_snapshots().set_topic(TOPIC).send();
    assert_eq!(code(in_time(snapshots).await), Code::Unimplemented);
    let create = harness.subscriptions.create_snapshot().set_name("projects/p/snapshots/abc").set_subscription(SUBSCRIPTION);
    assert_eq!(code(in_time(create.send()).await), Code::Unimplemented);
}

#[tokio::test]
async fn a_deleted_topic_leaves_its_subscription_behind() {
    let harness = Harness::with_subscription().await;
    harness.publish("the last one").await;
    in_time(harness.topics.delete_topic().set_topic(TOPIC).send()).await.unwrap();
    let orphan = in_time(harness.subscriptions.get_subscription().set_subscription(SUBSCRIPTION).send()).await.unwrap();
    assert_eq!(orphan.topic, "_deleted-topic_");
    assert_eq!(text(&next(&mut harness.subscribe().await).await.0), "the last one");

    // A new topic of the same name is another topic.
    harness.create_topic(TOPIC).await;
    let listed = in_time(harness.topics.list_topic_subscriptions().set_topic(TOPIC).send()).await.unwrap();
    assert!(listed.subscriptions.is_empty());
    in_time(harness.subscriptions.delete_subscription().set_subscription(SUBSCRIPTION).send()).await.unwrap();
}

#[tokio::test]
async fn a_detached_subscription_can_only_be_looked_at_and_deleted() {
    let harness = Harness::with_subscription().await;
    harness.publish("lost").await;
    in_time(harness.topics.detach_subscription().set_subscription(SUBSCRIPTION).send()).await.unwrap();
    let detached = in_time(harness.subscriptions.get_subscription().set_subscription(SUBSCRIPTION).send()).await.unwrap();
    assert!(detached.detached);
    let error = in_time(harness.subscribe().await.next()).await.expect("an error").unwrap_err();
    assert_eq!(error.status().unwrap().code, Code::FailedPrecondition);
    let listed = in_time(harness.topics.list_topic_subscriptions().set_topic(TOPIC).send()).await.unwrap();
    assert!(listed.subscriptions.is_empty());
    in_time(harness.subscriptions.delete_subscription().set_subscription(SUBSCRIPTION).send()).await.unwrap();
}

#[tokio::test]
async fn a_pull_subscription_may_be_told_to_stay_one() {
    let harness = Harness::with_subscription().await;
    let modify = || harness.subscriptions.modify_push_config().set_subscription(SUBSCRIPTION);
    in_time(modify().set_push_config(PushConfig::new()).send()).await.unwrap();
    let push = modify().set_push_config(PushConfig::new().set_push_endpoint("https://example.com"));
    assert_eq!(code(in_time(push.send()).await), Code::Unimplemented);
}
