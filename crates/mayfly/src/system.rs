#[cfg(test)]
mod tests;

use std::{fmt, net::SocketAddr, path::Path};

use bus::Bus;
use cache::Cache;
use gateway::{Gateway, GatewaySettings};
use service::{Process, StartError, State, listen};
use shared::Kind;
use worker::Worker;
use worker_dead_letter::DeadLetterWorker;

use crate::{pubsub::PubSub, settings::Settings, workers};

/// What runs where, for a person.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) url: String,
    kinds: Vec<Kind>,
    pubsub: String,
    redis: State,
}

/// Runs everything in this process until it has drained, and announces it once it is ready. The parts are those that
/// production runs, and meet on Pub/Sub only.
pub(crate) async fn run(settings: Settings, process: Process, announce: impl FnOnce(Running)) -> Result<(), StartError> {
    // First what others may have taken: nothing has to be stopped when it is.
    let listener = listen(SocketAddr::new(settings.gateway.bind, settings.gateway.port)).await?;
    let pubsub = PubSub::start(settings.bus.clone(), &settings.embedded).await?;
    let bus = Bus::connect(&pubsub.settings, &process.metrics).await?;
    let cache = Cache::connect(&settings.cache, &process)?;

    let mut gateway = Gateway::start(&with_client_bundle(settings.gateway.clone()), &process, bus.clone(), cache.clone(), listener)?;
    let worker = Worker::builder(&process, bus.clone(), cache.clone()).settings(settings.worker.clone());
    let worker = workers::register(worker, &settings)?;
    let kinds = worker.kinds();
    let dead_letters = DeadLetterWorker::new(&process, bus, cache.clone());
    let url = gateway_url(&settings, gateway.address());
    let parts = async { tokio::join!(worker.build().run(), dead_letters.run(), gateway.drained()) };

    let announce = async {
        process.health.ready().await;
        announce(Running { url, kinds, pubsub: pubsub.description.clone(), redis: cache.state() });
    };
    tokio::join!(parts, announce);
    pubsub.stop().await;
    Ok(())
}

/// In a checkout whose client tests have run, the stock client lies where npm put it: with that the page needs no network.
fn with_client_bundle(settings: GatewaySettings) -> GatewaySettings {
    let installed = Path::new("e2e/node_modules/socket.io-client/dist");
    if settings.socketio_client_dir.is_none() && installed.join("socket.io.min.js").is_file() {
        return GatewaySettings { socketio_client_dir: Some(installed.to_owned()), ..settings };
    }
    settings
}

/// A URL that a person can open: the wildcard address is none.
fn gateway_url(settings: &Settings, address: SocketAddr) -> String {
    let host = if settings.gateway.bind.is_unspecified() { "127.0.0.1".to_owned() } else { address.ip().to_string() };
    format!("http://{host}:{}", address.port())
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<_> = self.kinds.iter().map(Kind::as_str).collect();
        let redis = match self.redis {
            State::Off => "none (progress comes once a second, history lasts as long as this process)",
            State::Up => "up",
            State::Down => "away; it is used as soon as it answers",
        };
        write!(
            f,
            "Mayfly is running at {}\n\n  workers   {}, dead-letter\n  Pub/Sub   {}\n  Redis     {redis}\n\nCtrl-C drains and leaves, a second Ctrl-C leaves at once.",
            self.url,
            kinds.join(", "),
            self.pubsub,
        )
    }
}
