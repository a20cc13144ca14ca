//! An emulator of one's own, with Google's client connected to it.

use emulator::{Clock, Emulator, Running};
use google_cloud_auth::credentials::{Credentials, anonymous};
use google_cloud_pubsub::{
    client::{Publisher, Subscriber, SubscriptionAdmin, TopicAdmin},
    model::{Message, Subscription},
    retry_policy::RetryableErrors,
    subscriber::{MessageStream, handler::Handler},
};
use std::{future::IntoFuture, time::Duration};
use tonic::transport::Channel;

/// Far more than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const TOPIC: &str = "projects/p/topics/the-topic";
pub const SUBSCRIPTION: &str = "projects/p/subscriptions/the-subscription";

/// The names of the client's futures differ; their deadline does not.
pub async fn in_time<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future.into_future()).await.expect("nothing happened for a long time")
}

pub struct Harness {
    pub clock: Clock,
    pub emulator: Running,
    pub endpoint: String,
    pub topics: TopicAdmin,
    pub subscriptions: SubscriptionAdmin,
}

impl Harness {
    pub async fn start() -> Self {
        Self::start_with(Emulator::default()).await
    }

    pub async fn start_with(emulator: Emulator) -> Self {
        let clock = Clock::new();
        let emulator = emulator.with_clock(clock.clone()).bind("127.0.0.1:0").await.unwrap().spawn();
        let endpoint = format!("http://{}", emulator.host());
        let topics = TopicAdmin::builder().with_endpoint(&endpoint).with_credentials(nobody()).build().await.unwrap();
        let subscriptions = SubscriptionAdmin::builder().with_endpoint(&endpoint).with_credentials(nobody()).build().await.unwrap();
        Self { clock, emulator, endpoint, topics, subscriptions }
    }

    /// With [`TOPIC`] and [`SUBSCRIPTION`].
    pub async fn with_subscription() -> Self {
        let harness = Self::start().await;
        harness.create_topic(TOPIC).await;
        harness.create_subscription(subscription()).await;
        harness
    }

    pub async fn create_topic(&self, name: &str) {
        in_time(self.topics.create_topic().set_name(name).send()).await.unwrap();
    }

    pub async fn create_subscription(&self, subscription: Subscription) -> Subscription {
        in_time(self.subscriptions.create_subscription().with_request(subscription).send()).await.unwrap()
    }

    pub async fn publisher(&self, topic: &str) -> Publisher {
        let builder = Publisher::builder(topic).with_endpoint(&self.endpoint).with_credentials(nobody());
        builder
            .with_retry_policy(google_cloud_gax::retry_policy::RetryPolicyExt::with_attempt_limit(RetryableErrors, 1))
            .set_delay_threshold(Duration::from_millis(1))
            .build()
            .await
            .unwrap()
    }

    /// Publishes to [`TOPIC`].
    pub async fn publish(&self, data: &str) -> String {
        self.publish_to(TOPIC, data).await
    }

    pub async fn publish_to(&self, topic: &str, data: &str) -> String {
        in_time(self.publisher(topic).await.publish(message(data))).await.unwrap()
    }

    /// For the protocol itself, without Google's client.
    pub async fn channel(&self) -> Channel {
        Channel::from_shared(self.endpoint.clone()).unwrap().connect().await.unwrap()
    }

    pub async fn subscriber(&self) -> Subscriber {
        Subscriber::builder().with_endpoint(&self.endpoint).with_credentials(nobody()).build().await.unwrap()
    }

    /// A stream of [`SUBSCRIPTION`].
    pub async fn subscribe(&self) -> MessageStream {
        self.subscribe_to(SUBSCRIPTION).await
    }

    pub async fn subscribe_to(&self, subscription: &str) -> MessageStream {
        self.subscriber().await.subscribe(subscription).build()
    }

    /// Nothing of [`SUBSCRIPTION`] is left, under lease or not.
    pub async fn assert_drained(&self) {
        let http = reqwest::Client::new();
        let url = format!("{}/v1/{SUBSCRIPTION}:pull", self.endpoint);
        self.clock.advance(Duration::from_secs(3600));
        let pull = http.post(url).body(r#"{"maxMessages": 10, "returnImmediately": true}"#);
        let body = in_time(in_time(pull.send()).await.unwrap().text()).await.unwrap();
        assert_eq!(body, r#"{"receivedMessages":[]}"#);
    }
}

pub fn nobody() -> Credentials {
    anonymous::Builder::new().build()
}

/// [`SUBSCRIPTION`] to [`TOPIC`].
pub fn subscription() -> Subscription {
    Subscription::new().set_name(SUBSCRIPTION).set_topic(TOPIC)
}

pub fn message(data: &str) -> Message {
    Message::new().set_data(data.to_owned())
}

pub fn text(message: &Message) -> String {
    String::from_utf8(message.data.to_vec()).unwrap()
}

pub async fn next(stream: &mut MessageStream) -> (Message, Handler) {
    in_time(stream.next()).await.expect("the stream has ended").unwrap()
}

/// Closes a stream when it has sent what was acknowledged: the client does that some time after `ack()`.
pub async fn finish(stream: MessageStream) {
    let token = stream.shutdown_token();
    drop(stream);
    in_time(token.shutdown()).await;
}
