//! A gateway as a process of its own.

use std::{net::SocketAddr, process::ExitCode};

use bus::{Bus, BusSettings};
use cache::{Cache, CacheSettings};
use clap::Parser;
use gateway::{Gateway, GatewaySettings};
use service::{ServiceSettings, listen};
use tracing::info;

/// Mayfly's door: serves socket.io clients and the HTTP API.
#[derive(Debug, Clone, Parser)]
#[command(version)]
struct Settings {
    #[command(flatten)]
    gateway: GatewaySettings,
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
    service::run("gateway", async |settings: Settings, process| {
        let listener = listen(SocketAddr::new(settings.gateway.bind, settings.gateway.port)).await?;
        let bus = Bus::connect(&settings.bus, &process.metrics).await?;
        let cache = Cache::connect(&settings.cache, &process)?;
        let mut gateway = Gateway::start(&settings.gateway, &process, bus, cache, listener)?;
        info!("serving on http://{}", gateway.address());
        gateway.drained().await;
        Ok(())
    })
}
