//! `Pull`, for clients that do not stream.

use crate::harness::*;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    AcknowledgeRequest, ModifyAckDeadlineRequest, PullRequest, ReceivedMessage, subscriber_client::SubscriberClient,
};
use std::time::Duration;
use tonic::{Code, Status, transport::Channel};

async fn client(harness: &Harness) -> SubscriberClient<Channel> {
    SubscriberClient::new(harness.channel().await)
}

async fn pull(mut client: SubscriberClient<Channel>, max_messages: i32) -> Result<Vec<ReceivedMessage>, Status> {
    let request = PullRequest { subscription: SUBSCRIPTION.into(), max_messages, ..PullRequest::default() };
    Ok(in_time(client.pull(request)).await?.into_inner().received_messages)
}

#[tokio::test]
async fn a_pull_waits_for_a_message() {
    let harness = Harness::with_subscription().await;
    let waiting = tokio::spawn(pull(client(&harness).await, 10));
    harness.publish("at last").await;
    let received = in_time(waiting).await.unwrap().unwrap();
    assert_eq!(received[0].message.as_ref().unwrap().data, "at last");
}

#[tokio::test]
async fn a_pull_does_not_wait_for_ever() {
    let harness = Harness::with_subscription().await;
    let waiting = tokio::spawn(pull(client(&harness).await, 10));
    // Until it waits there is nothing to cut short.
    while !waiting.is_finished() {
        harness.clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    assert!(in_time(waiting).await.unwrap().unwrap().is_empty());
}

#[tokio::test]
async fn a_pull_takes_no_more_than_it_asks_for() {
    let harness = Harness::with_subscription().await;
    for data in ["one", "two", "three"] {
        harness.publish(data).await;
    }
    let client = client(&harness).await;
    assert_eq!(pull(client.clone(), 2).await.unwrap().len(), 2);
    assert_eq!(pull(client.clone(), 2).await.unwrap().len(), 1);
    assert_eq!(pull(client, 0).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_pulled_message_is_leased_for_the_subscriptions_deadline() {
    let harness = Harness::with_subscription().await;
    harness.publish("leased").await;
    let mut client = client(&harness).await;
    let first = pull(client.clone(), 1).await.unwrap().remove(0);
    let extend =
        ModifyAckDeadlineRequest { subscription: SUBSCRIPTION.into(), ack_ids: vec![first.ack_id.clone()], ack_deadline_seconds: 30 };
    in_time(client.modify_ack_deadline(extend)).await.unwrap();
    harness.clock.advance(Duration::from_secs(20));
    let waiting = tokio::spawn(pull(client.clone(), 1));
    harness.publish("another").await;
    assert_eq!(in_time(waiting).await.unwrap().unwrap()[0].message.as_ref().unwrap().data, "another");
    harness.clock.advance(Duration::from_secs(10));
    let again = pull(client.clone(), 1).await.unwrap().remove(0);
    assert_eq!(again.message, first.message);
    let ack = AcknowledgeRequest { subscription: SUBSCRIPTION.into(), ack_ids: vec![again.ack_id] };
    in_time(client.acknowledge(ack)).await.unwrap();
}

#[tokio::test]
async fn a_waiting_pull_ends_with_its_subscription() {
    let harness = Harness::with_subscription().await;
    let waiting = tokio::spawn(pull(client(&harness).await, 1));
    tokio::task::yield_now().await;
    in_time(harness.subscriptions.delete_subscription().set_subscription(SUBSCRIPTION).send()).await.unwrap();
    assert_eq!(in_time(waiting).await.unwrap().unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_waiting_pull_ends_with_the_server() {
    let harness = Harness::with_subscription().await;
    let waiting = tokio::spawn(pull(client(&harness).await, 1));
    tokio::task::yield_now().await;
    in_time(harness.emulator.stop()).await;
    let code = in_time(waiting).await.unwrap().unwrap_err().code();
    // What a client sees when the server is gone before its call has arrived is up to the transport.
    assert!(matches!(code, Code::Unavailable | Code::Unknown | Code::Cancelled), "{code:?}");
}
