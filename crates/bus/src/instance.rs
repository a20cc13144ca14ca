use std::{sync::Arc, time::Duration};

use google_cloud_wkt as wkt;
use shared::Timestamp;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::{BusError, BusSettings, Names, SubscriptionName, SubscriptionSpec, TopicName, alive, ensure::Declared, link::Link};

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
/// It should be deleted on shutdown. If the process is killed instead, it expires a day later, costing what ten minutes of backlog cost,
/// unless somebody deletes it before: while this exists, a label on the subscription says that its process is alive.
#[derive(Debug)]
pub struct InstanceSubscription {
    name: SubscriptionName,
    topic: TopicName,
    rewound: Rewound,
    deadline: Duration,
    declared: Arc<Declared>,
    _alive: AbortOnDropHandle<()>,
}

/// How many names are tried. One is enough, unless a process before this one was called the same, or the answer to our own request was lost.
const NAMES: u32 = 3;

impl InstanceSubscription {
    pub(crate) async fn create(
        link: &Arc<Link>,
        declared: &Arc<Declared>,
        names: &Names,
        topic: &TopicName,
        instance: &str,
        back: SeekBack,
        settings: &BusSettings,
    ) -> Result<Self, BusError> {
        let name = create(declared, names, topic, instance).await?;
        let alive = alive::keep(Arc::clone(link), name.clone(), settings.pubsub_alive_interval);
        let _alive = AbortOnDropHandle::new(tokio::spawn(alive));
        let subscription = Self {
            name,
            topic: topic.clone(),
            rewound: Rewound::No,
            deadline: settings.pubsub_ensure_deadline,
            declared: Arc::clone(declared),
            _alive,
        };
        let Some(back) = back.0 else { return Ok(subscription) };
        match subscription.rewind(back).await {
            Ok(rewound) => Ok(Self { rewound, ..subscription }),
            Err(error) => {
                // Nobody would ever delete it. It is left behind, since the server is not likely to answer just now.
                declared.forget_own(&subscription.name);
                Err(error)
            }
        }
    }

    /// Looks back, perhaps once more: what has been delivered since then is delivered again.
    ///
    /// # Errors
    /// When the server does not answer in time.
    pub async fn rewind(&self, back: Duration) -> Result<Rewound, BusError> {
        self.seek(Timestamp::now() - back, Instant::now() + self.deadline).await
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

    /// Whether there may be something from before this process began: it was rewound, and the topic is older than the process.
    #[must_use]
    pub fn may_have_backlog(&self) -> bool {
        matches!(self.rewound, Rewound::To(_)) && !self.declared.has_created(&self.topic)
    }

    /// Deletes it; close its consumer first, or that would make it again.
    ///
    /// # Errors
    /// When the server does not answer within the budget, or refuses; the subscription will then expire.
    pub async fn delete(self, budget: Duration) -> Result<(), BusError> {
        self.declared.delete_own(&self.name, Instant::now() + budget).await
    }

    async fn seek(&self, to: Timestamp, deadline: Instant) -> Result<Rewound, BusError> {
        let time = wkt::Timestamp::clamp(to.as_second(), to.subsec_nanosecond());
        match self.declared.admin().seek(&self.name, time, deadline).await {
            Ok(()) => Ok(Rewound::To(to)),
            Err(BusError::Refused { source, .. }) => {
                tracing::info!(subscription = %self.name, reason = &*source as &dyn std::error::Error, "the server cannot seek to a time");
                Ok(Rewound::Impossible)
            }
            Err(error) => Err(error),
        }
    }
}

/// Creates a subscription of a name that nobody has, and returns the name.
async fn create(declared: &Declared, names: &Names, topic: &TopicName, instance: &str) -> Result<SubscriptionName, BusError> {
    let wanted = names.instance_subscription(topic, instance);
    let mut name = wanted.clone();
    for _ in 0..NAMES {
        if declared.create_own(&name, SubscriptionSpec::instance(topic.clone())).await? {
            return Ok(name);
        }
        name = names.instance_subscription(topic, &format!("{instance}-{:08x}", rand::random::<u32>()));
    }
    Err(BusError::Taken { name: wanted.id().to_owned() })
}
