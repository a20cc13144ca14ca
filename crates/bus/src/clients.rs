use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use google_cloud_auth::credentials::{self, Credentials, anonymous};
use google_cloud_gax::{
    client_builder,
    exponential_backoff::{ExponentialBackoff, ExponentialBackoffBuilder},
    retry_policy::{NeverRetry, RetryPolicyExt},
};
use google_cloud_pubsub::{
    client::{BasePublisher, Publisher, Subscriber, SubscriptionAdmin, TopicAdmin},
    retry_policy::RetryableErrors,
};

use crate::{BusError, BusSettings, TopicName};

/// How to build clients, any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// The emulator's, or none for Google's.
    url: Option<String>,
    /// Shared by all clients, so that tokens are fetched once.
    credentials: Credentials,
    publish_time: Duration,
    batch_delay: Duration,
}

/// One set of clients and their connections, for all that is not a stream.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(crate) topics: TopicAdmin,
    pub(crate) subscriptions: SubscriptionAdmin,
    publisher: BasePublisher,
    /// One per topic that was published to; as many as an installation has topics.
    publishers: Mutex<HashMap<TopicName, Publisher>>,
    batch_delay: Duration,
}

impl Endpoint {
    /// What the client's own retries leave of the deadline, so that it gives up before we do and nothing is sent after a refusal.
    const MARGIN: Duration = Duration::from_millis(50);

    /// The client ignores `PUBSUB_EMULATOR_HOST`, and without anonymous credentials it would look for real ones even then.
    pub(crate) fn new(settings: &BusSettings) -> Result<Self, BusError> {
        let credentials = match settings.emulator_host() {
            Some(_) => anonymous::Builder::new().build(),
            None => credentials::Builder::default().build()?,
        };
        Ok(Self {
            url: settings.emulator_host().map(|host| format!("http://{host}")),
            credentials,
            publish_time: settings.publish_deadline.saturating_sub(Self::MARGIN),
            batch_delay: settings.publish_batch_delay,
        })
    }

    /// A client for one stream alone: a stream is replaced because its connection may be dead, so the next one must not share it.
    pub(crate) async fn subscriber(&self) -> Result<Subscriber, client_builder::Error> {
        let mut subscriber = Subscriber::builder().with_credentials(self.credentials.clone());
        if let Some(url) = &self.url {
            subscriber = subscriber.with_endpoint(url);
        }
        subscriber.build().await
    }

    /// New clients with connections of their own, which are opened when they are first used.
    pub(crate) async fn connect(&self) -> Result<Clients, client_builder::Error> {
        let mut publisher = BasePublisher::builder()
            .with_credentials(self.credentials.clone())
            .with_retry_policy(RetryableErrors.with_time_limit(self.publish_time))
            .with_backoff_policy(publish_backoff());
        // One attempt: whoever asks has a deadline and decides for itself whether to ask again.
        let mut topics = TopicAdmin::builder().with_credentials(self.credentials.clone()).with_retry_policy(NeverRetry);
        let mut subscriptions = SubscriptionAdmin::builder().with_credentials(self.credentials.clone()).with_retry_policy(NeverRetry);
        if let Some(url) = &self.url {
            publisher = publisher.with_endpoint(url);
            topics = topics.with_endpoint(url);
            subscriptions = subscriptions.with_endpoint(url);
        }
        Ok(Clients {
            topics: topics.build().await?,
            subscriptions: subscriptions.build().await?,
            publisher: publisher.build().await?,
            publishers: Mutex::default(),
            batch_delay: self.batch_delay,
        })
    }
}

impl Clients {
    pub(crate) fn publisher(&self, topic: &TopicName) -> Publisher {
        let mut publishers = self.publishers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(publisher) = publishers.get(topic) {
            return publisher.clone();
        }
        let publisher = self.publisher.publisher(topic.path()).set_delay_threshold(self.batch_delay).build();
        publishers.insert(topic.clone(), publisher.clone());
        publisher
    }
}

/// Several attempts must fit into a deadline of less than a second.
fn publish_backoff() -> ExponentialBackoff {
    ExponentialBackoffBuilder::new()
        .with_initial_delay(Duration::from_millis(25))
        .with_maximum_delay(Duration::from_millis(200))
        .with_scaling(2.0)
        .clamp()
}
