use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use google_cloud_gax::options::RequestOptionsBuilder;
use service::State;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    TopicName,
    clients::{Clients, Endpoint},
    error::is_outage,
    metrics::BusMetrics,
};

/// Whether the server is there, found out without waiting for the client library's own patience.
///
/// The client reconnects with pauses of up to a minute, notices a connection that went silent only when the kernel does
/// (a quarter of an hour), and tells nobody. So: a publish that fails for the server's sake takes the link down at once, and so does
/// a probe that is not answered; one is sent when nothing was heard for a while, and when a publish is late.
/// Then one probe at a time, on connections of its own, looks for the server's return.
/// Connections from before an outage are not trusted: the link comes back with new clients, and whoever holds a stream gives it up
/// when the outage begins. A stream that the library revived later would compete with its successor for a moment, and take
/// deliveries along when it goes.
#[derive(Debug)]
pub(crate) struct Link {
    endpoint: Endpoint,
    clients: watch::Sender<Arc<Clients>>,
    state: watch::Sender<State>,
    /// How often the server was lost.
    outages: watch::Sender<u64>,
    suspicion: Notify,
    started: Instant,
    /// When the server was last heard, in milliseconds since `started`; 0 is never.
    heard: AtomicU64,
    metrics: BusMetrics,
}

impl Link {
    /// A server that takes longer to say that it is there is of no use for submits.
    const PROBE_DEADLINE: Duration = Duration::from_secs(1);
    /// Between two probes while the server is away.
    const PROBE_PAUSE: Duration = Duration::from_millis(500);

    /// Up until shown otherwise, so that the first publish is tried.
    pub(crate) fn new(endpoint: Endpoint, clients: Clients, metrics: BusMetrics) -> Self {
        metrics.up(true);
        Self {
            endpoint,
            clients: watch::Sender::new(Arc::new(clients)),
            state: watch::Sender::new(State::Up),
            outages: watch::Sender::new(0),
            suspicion: Notify::new(),
            started: Instant::now(),
            heard: AtomicU64::new(0),
            metrics,
        }
    }

    pub(crate) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(crate) fn is_up(&self) -> bool {
        *self.state.borrow() == State::Up
    }

    pub(crate) fn clients(&self) -> Arc<Clients> {
        self.clients.borrow().clone()
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Tells of every loss of the server, also of one that was over by the time that anybody looked.
    pub(crate) fn outages(&self) -> watch::Receiver<u64> {
        self.outages.subscribe()
    }

    /// Waits until the server is there.
    pub(crate) async fn up(&self) {
        // We hold the sender, so this cannot fail.
        let _ = self.state().wait_for(|state| *state == State::Up).await;
    }

    /// The server was at work just now.
    pub(crate) fn heard(&self) {
        self.heard.store(self.now().max(1), Ordering::Relaxed);
    }

    /// A request failed for the server's sake. Stragglers of an outage that is over, on clients long replaced, prove nothing.
    pub(crate) fn lost(&self, on: &Arc<Clients>) {
        if Arc::ptr_eq(on, &self.clients.borrow()) {
            self.go(State::Down);
            self.suspicion.notify_one();
        }
    }

    /// A request was not answered in time. That may be the server's doing, or this machine's: it is asked at once.
    pub(crate) fn suspect(&self, on: &Arc<Clients>) {
        if Arc::ptr_eq(on, &self.clients.borrow()) {
            self.suspicion.notify_one();
        }
    }

    /// Watches the server for as long as the bus lives. `target` is what probes ask for; it need not exist.
    pub(crate) async fn watch(self: Arc<Self>, target: TopicName, interval: Duration, end: CancellationToken) {
        end.run_until_cancelled(async {
            loop {
                if self.is_up() {
                    let rest = interval.saturating_sub(self.silence());
                    let is_suspect = timeout(rest, self.suspicion.notified()).await.is_ok();
                    // It may have spoken meanwhile, or be known to be lost.
                    if !self.is_up() || !(is_suspect || self.silence() >= interval) {
                        continue;
                    }
                    if probe(&self.clients(), &target).await {
                        self.heard();
                    } else {
                        self.go(State::Down);
                    }
                } else if let Ok(fresh) = self.endpoint.connect().await
                    && probe(&fresh, &target).await
                {
                    self.clients.send_replace(Arc::new(fresh));
                    self.heard();
                    self.go(State::Up);
                } else {
                    sleep(Self::PROBE_PAUSE).await;
                }
            }
        })
        .await;
    }

    /// For ever at first: a process that starts during an outage should know at once.
    fn silence(&self) -> Duration {
        match self.heard.load(Ordering::Relaxed) {
            0 => Duration::MAX,
            heard => Duration::from_millis(self.now().saturating_sub(heard)),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn go(&self, state: State) {
        let changed = self.state.send_if_modified(|current| std::mem::replace(current, state) != state);
        if changed {
            self.metrics.up(state == State::Up);
            if state == State::Down {
                self.outages.send_modify(|outages| *outages += 1);
            }
            tracing::debug!(?state, "pubsub link changed");
        }
    }
}

/// Asks for a topic; any clear answer will do, also that there is no such topic or that this is none of our business.
async fn probe(clients: &Clients, target: &TopicName) -> bool {
    let request = clients.topics.get_topic().set_topic(target.path()).with_attempt_timeout(Link::PROBE_DEADLINE);
    match timeout(Link::PROBE_DEADLINE, request.send()).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => !is_outage(&error),
        Err(_) => false,
    }
}
