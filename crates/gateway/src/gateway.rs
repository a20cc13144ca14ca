use std::{net::SocketAddr, sync::Arc, time::Duration};

use bus::{Bus, Topology};
use cache::Cache;
use service::{Gate, Process, StartError, State};
use shared::client::HistoryState;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    GatewaySettings,
    allowance::Allowances,
    app::App,
    drain::Drain,
    history::Bounds,
    http,
    identity::Identities,
    metrics::GatewayMetrics,
    net::{Server, Transports},
    relay::{Announcer, Courier, Ledger, Outbox, PubsubClock, Relay, WarmUp},
    socket,
    status::{PUBSUB, StatusBoard},
};

/// A gateway at work.
pub struct Gateway {
    address: SocketAddr,
    drain: JoinHandle<()>,
}

impl Gateway {
    /// Starts serving on `listener`. Pub/Sub and Redis may be away, now and later: sockets are served without them.
    ///
    /// It takes clients at once. It wants them, as `/readyz` and `/lbz` tell, once its history is as full as it gets, or after
    /// [`GatewaySettings::warm_up`]: a gateway that remembers little is better than none.
    ///
    /// When the process drains, clients are sent elsewhere in a stagger; [`Gateway::drained`] tells when that is over.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When a setting cannot be used, or the listener has no address.
    pub fn start(settings: &GatewaySettings, process: &Process, bus: Bus, cache: Cache, listener: TcpListener) -> Result<Self, StartError> {
        let address = listener.local_addr()?;
        let bundle = http::Bundle::load(settings.socketio_client_dir.as_deref())?;
        let metrics = process.metrics.register(GatewayMetrics::register);
        bus.report(process.health.component(PUBSUB, State::Up));
        bus.ensure_eventually(&settings.kinds.iter().fold(Topology::new(bus.names()).events().control(), Topology::jobs));

        let (warm_up, clock) = (WarmUp::begin(), Arc::new(PubsubClock::new()));
        let courier = Arc::new(Courier::new(metrics.clone(), settings.max_outbound_bytes));
        let announcer = Arc::new(Announcer::new(Arc::clone(&courier), metrics.clone()));
        let bounds = Bounds { bytes: settings.history_bytes, age: settings.history_age };
        let app = Arc::new(App {
            identities: Identities::new(settings)?,
            allowances: Allowances::new(settings),
            ledger: Arc::new(Ledger::new(bounds, Arc::clone(&courier), metrics.clone())),
            courier: Arc::clone(&courier),
            outbox: Outbox::start(Arc::clone(&announcer), cache.clone(), bus.clone()),
            transports: Arc::new(Transports::default()),
            bus: bus.clone(),
            cache: cache.clone(),
            lifecycle: process.lifecycle.clone(),
            closed: CancellationToken::new(),
            status: StatusBoard::new(&process.health, warm_up.clone()),
            warm_up: warm_up.clone(),
            clock: Arc::clone(&clock),
            metrics: metrics.clone(),
            hostname: process.hostname.clone(),
        });
        let (engine, io) = socket::engine(settings, &app);
        courier.serve(io);
        let router = http::router(settings, process, &app, bundle, engine)?;

        let (leave, abort, open) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let server = Server {
            listener,
            router,
            transports: Arc::clone(&app.transports),
            metrics: metrics.clone(),
            max_connections: settings.max_connections,
            leave: leave.clone(),
            abort: abort.clone(),
            open: open.clone(),
        };
        let ledger = Arc::clone(&app.ledger);
        let relay = Relay { bus, cache, instance: process.instance.clone(), ledger, announcer, warm_up, clock, metrics };
        let (stop_relay, lifecycle) = (CancellationToken::new(), process.lifecycle.clone());
        let relay = tokio::spawn(relay.run(stop_relay.clone(), move || lifecycle.remaining()));
        tokio::spawn(server.run());
        tokio::spawn(app.status.clone().announce(courier));
        tokio::spawn(open_when_warm(process.health.gate("history"), app.warm_up.clone(), settings.warm_up));
        let drain = Drain { app, relay, stop_relay, leave, abort, open, linger: settings.linger };
        Ok(Self { address, drain: tokio::spawn(drain.run()) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the process has drained and every client is gone, which takes no longer than the drain budget. Cancellation safe.
    pub async fn drained(&mut self) {
        if let Err(error) = (&mut self.drain).await {
            tracing::error!(%error, "the drain ended early");
        }
    }
}

async fn open_when_warm(gate: Gate, warm_up: WarmUp, patience: Duration) {
    warm_up.done(patience).await;
    warm_up.finish(HistoryState::Cold);
    gate.open();
}
