//! The dead-letter worker.

use std::process::ExitCode;

use bus::{Bus, BusSettings};
use cache::{Cache, CacheSettings};
use clap::Parser;
use service::{ServiceSettings, State};
use worker::HealthSettings;
use worker_dead_letter::DeadLetterWorker;

/// Tells the clients of jobs that nobody could process.
#[derive(Debug, Clone, Parser)]
#[command(version)]
struct Settings {
    #[command(flatten)]
    health: HealthSettings,

    #[command(flatten)]
    bus: BusSettings,

    #[command(flatten)]
    cache: CacheSettings,

    #[command(flatten)]
    service: ServiceSettings,
}

impl AsRef<ServiceSettings> for Settings {
    fn as_ref(&self) -> &ServiceSettings {
        &self.service
    }
}

fn main() -> ExitCode {
    service::run("worker-dead-letter", async |settings: Settings, process| {
        let bus = Bus::connect(&settings.bus, &process.metrics).await?;
        bus.report(process.health.component("pubsub", State::Up));
        settings.health.serve(&process).await?;
        let cache = Cache::connect(&settings.cache, &process)?;
        DeadLetterWorker::new(&process, bus, cache).run().await;
        Ok(())
    })
}
