//! The embedded Pub/Sub as a process of its own.

use std::process::ExitCode;

use clap::Parser;
use emulator::{Emulator, EmulatorSettings};
use service::{ServiceSettings, listen};

/// A google.pubsub.v1 server for development and tests: gRPC and REST on one port, in memory.
#[derive(Debug, Clone, Parser)]
#[command(version)]
struct Settings {
    #[command(flatten)]
    emulator: EmulatorSettings,
    #[command(flatten)]
    service: ServiceSettings,
}

impl AsRef<ServiceSettings> for Settings {
    fn as_ref(&self) -> &ServiceSettings {
        &self.service
    }
}

fn main() -> ExitCode {
    service::run("emulator", async |settings: Settings, process| {
        let emulator = Emulator::new(&settings.emulator).listen_on(listen(settings.emulator.listen).await?)?;
        tracing::info!(memory_mb = settings.emulator.memory_mb, "listening; export PUBSUB_EMULATOR_HOST={}", emulator.local_addr());
        Ok(emulator.serve(process.lifecycle.draining().cancelled()).await?)
    })
}
