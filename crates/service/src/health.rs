use std::{collections::BTreeMap, fmt};

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use serde::Serialize;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{Lifecycle, Metrics};

/// How a dependency of this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Working.
    Up,
    /// Wanted but away: something is degraded.
    Down,
    /// Not wanted in this installation.
    Off,
}

/// What this process can do at the moment. Cheap to clone; all clones are one.
///
/// Degradation is a state, not an error: a component that is down is shown in `/readyz`, which stays 200.
/// Only a gate that is not open yet, or a drain, makes a process unready.
#[derive(Clone)]
pub struct Health {
    components: watch::Sender<BTreeMap<&'static str, State>>,
    gates: watch::Sender<BTreeMap<String, bool>>,
    lifecycle: Lifecycle,
    metrics: Metrics,
}

/// One dependency's place in the health of its process.
#[derive(Clone)]
pub struct Component {
    name: &'static str,
    components: watch::Sender<BTreeMap<&'static str, State>>,
}

/// Something that must have happened before this process wants traffic; closed at first.
#[derive(Clone)]
pub struct Gate {
    name: String,
    gates: watch::Sender<BTreeMap<String, bool>>,
}

impl Health {
    /// The health of a process that nothing is known of yet.
    #[must_use]
    pub fn new(lifecycle: Lifecycle, metrics: Metrics) -> Self {
        Self { components: watch::Sender::default(), gates: watch::Sender::default(), lifecycle, metrics }
    }

    /// Adds a dependency. The same name again gives the same component.
    pub fn component(&self, name: &'static str, state: State) -> Component {
        self.components.send_modify(|components| {
            components.entry(name).or_insert(state);
        });
        Component { name, components: self.components.clone() }
    }

    /// Adds a condition for being ready.
    pub fn gate(&self, name: impl Into<String>) -> Gate {
        let name = name.into();
        self.gates.send_modify(|gates| {
            gates.insert(name.clone(), false);
        });
        Gate { name, gates: self.gates.clone() }
    }

    /// All components, on every change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<BTreeMap<&'static str, State>> {
        self.components.subscribe()
    }

    /// Whether new work is welcome.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.lifecycle.is_draining() && self.gates.borrow().values().all(|open| *open)
    }

    /// Resolves once every gate is open. Cancellation safe.
    pub async fn ready(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.gates.subscribe().wait_for(|gates| gates.values().all(|open| *open)).await;
    }

    /// `/livez`, `/readyz` and `/metrics`.
    pub fn router(&self) -> Router {
        let (ready, metrics) = (self.clone(), self.metrics.clone());
        Router::new()
            .route("/livez", get(|| async { "ok" }))
            .route("/readyz", get(async move || ready.readiness()))
            .route("/metrics", get(async move || ([(header::CONTENT_TYPE, Metrics::CONTENT_TYPE)], metrics.encode())))
    }

    fn readiness(&self) -> impl IntoResponse + use<> {
        #[derive(Serialize)]
        struct Readiness {
            ready: bool,
            draining: bool,
            waiting_for: Vec<String>,
            components: BTreeMap<&'static str, State>,
        }

        let body = Readiness {
            ready: self.is_ready(),
            draining: self.lifecycle.is_draining(),
            waiting_for: self.gates.borrow().iter().filter(|(_, open)| !**open).map(|(name, _)| name.clone()).collect(),
            components: self.components.borrow().clone(),
        };
        (if body.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
    }
}

impl Component {
    /// Says how the dependency is now; a change is logged, once.
    pub fn set(&self, state: State) {
        let changed = self.components.send_if_modified(|components| components.insert(self.name, state) != Some(state));
        match (changed, state) {
            (false, _) => {}
            (true, State::Down) => warn!(component = self.name, %state, "degraded"),
            (true, State::Up | State::Off) => info!(component = self.name, %state, "recovered"),
        }
    }

    /// How the dependency is.
    #[must_use]
    pub fn get(&self) -> State {
        self.components.borrow().get(self.name).copied().unwrap_or(State::Off)
    }
}

impl Gate {
    /// The condition is met.
    pub fn open(&self) {
        self.gates.send_modify(|gates| {
            gates.insert(self.name.clone(), true);
        });
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Off => "off",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::time::Duration;

    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn get(health: &Health, path: &str) -> (StatusCode, String) {
        let response = health.router().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        (status, String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
    }

    fn health() -> Health {
        Health::new(Lifecycle::new(Duration::from_secs(12)), Metrics::default())
    }

    #[tokio::test]
    async fn a_degraded_process_is_ready_and_says_what_is_missing() {
        let health = health();
        health.component("redis", State::Down);
        let (status, body) = get(&health, "/readyz").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains(r#""redis":"down""#), "{body}");
    }

    #[tokio::test]
    async fn a_process_is_ready_once_every_gate_is_open() {
        let health = health();
        let gate = health.gate("events subscription");
        let (status, body) = get(&health, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("events subscription"), "{body}");
        gate.open();
        health.ready().await;
        assert_eq!(get(&health, "/readyz").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_draining_process_is_alive_but_wants_nothing_new() {
        let health = health();
        health.lifecycle.begin_drain();
        assert_eq!(get(&health, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(get(&health, "/livez").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_change_is_told_once() {
        let health = health();
        let redis = health.component("redis", State::Up);
        let mut changes = health.watch();
        redis.set(State::Down);
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        redis.set(State::Down);
        assert!(!changes.has_changed().unwrap());
    }
}
