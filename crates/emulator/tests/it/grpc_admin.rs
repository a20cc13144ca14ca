//! The administrative calls over gRPC, which other languages' clients use.

use crate::harness::*;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    self as proto, publisher_client::PublisherClient, schema_service_client::SchemaServiceClient, subscriber_client::SubscriberClient,
};
use tonic::{Code, transport::Channel};

async fn clients(harness: &Harness) -> (PublisherClient<Channel>, SubscriberClient<Channel>) {
    let channel = harness.channel().await;
    (PublisherClient::new(channel.clone()), SubscriberClient::new(channel))
}

fn mask(path: &str) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask { paths: vec![path.into()] })
}

#[tokio::test]
async fn topics_and_subscriptions_live_through_their_lives() {
    let harness = Harness::start().await;
    let (mut publisher, mut subscriber) = clients(&harness).await;
    let topic = proto::Topic { name: TOPIC.into(), ..Default::default() };
    let created = in_time(publisher.create_topic(topic.clone())).await.unwrap().into_inner();
    let get = proto::GetTopicRequest { topic: TOPIC.into() };
    assert_eq!(in_time(publisher.get_topic(get)).await.unwrap().into_inner(), created);
    let labels = [("a".to_owned(), "b".to_owned())];
    let update =
        proto::UpdateTopicRequest { topic: Some(proto::Topic { labels: labels.clone().into(), ..topic }), update_mask: mask("labels") };
    assert_eq!(in_time(publisher.update_topic(update)).await.unwrap().into_inner().labels, labels.into());
    let list = proto::ListTopicsRequest { project: "projects/p".into(), ..Default::default() };
    assert_eq!(in_time(publisher.list_topics(list)).await.unwrap().into_inner().topics.len(), 1);

    let subscription = proto::Subscription { name: SUBSCRIPTION.into(), topic: TOPIC.into(), ..Default::default() };
    let created = in_time(subscriber.create_subscription(subscription.clone())).await.unwrap().into_inner();
    let get = proto::GetSubscriptionRequest { subscription: SUBSCRIPTION.into() };
    assert_eq!(in_time(subscriber.get_subscription(get)).await.unwrap().into_inner(), created);
    let update = proto::UpdateSubscriptionRequest {
        subscription: Some(proto::Subscription { ack_deadline_seconds: 20, ..subscription }),
        update_mask: mask("ack_deadline_seconds"),
    };
    assert_eq!(in_time(subscriber.update_subscription(update)).await.unwrap().into_inner().ack_deadline_seconds, 20);
    let list = proto::ListSubscriptionsRequest { project: "projects/p".into(), ..Default::default() };
    assert_eq!(in_time(subscriber.list_subscriptions(list)).await.unwrap().into_inner().subscriptions.len(), 1);
    let list = proto::ListTopicSubscriptionsRequest { topic: TOPIC.into(), ..Default::default() };
    let listed = in_time(publisher.list_topic_subscriptions(list)).await.unwrap().into_inner();
    assert_eq!(listed.subscriptions, [SUBSCRIPTION]);

    let time = prost_types::Timestamp { seconds: 1, nanos: 0 };
    let target = Some(proto::seek_request::Target::Time(time));
    in_time(subscriber.seek(proto::SeekRequest { subscription: SUBSCRIPTION.into(), target })).await.unwrap();
    let push = proto::ModifyPushConfigRequest { subscription: SUBSCRIPTION.into(), push_config: None };
    in_time(subscriber.modify_push_config(push)).await.unwrap();
    let detach = proto::DetachSubscriptionRequest { subscription: SUBSCRIPTION.into() };
    in_time(publisher.detach_subscription(detach)).await.unwrap();
    let delete = proto::DeleteSubscriptionRequest { subscription: SUBSCRIPTION.into() };
    in_time(subscriber.delete_subscription(delete)).await.unwrap();
    in_time(publisher.delete_topic(proto::DeleteTopicRequest { topic: TOPIC.into() })).await.unwrap();
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let harness = Harness::with_subscription().await;
    let (mut publisher, mut subscriber) = clients(&harness).await;
    let snapshots = [
        in_time(publisher.list_topic_snapshots(proto::ListTopicSnapshotsRequest::default())).await.unwrap_err(),
        in_time(subscriber.get_snapshot(proto::GetSnapshotRequest::default())).await.unwrap_err(),
        in_time(subscriber.list_snapshots(proto::ListSnapshotsRequest::default())).await.unwrap_err(),
        in_time(subscriber.create_snapshot(proto::CreateSnapshotRequest::default())).await.unwrap_err(),
        in_time(subscriber.update_snapshot(proto::UpdateSnapshotRequest::default())).await.unwrap_err(),
        in_time(subscriber.delete_snapshot(proto::DeleteSnapshotRequest::default())).await.unwrap_err(),
    ];
    for status in snapshots {
        assert_eq!(status.code(), Code::Unimplemented);
        assert!(status.message().contains("snapshots"), "{}", status.message());
    }
    let channel = harness.channel().await;
    let schemas = SchemaServiceClient::new(channel).list_schemas(proto::ListSchemasRequest::default()).await;
    let status = schemas.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("SchemaService"), "{}", status.message());
}
