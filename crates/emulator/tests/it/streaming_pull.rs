//! `StreamingPull` to the letter.

use crate::harness::*;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
    ModifyAckDeadlineRequest, StreamingPullRequest, StreamingPullResponse, subscriber_client::SubscriberClient,
};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming, transport::Channel};

/// Both ends of one call.
struct Raw {
    requests: mpsc::Sender<StreamingPullRequest>,
    responses: Streaming<StreamingPullResponse>,
}

impl Raw {
    async fn open(client: &SubscriberClient<Channel>, first: StreamingPullRequest) -> Self {
        let stream = Self::open_silently(client).await;
        stream.say(first).await;
        stream
    }

    /// Says nothing, and waits for the response headers all the same.
    async fn open_silently(client: &SubscriberClient<Channel>) -> Self {
        let (requests, receiver) = mpsc::channel(8);
        let call = client.clone().streaming_pull(ReceiverStream::new(receiver)).await;
        Self { requests, responses: call.unwrap().into_inner() }
    }

    async fn say(&self, request: StreamingPullRequest) {
        self.requests.send(request).await.unwrap();
    }

    async fn response(&mut self) -> Result<Option<StreamingPullResponse>, Status> {
        in_time(self.responses.message()).await
    }

    /// The next message's text and ack id; heartbeats are skipped.
    async fn message(&mut self) -> (String, String) {
        loop {
            let mut response = self.response().await.unwrap().expect("the stream has ended");
            if let Some(received) = response.received_messages.pop() {
                assert!(response.received_messages.is_empty(), "one at a time, please");
                let data = received.message.unwrap().data;
                return (String::from_utf8(data.to_vec()).unwrap(), received.ack_id);
            }
        }
    }

    async fn failure(&mut self) -> Code {
        self.response().await.unwrap_err().code()
    }
}

fn first() -> StreamingPullRequest {
    StreamingPullRequest {
        subscription: SUBSCRIPTION.into(),
        stream_ack_deadline_seconds: 10,
        protocol_version: 1,
        ..StreamingPullRequest::default()
    }
}

async fn start() -> (Harness, SubscriberClient<Channel>) {
    let harness = Harness::with_subscription().await;
    let client = SubscriberClient::new(harness.channel().await);
    (harness, client)
}

#[tokio::test]
async fn the_headers_come_before_the_first_request() {
    let (_harness, client) = start().await;
    in_time(Raw::open_silently(&client)).await;
}

#[tokio::test]
async fn responses_describe_the_subscription() {
    let (harness, client) = start().await;
    harness.publish("x").await;
    let mut stream = Raw::open(&client, first()).await;
    let properties = stream.response().await.unwrap().unwrap().subscription_properties.unwrap();
    assert!(!properties.exactly_once_delivery_enabled && !properties.message_ordering_enabled);
}

#[tokio::test]
async fn a_silent_stream_beats() {
    let (harness, client) = start().await;
    let mut stream = Raw::open(&client, first()).await;
    for _ in 0..3 {
        let mut advancing = tokio::time::interval(Duration::from_millis(1));
        let beat = loop {
            tokio::select! {
                beat = stream.response() => break beat.unwrap().unwrap(),
                _ = advancing.tick() => harness.clock.advance(Duration::from_secs(1)),
            }
        };
        assert!(beat.received_messages.is_empty());
        assert!(beat.subscription_properties.is_some());
    }
}

#[tokio::test]
async fn a_keepalive_is_answered() {
    let (_harness, client) = start().await;
    let mut stream = Raw::open(&client, first()).await;
    stream.say(StreamingPullRequest::default()).await;
    assert!(stream.response().await.unwrap().unwrap().received_messages.is_empty());
}

#[tokio::test]
async fn a_client_that_does_not_know_heartbeats_gets_none() {
    let (harness, client) = start().await;
    let mut stream = Raw::open(&client, StreamingPullRequest { protocol_version: 0, ..first() }).await;
    stream.say(StreamingPullRequest::default()).await;
    harness.clock.advance(Duration::from_secs(3600));
    harness.publish("the first thing it hears").await;
    let response = stream.response().await.unwrap().unwrap();
    assert_eq!(response.received_messages.len(), 1);
}

#[tokio::test]
async fn messages_are_acknowledged_on_the_stream() {
    let (harness, client) = start().await;
    harness.publish("x").await;
    let mut stream = Raw::open(&client, first()).await;
    let (_, ack_id) = stream.message().await;
    stream.say(StreamingPullRequest { ack_ids: vec![ack_id], ..StreamingPullRequest::default() }).await;
    // The answer to a keepalive says that what came before it has been read.
    stream.say(StreamingPullRequest::default()).await;
    stream.response().await.unwrap();
    harness.assert_drained().await;
}

