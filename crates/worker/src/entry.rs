use std::process::ExitCode;

use bus::{Bus, BusSettings};
use cache::{Cache, CacheSettings};
use clap::{Args, Parser};
use service::{Process, ServiceSettings, StartError, State};

use crate::{Builder, HealthSettings, Job, Worker, WorkerSettings};

/// The settings of a process that runs jobs; `S` are the job types' own, `()` if they have none.
#[derive(Debug, Clone, Parser)]
#[command(version, about = "Runs Mayfly jobs", long_about = None)]
struct Settings<S: Args> {
    #[command(flatten)]
    health: HealthSettings,

    #[command(flatten)]
    own: S,

    #[command(flatten)]
    worker: WorkerSettings,

    #[command(flatten)]
    bus: BusSettings,

    #[command(flatten)]
    cache: CacheSettings,

    #[command(flatten)]
    service: ServiceSettings,
}

impl<S: Args> AsRef<ServiceSettings> for Settings<S> {
    fn as_ref(&self) -> &ServiceSettings {
        &self.service
    }
}

/// The `main` of a binary that runs one job type. `name` is the process's in logs and traces, without `mayfly-`.
///
/// ```no_run
/// # use serde::Deserialize;
/// # use worker::{Job, JobError, JobHandle};
/// # #[derive(Deserialize)]
/// # struct Greet {}
/// # impl Job for Greet {
/// #     const KIND: &'static str = "greet";
/// #     type Context = ();
/// #     type Output = ();
/// #     async fn run(self, _: &JobHandle, _: &()) -> Result<(), JobError> { Ok(()) }
/// # }
/// fn main() -> std::process::ExitCode {
///     worker::main::<Greet, ()>("worker-greet", async |_settings, _process| Ok(()))
/// }
/// ```
pub fn main<J: Job, S: Args>(name: &'static str, context: impl AsyncFnOnce(S, &Process) -> Result<J::Context, StartError>) -> ExitCode {
    main_with(name, async |worker, own, process| Ok(worker.register::<J>(context(own, process).await?)))
}

/// The `main` of a binary that runs several job types: `register` adds them to the worker.
pub fn main_with<S: Args>(name: &'static str, register: impl AsyncFnOnce(Builder, S, &Process) -> Result<Builder, StartError>) -> ExitCode {
    service::run(name, async |settings: Settings<S>, process| {
        let bus = Bus::connect(&settings.bus, &process.metrics).await?;
        bus.report(process.health.component("pubsub", State::Up));
        let cache = Cache::connect(&settings.cache, &process)?;
        let worker = Worker::builder(&process, bus, cache).settings(settings.worker);
        let worker = register(worker, settings.own, &process).await?;
        settings.health.serve(&process).await?;
        worker.build().run().await;
        Ok(())
    })
}
