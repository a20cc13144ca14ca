use bus::BusSettings;
use cache::CacheSettings;
use clap::{Parser, Subcommand};
use gateway::GatewaySettings;
use service::ServiceSettings;
use worker::WorkerSettings;
use worker_echo::EchoSettings;
use worker_thumbnail::ThumbnailSettings;
use worker_webhook::WebhookSettings;

use crate::{dead_letters::DeadLettersCommand, gc::GcCommand, prove::ProveCommand, pubsub::EmbeddedSettings};

/// The whole of Mayfly in one process: an embedded Pub/Sub, one gateway and every worker.
#[derive(Debug, Clone, Parser)]
#[command(name = "mayfly", version)]
pub(crate) struct Settings {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) gateway: GatewaySettings,

    #[command(flatten)]
    pub(crate) worker: WorkerSettings,

    #[command(flatten)]
    pub(crate) echo: EchoSettings,

    #[command(flatten)]
    pub(crate) thumbnail: ThumbnailSettings,

    #[command(flatten)]
    pub(crate) webhook: WebhookSettings,

    #[command(flatten)]
    pub(crate) embedded: EmbeddedSettings,

    #[command(flatten)]
    pub(crate) bus: BusSettings,

    #[command(flatten)]
    pub(crate) cache: CacheSettings,

    #[command(flatten)]
    pub(crate) service: ServiceSettings,
}

/// What to do instead of running the system.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Look at jobs that nobody could process, or send them on their way again
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),

    /// Delete subscriptions that killed processes had for themselves; they would expire after a day
    Gc(GcCommand),

    /// Prove to a client's satisfaction that an installation works: its page, certificate, websockets and jobs
    Prove(ProveCommand),

    /// Print JSON Schemas of what clients and services say
    Schemas,
}

impl AsRef<ServiceSettings> for Settings {
    fn as_ref(&self) -> &ServiceSettings {
        &self.service
    }
}
