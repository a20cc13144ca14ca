use std::net::{Ipv4Addr, SocketAddr};

use bus::BusSettings;
use clap::Args;
use emulator::{Emulator, Running};
use service::StartError;

/// The embedded Pub/Sub, which runs unless PUBSUB_EMULATOR_HOST or GOOGLE_CLOUD_PROJECT name another.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Embedded Pub/Sub")]
pub(crate) struct EmbeddedSettings {
    /// Where the embedded Pub/Sub listens; 127.0.0.1:8085 if that is free and nothing is set, otherwise any free port
    #[arg(long, env = "PUBSUB_EMULATOR_LISTEN", value_name = "ADDRESS")]
    pub(crate) pubsub_emulator_listen: Option<SocketAddr>,

    /// Memory for all messages of the embedded Pub/Sub, in MiB; when it is full, submits are refused
    #[arg(long, env = "PUBSUB_EMULATOR_MEMORY_MB", value_name = "MIB", default_value_t = emulator::EmulatorSettings::default().memory_mb)]
    pub(crate) pubsub_emulator_memory_mb: u32,
}

/// The Pub/Sub that this process uses, and runs if it is the embedded one.
pub(crate) struct PubSub {
    /// How to reach it.
    pub(crate) settings: BusSettings,
    /// For people.
    pub(crate) description: String,
    embedded: Option<Running>,
}

impl PubSub {
    /// Takes the one that the settings name, or starts the embedded one.
    pub(crate) async fn start(settings: BusSettings, embedded: &EmbeddedSettings) -> Result<Self, StartError> {
        if let Some(host) = settings.emulator_host() {
            return Ok(Self { description: format!("emulator at {host}"), settings, embedded: None });
        }
        if let Some(project) = settings.google_cloud_project.as_deref().filter(|project| !project.is_empty()) {
            return Ok(Self { description: format!("Google's, project {project}"), settings, embedded: None });
        }
        let running = listen(embedded).await?;
        let settings = BusSettings { pubsub_emulator_host: Some(running.host()), ..settings };
        let project = settings.names()?.project().to_owned();
        Ok(Self { description: format!("embedded at {}, project {project}", running.host()), settings, embedded: Some(running) })
    }

    /// Ends the embedded one; everybody else has left by now.
    pub(crate) async fn stop(self) {
        if let Some(running) = self.embedded {
            running.stop().await;
        }
    }
}

/// An address that somebody asked for must be free; the usual one is only a convenience.
async fn listen(settings: &EmbeddedSettings) -> Result<Running, StartError> {
    let emulator = Emulator::new(&emulator::EmulatorSettings {
        memory_mb: settings.pubsub_emulator_memory_mb,
        ..emulator::EmulatorSettings::default()
    });
    let bound = match settings.pubsub_emulator_listen {
        Some(address) => emulator.listen_on(service::listen(address).await?)?,
        None => match emulator.clone().bind(emulator::EmulatorSettings::default().listen).await {
            Ok(bound) => bound,
            Err(_) => emulator.bind((Ipv4Addr::LOCALHOST, 0)).await?,
        },
    };
    Ok(bound.spawn())
}
