use std::{collections::BTreeMap, sync::Arc};

use bus::{Bus, Topology};
use cache::Cache;
use service::Process;
use shared::Kind;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Job, WorkerSettings,
    registered::Registered,
    runner::{control, core::Core, serve::serve},
};

/// Runs jobs of one or several kinds until the process drains.
pub struct Worker {
    core: Arc<Core>,
    kinds: BTreeMap<Kind, Registered>,
}

/// A worker that does not run yet.
pub struct Builder {
    process: Process,
    bus: Bus,
    cache: Cache,
    settings: WorkerSettings,
    kinds: BTreeMap<Kind, Registered>,
}

impl Worker {
    /// A worker without job types.
    #[must_use]
    pub fn builder(process: &Process, bus: Bus, cache: Cache) -> Builder {
        Builder { process: process.clone(), bus, cache, settings: WorkerSettings::default(), kinds: BTreeMap::new() }
    }

    /// Takes jobs until the drain begins, then hands back what has not started, gives running handlers their time, hands
    /// back the rest, and returns; all within the drain's budget.
    ///
    /// Pub/Sub may be away, now or later: the worker waits for it. Must not be dropped before it returns, which would
    /// leave what it runs to its leases.
    pub async fn run(self) {
        let core = self.core;
        let topology = Topology::new(core.bus.names()).events().control();
        let topology = self.kinds.keys().fold(topology, Topology::jobs);
        if core.lifecycle.draining().run_until_cancelled(core.bus.ensured(topology)).await.is_none() {
            return;
        }
        let (stations, done) = (TaskTracker::new(), CancellationToken::new());
        let control = tokio::spawn(control::listen(Arc::clone(&core), done.clone()));
        // Or a job that was cancelled while no worker ran would be done before we hear of it.
        if core.lifecycle.draining().run_until_cancelled(core.past.known(core.bus.status())).await.is_some() {
            for registered in self.kinds.into_values() {
                stations.spawn(serve(Arc::clone(&core), registered));
            }
        }
        core.lifecycle.draining().cancelled().await;
        stations.close();
        stations.wait().await;
        done.cancel();
        if let Err(error) = control.await {
            tracing::error!(%error, "the control listener ended early");
        }
        core.bus.flush(core.closing_time()).await;
    }
}

impl Builder {
    /// With other settings than the defaults.
    #[must_use]
    pub fn settings(mut self, settings: WorkerSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Adds a job type; all its jobs share `context`.
    ///
    /// # Panics
    /// When [`Job::KIND`] is not a kind's name or is registered twice: mistakes in the program, found at its start.
    #[must_use]
    pub fn register<J: Job>(mut self, context: J::Context) -> Self {
        let registered = Registered::new::<J>(Arc::new(context));
        let twice = self.kinds.insert(registered.kind.clone(), registered);
        assert!(twice.is_none(), "`{}` is registered twice", J::KIND);
        self
    }

    /// The kinds that are registered.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        self.kinds.keys().cloned().collect()
    }

    /// The worker, ready to [`Worker::run`].
    #[must_use]
    pub fn build(self) -> Worker {
        Worker { core: Core::new(&self.process, self.bus, self.cache, self.settings), kinds: self.kinds }
    }
}
