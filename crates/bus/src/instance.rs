use std::{sync::Arc, time::Duration};

use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_wkt as wkt;
use shared::Timestamp;
use tokio::time::Instant;

use crate::{BusError, SubscriptionName, SubscriptionSpec, TopicName, ensure::Declared, link::Link};

/// How far a new subscription should look back into what its topic has kept; `None` is not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeekBack(pub Option<Duration>);

/// Whether a new subscription starts in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewound {
    /// It yields what was published since then.
    To(Timestamp),
    /// It was not asked to.
    No,
    /// The server cannot seek to a time: it starts now.
    Impossible,
}

/// A subscription that this process has for itself: everything on a topic from now on, perhaps from some time ago.
///
/// It should be deleted on shutdown. If the process is killed instead, it expires a day later, costing what ten minutes of backlog cost.
#[derive(Debug)]
pub struct InstanceSubscription {
    name: SubscriptionName,
    rewound: Rewound,
    declared: Arc<Declared>,
}

impl InstanceSubscription {
    pub(crate) async fn create(
        link: &Link,
        declared: &Arc<Declared>,
        name: SubscriptionName,
        topic: &TopicName,
        back: SeekBack,
        deadline: Duration,
    ) -> Result<Self, BusError> {
        declared.create_own(&name, SubscriptionSpec::instance(topic.clone())).await?;
        let subscription = Self { rewound: Rewound::No, declared: Arc::clone(declared), name };
        match back.0 {
            Some(back) => {
                let rewound = subscription.seek(link, Timestamp::now() - back, Instant::now() + deadline).await?;
                Ok(Self { rewound, ..subscription })
            }
            None => Ok(subscription),
        }
    }

    /// To be consumed.
    #[must_use]
    pub fn name(&self) -> &SubscriptionName {
        &self.name
    }

    /// Whether it starts in the past.
    #[must_use]
    pub fn rewound(&self) -> Rewound {
        self.rewound
    }

    /// Deletes it; close its consumer first, or that would make it again.
    ///
    /// # Errors
    /// When the server does not answer within the budget, or refuses; the subscription will then expire.
    pub async fn delete(self, budget: Duration) -> Result<(), BusError> {
        self.declared.forget_own(&self.name);
        self.declared.delete_subscription(&self.name, Instant::now() + budget).await
    }

    async fn seek(&self, link: &Link, to: Timestamp, deadline: Instant) -> Result<Rewound, BusError> {
        let time = wkt::Timestamp::clamp(to.as_second(), to.subsec_nanosecond());
        let result = self
            .declared
            .admin("seek", self.name.id(), deadline, || {
                let clients = link.clients();
                let request = clients.subscriptions.seek().set_subscription(self.name.path()).set_time(time);
                async move { request.with_attempt_timeout(Declared::ATTEMPT).send().await.map(drop) }
            })
            .await;
        match result {
            Ok(()) => Ok(Rewound::To(to)),
            Err(BusError::Refused { source, .. }) => {
                tracing::info!(subscription = %self.name, reason = &*source as &dyn std::error::Error, "the server cannot seek to a time");
                Ok(Rewound::Impossible)
            }
            Err(error) => Err(error),
        }
    }
}
