use std::{future::Future, sync::Arc, time::Duration};

use google_cloud_gax::{error::Error as RpcError, options::RequestOptionsBuilder};
use google_cloud_pubsub::model::{DeadLetterPolicy, ExpirationPolicy, ListSubscriptionsResponse, RetryPolicy, Subscription};
use google_cloud_wkt as wkt;
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    BusError, SubscriptionName, SubscriptionSpec, TopicName,
    error::{already_exists, is_missing, is_outage},
    link::Link,
};

/// The administrative requests. Each is repeated until the server answers, or its deadline passes.
#[derive(Debug)]
pub(crate) struct Admin(Arc<Link>);

impl Admin {
    /// The longest that one attempt may take.
    pub(crate) const ATTEMPT: Duration = Duration::from_secs(5);
    /// Between two attempts at a server that is not there.
    const PAUSE: Duration = Duration::from_millis(200);
    /// As many subscriptions as a page may have.
    const PAGE: i32 = 1_000;

    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self(link)
    }

    /// Whether it was created now; not, if there is one by this name.
    pub(crate) async fn create_topic(&self, name: &TopicName, retention: Duration, deadline: Instant) -> Result<bool, BusError> {
        let result = self
            .ask("create topic", name.id(), deadline, || {
                let clients = self.0.clients();
                let request = clients.topics.create_topic().set_name(name.path()).set_message_retention_duration(proto(retention));
                async move { request.with_attempt_timeout(Self::ATTEMPT).send().await.map(drop) }
            })
            .await;
        absorb(already_exists, result)
    }

    /// Whether it was created now; not, if there is one by this name.
    pub(crate) async fn create_subscription(
        &self,
        name: &SubscriptionName,
        spec: &SubscriptionSpec,
        deadline: Instant,
    ) -> Result<bool, BusError> {
        let result = self
            .ask("create subscription", name.id(), deadline, || {
                let clients = self.0.clients();
                let request = clients.subscriptions.create_subscription().with_request(subscription(name, spec));
                async move { request.with_attempt_timeout(Self::ATTEMPT).send().await.map(drop) }
            })
            .await;
        absorb(already_exists, result)
    }

    /// What the subscription reads, as a path; none if there is no such subscription.
    pub(crate) async fn topic_of(&self, name: &SubscriptionName, deadline: Instant) -> Result<Option<String>, BusError> {
        let result = self
            .ask("look up subscription", name.id(), deadline, || {
                let clients = self.0.clients();
                let request = clients.subscriptions.get_subscription().set_subscription(name.path());
                async move { request.with_attempt_timeout(Self::ATTEMPT).send().await.map(|subscription| subscription.topic) }
            })
            .await;
        match result {
            Ok(topic) => Ok(Some(topic)),
            Err(BusError::Refused { source, .. }) if is_missing(&source) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// That it was gone already is fine.
    pub(crate) async fn delete_subscription(&self, name: &SubscriptionName, deadline: Instant) -> Result<(), BusError> {
        let result = self
            .ask("delete subscription", name.id(), deadline, || {
                let clients = self.0.clients();
                let request = clients.subscriptions.delete_subscription().set_subscription(name.path());
                async move { request.with_attempt_timeout(Self::ATTEMPT).send().await }
            })
            .await;
        absorb(is_missing, result).map(drop)
    }

    /// Moves a subscription to a point in time.
    pub(crate) async fn seek(&self, name: &SubscriptionName, to: wkt::Timestamp, deadline: Instant) -> Result<(), BusError> {
        self.ask("seek", name.id(), deadline, || {
            let clients = self.0.clients();
            let request = clients.subscriptions.seek().set_subscription(name.path()).set_time(to);
            async move { request.with_attempt_timeout(Self::ATTEMPT).send().await.map(drop) }
        })
        .await
    }

    /// One page of a project's subscriptions, from where the last one ended.
    pub(crate) async fn list_subscriptions(
        &self,
        project: &str,
        token: &str,
        deadline: Instant,
    ) -> Result<ListSubscriptionsResponse, BusError> {
        self.ask("list subscriptions of", project, deadline, || {
            let clients = self.0.clients();
            let request = clients.subscriptions.list_subscriptions().set_project(project).set_page_size(Self::PAGE).set_page_token(token);
            async move { request.with_attempt_timeout(Self::ATTEMPT).send().await }
        })
        .await
    }

    async fn ask<T, F>(&self, action: &'static str, name: &str, deadline: Instant, mut request: impl FnMut() -> F) -> Result<T, BusError>
    where
        F: Future<Output = Result<T, RpcError>>,
    {
        let mut last = None;
        loop {
            match timeout_at(deadline, request()).await {
                Ok(Ok(answer)) => {
                    self.0.heard();
                    return Ok(answer);
                }
                Ok(Err(error)) if !is_outage(&error) => {
                    self.0.heard();
                    return Err(BusError::Refused { action, name: name.to_owned(), source: Box::new(error) });
                }
                Ok(Err(error)) => last = Some(Box::new(error)),
                Err(_) => return Err(BusError::Unreachable { action, name: name.to_owned(), source: last }),
            }
            if timeout_at(deadline, sleep(Self::PAUSE)).await.is_err() {
                return Err(BusError::Unreachable { action, name: name.to_owned(), source: last });
            }
        }
    }
}

/// Takes one kind of refusal for an answer: whether the request did what it says, or found it done.
fn absorb(done: fn(&RpcError) -> bool, result: Result<(), BusError>) -> Result<bool, BusError> {
    match result {
        Ok(()) => Ok(true),
        Err(BusError::Refused { source, .. }) if done(&source) => Ok(false),
        Err(error) => Err(error),
    }
}

fn subscription(name: &SubscriptionName, spec: &SubscriptionSpec) -> Subscription {
    let expiration = ExpirationPolicy::new().set_or_clear_ttl(spec.expires_after.map(proto));
    Subscription::new()
        .set_name(name.path())
        .set_topic(spec.topic.path())
        .set_message_retention_duration(proto(spec.retention))
        // Only until the stream takes over, which extends leases by itself. The least that Pub/Sub accepts.
        .set_ack_deadline_seconds(10)
        .set_expiration_policy(expiration)
        .set_or_clear_dead_letter_policy(spec.dead_letter.as_ref().map(|dead_letter| {
            DeadLetterPolicy::new()
                .set_dead_letter_topic(dead_letter.topic.path())
                .set_max_delivery_attempts(i32::try_from(dead_letter.attempts).unwrap_or(i32::MAX))
        }))
        .set_or_clear_retry_policy(
            spec.backoff.map(|(least, most)| RetryPolicy::new().set_minimum_backoff(proto(least)).set_maximum_backoff(proto(most))),
        )
}

/// Our durations are far below the 10,000 years at which this would clamp.
fn proto(duration: Duration) -> wkt::Duration {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    wkt::Duration::clamp(seconds, i32::try_from(duration.subsec_nanos()).unwrap_or(0))
}
