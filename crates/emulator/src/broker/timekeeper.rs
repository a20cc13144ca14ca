//! What happens because time passes.

use super::Broker;
use crate::{proto::DeleteSubscriptionRequest, subscription::Subscription};
use std::{sync::Arc, time::Duration};

/// How often retention and expiration are looked after. The shortest of their periods is ten minutes.
const SWEEP: Duration = Duration::from_secs(60);

impl Broker {
    /// Ends leases and waits of a subscription on time, for as long as it exists.
    pub(super) fn keep_time(self: &Arc<Self>, subscription: &Arc<Subscription>) {
        let (broker, subscription) = (Arc::downgrade(self), Arc::clone(subscription));
        let (clock, shutdown) = (self.clock.clone(), self.shutdown.clone());
        tokio::spawn(async move {
            loop {
                let (dead, next) = subscription.tick();
                match broker.upgrade() {
                    Some(broker) => broker.forward(&subscription, dead),
                    None => return,
                }
                let wait = async {
                    match next {
                        Some(next) => clock.sleep_until(next).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = subscription.ended() => return,
                    () = subscription.earlier() => {}
                    () = wait => {}
                }
            }
        });
    }

    /// Looks after retention and expiration until the broker is gone.
    pub(crate) fn keep_clean(self: &Arc<Self>) {
        let broker = Arc::downgrade(self);
        let (clock, shutdown) = (self.clock.clone(), self.shutdown.clone());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = clock.sleep_until(clock.now() + SWEEP) => {}
                }
                match broker.upgrade() {
                    Some(broker) => broker.sweep(),
                    None => return,
                }
            }
        });
    }

    /// Frees what need not be kept any longer.
    pub(super) fn sweep(&self) {
        let (topics, subscriptions): (Vec<_>, Vec<_>) = {
            let registry = self.read();
            (registry.topics.values().cloned().collect(), registry.subscriptions.values().cloned().collect())
        };
        topics.iter().for_each(|topic| topic.prune());
        for subscription in subscriptions {
            if subscription.has_expired() {
                tracing::info!(subscription = subscription.name, "an unused subscription has expired");
                // It may have been deleted in the meantime.
                let _ = self.delete_subscription(&DeleteSubscriptionRequest { subscription: subscription.name.clone() });
            } else {
                subscription.prune();
            }
        }
    }
}