#[tokio::test]
async fn deadlines_are_changed_on_the_stream() {
    let (harness, client) = start().await;
    harness.publish("extended").await;
    let mut stream = Raw::open(&client, StreamingPullRequest { max_outstanding_messages: 1, ..first() }).await;
    let (_, ack_id) = stream.message().await;
    let modify = |seconds| StreamingPullRequest {
        modify_deadline_ack_ids: vec![ack_id.clone()],
        modify_deadline_seconds: vec![seconds],
        ..StreamingPullRequest::default()
    };
    stream.say(modify(600)).await;
    stream.say(StreamingPullRequest::default()).await;
    stream.response().await.unwrap();
    harness.clock.advance(Duration::from_secs(60));
    let mut other = Raw::open(&client, first()).await;
    harness.publish("another").await;
    assert_eq!(other.message().await.0, "another");
    stream.say(modify(0)).await;
    assert_eq!(other.message().await.0, "extended");
}

#[tokio::test]
async fn the_streams_deadline_can_change_on_the_way() {
    let (harness, client) = start().await;
    let mut stream = Raw::open(&client, first()).await;
    stream.say(StreamingPullRequest { stream_ack_deadline_seconds: 600, ..StreamingPullRequest::default() }).await;
    stream.response().await.unwrap();
    harness.publish("long").await;
    stream.message().await;
    harness.clock.advance(Duration::from_secs(300));
    harness.publish("next").await;
    assert_eq!(stream.message().await.0, "next");
}

#[tokio::test]
async fn a_lease_outlives_its_stream_and_a_nack_ends_it() {
    let (harness, mut client) = start().await;
    harness.publish("held").await;
    let mut stream = Raw::open(&client, first()).await;
    let (_, ack_id) = stream.message().await;
    drop(stream);
    let mut other = Raw::open(&client, first()).await;
    harness.publish("new").await;
    assert_eq!(other.message().await.0, "new");

    let nack = ModifyAckDeadlineRequest { subscription: SUBSCRIPTION.into(), ack_ids: vec![ack_id], ack_deadline_seconds: 0 };
    let start = Instant::now();
    in_time(client.modify_ack_deadline(nack)).await.unwrap();
    assert_eq!(other.message().await.0, "held");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn nothing_is_delivered_to_a_stream_that_was_reset() {
    let (harness, client) = start().await;
    let dead = Raw::open(&client, first()).await;
    drop(dead);
    // On the same connection, so the reset is read first.
    let mut alive = Raw::open(&client, first()).await;
    alive.say(StreamingPullRequest::default()).await;
    alive.response().await.unwrap();
    for n in 0..20 {
        harness.publish(&n.to_string()).await;
        assert_eq!(alive.message().await.0, n.to_string());
    }
}

#[tokio::test]
async fn a_client_that_has_finished_gets_a_clean_end() {
    let (_harness, client) = start().await;
    let mut stream = Raw::open(&client, first()).await;
    let (closed, _) = mpsc::channel(1);
    stream.requests = closed;
    assert_eq!(stream.response().await.unwrap(), None);
}

#[tokio::test]
async fn a_bad_first_request_is_refused() {
    let (_harness, client) = start().await;
    for (request, code) in [
        (StreamingPullRequest { subscription: String::new(), ..first() }, Code::InvalidArgument),
        (StreamingPullRequest { subscription: "nonsense".into(), ..first() }, Code::InvalidArgument),
        (StreamingPullRequest { subscription: "projects/p/subscriptions/missing".into(), ..first() }, Code::NotFound),
        (StreamingPullRequest { stream_ack_deadline_seconds: 9, ..first() }, Code::InvalidArgument),
        (StreamingPullRequest { stream_ack_deadline_seconds: 601, ..first() }, Code::InvalidArgument),
    ] {
        assert_eq!(Raw::open(&client, request).await.failure().await, code);
    }
    let mut stream = Raw::open_silently(&client).await;
    let (closed, _) = mpsc::channel(1);
    stream.requests = closed;
    assert_eq!(stream.failure().await, Code::InvalidArgument);
}

#[tokio::test]
async fn a_bad_later_request_ends_the_stream() {
    let (_harness, client) = start().await;
    let empty = StreamingPullRequest::default;
    for bad in [
        first(),
        StreamingPullRequest { max_outstanding_messages: 5, ..empty() },
        StreamingPullRequest { ack_ids: vec!["nonsense".into()], ..empty() },
        StreamingPullRequest { stream_ack_deadline_seconds: 5, ..empty() },
        StreamingPullRequest { modify_deadline_ack_ids: vec!["1-1".into()], ..empty() },
        StreamingPullRequest { modify_deadline_ack_ids: vec!["1-1".into()], modify_deadline_seconds: vec![601], ..empty() },
    ] {
        let mut stream = Raw::open(&client, first()).await;
        stream.say(bad).await;
        assert_eq!(stream.failure().await, Code::InvalidArgument);
    }
}

#[tokio::test]
async fn a_server_that_stops_says_goodbye() {
    let (harness, client) = start().await;
    let mut stream = Raw::open(&client, first()).await;
    stream.say(StreamingPullRequest::default()).await;
    stream.response().await.unwrap();
    let mut silent = Raw::open_silently(&client).await;
    in_time(harness.emulator.stop()).await;
    assert_eq!(stream.failure().await, Code::Unavailable);
    assert_eq!(silent.failure().await, Code::Unavailable);
}
