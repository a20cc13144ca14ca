//! What is degraded, as clients see it.

use std::{collections::BTreeMap, sync::Arc};

use service::{Health, State};
use shared::client::{Dependency, Status};
use tokio::sync::watch;
use tracing::debug;

use crate::relay::{Courier, Packet, Urgency, WarmUp};

/// The names under which the health of this process knows what clients are told about.
const REDIS: &str = "redis";
pub(crate) const PUBSUB: &str = "pubsub";

/// The current status.
#[derive(Clone)]
pub(crate) struct StatusBoard {
    components: watch::Receiver<BTreeMap<&'static str, State>>,
    warm_up: WarmUp,
}

impl StatusBoard {
    pub(crate) fn new(health: &Health, warm_up: WarmUp) -> Self {
        Self { components: health.watch(), warm_up }
    }

    pub(crate) fn now(&self) -> Status {
        let components = self.components.borrow();
        let dependency = |name| match components.get(name) {
            Some(State::Up) => Dependency::Up,
            Some(State::Down) => Dependency::Down,
            Some(State::Off) | None => Dependency::Off,
        };
        Status { redis: dependency(REDIS), pubsub: dependency(PUBSUB), history: self.warm_up.history() }
    }

    /// Tells every client of changes, for as long as the process lives.
    pub(crate) async fn announce(mut self, courier: Arc<Courier>) {
        let mut history = self.warm_up.watch();
        let mut last = self.now();
        loop {
            let changed = tokio::select! {
                changed = self.components.changed() => changed,
                changed = history.changed() => changed,
            };
            if changed.is_err() {
                return;
            }
            let status = self.now();
            if std::mem::replace(&mut last, status) == status {
                continue;
            }
            match Packet::of_json("status", Urgency::Durable, &status) {
                Ok(packet) => courier.send_all(&courier.sockets(), &packet),
                Err(error) => debug!(%error, "a status cannot be written"),
            }
        }
    }
}
