use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use cache::Story;
use shared::{
    Audience, JobEvent, JobId, Kind, Timestamp,
    client::{ResumeJob, ResumedJob},
};
use socketioxide::extract::SocketRef;
use tokio::sync::watch;
use tracing::warn;

use super::{courier::Courier, wire::Packet};
use crate::{
    allowance::UnfinishedJob,
    history::{Begun, Bounds, JobRecord, Outcome, Ring, Settled, Since, Taken},
    metrics::{GatewayMetrics, Relayed},
    socket::Client,
};

/// By how much the clocks of two gateways may differ.
const SKEW: Duration = Duration::from_secs(10);

/// Everything that clients hear about jobs passes through here, under one lock: the order in which events are taken is the
/// order in which every client hears of them. Nothing waits under the lock, since sending never does.
pub(crate) struct Ledger {
    ring: Mutex<Ring>,
    courier: Arc<Courier>,
    metrics: GatewayMetrics,
}

/// How a submit begins, see [`Begun`].
pub(crate) enum Start {
    New(Settling),
    InFlight { audience: Audience, outcome: watch::Receiver<Outcome> },
    Known(Box<JobRecord>),
}

/// A submit that is not answered yet. Dropping it, after the answer, lets the job's events through.
pub(crate) struct Settling {
    ledger: Arc<Ledger>,
    id: JobId,
    outcome: Outcome,
}

impl Ledger {
    pub(crate) fn new(bounds: Bounds, courier: Arc<Courier>, metrics: GatewayMetrics) -> Self {
        Self { ring: Mutex::new(Ring::new(bounds)), courier, metrics }
    }

    /// Takes an event and passes it on, if it is news.
    pub(crate) fn take(&self, event: JobEvent, since: Since) {
        let (event_type, mut ring) = (event.event_type, self.ring());
        let relayed = match ring.take(event, since, Instant::now()) {
            Taken::New(event) => {
                self.send(&self.courier.audience(&event.audience), &event, since);
                Relayed::Delivered
            }
            Taken::Held => Relayed::Held,
            Taken::Stale => Relayed::Stale,
        };
        self.metrics.relayed(event_type, relayed);
    }

    /// Takes what was found elsewhere of a job, for the record.
    pub(crate) fn remember(&self, Story { submitted, events }: Story) {
        let mut ring = self.ring();
        if let Some(submitted) = submitted {
            let at = instant(submitted.at).and_then(|at| at.checked_sub(SKEW));
            ring.take_submitted(&submitted, at, Instant::now());
        }
        for event in events {
            let event_type = event.event_type;
            // Those who asked are answered by whoever asks for this.
            let _ = ring.take(event, Since::Before, Instant::now());
            self.metrics.relayed(event_type, Relayed::Backlog);
        }
    }

    /// Begins a submit, see [`Ring::begin`]. A new job is held until the [`Settling`] is dropped.
    pub(crate) fn begin(self: &Arc<Self>, id: JobId, kind: &Kind, audience: &Audience, place: Option<UnfinishedJob>) -> Start {
        match self.ring().begin(id, kind, audience, place, Instant::now()) {
            Begun::New => Start::New(Settling { ledger: Arc::clone(self), id, outcome: Outcome::Refused }),
            Begun::InFlight { audience, outcome } => Start::InFlight { audience, outcome },
            Begun::Known(record) => Start::Known(record),
        }
    }

    /// What is known of a job.
    pub(crate) fn job(&self, id: JobId) -> Option<JobRecord> {
        self.ring().job(id)
    }

    /// Answers a client that came back, then sends it what it missed, with no event of these jobs in between.
    pub(crate) fn catch_up(&self, socket: &SocketRef, client: &Client, asked: &[ResumeJob], answer: impl FnOnce(Vec<ResumedJob>)) {
        let (caller, mut ring) = (client.caller(), self.ring());
        let known = |ring: &Ring, job: &ResumeJob| ring.job(job.id).filter(|record| caller.is_among(&record.audience));
        let resumed = asked.iter().map(|job| {
            let record = known(&ring, job);
            let recovered = record.as_ref().is_some_and(|record| record.is_certain);
            ResumedJob { id: job.id, state: record.map(|record| record.view.state), recovered }
        });
        answer(resumed.collect());
        for job in asked {
            // What is not here yet may come late.
            client.told.follow(job.id, job.seq);
            if known(&ring, job).is_none() {
                continue;
            }
            for event in ring.events_after(job.id, job.seq) {
                self.send(std::slice::from_ref(socket), &event, Since::Now);
            }
        }
    }

    /// From now on events come; what was before is not known.
    pub(crate) fn lose_track(&self) {
        self.ring().listen_since(Instant::now());
    }

    /// Events come, and came or will come since then.
    pub(crate) fn listen_since(&self, since: Timestamp) {
        self.ring().listen_since(instant(since).unwrap_or_else(Instant::now));
    }

    /// Forgets what is too old, and counts the rest.
    pub(crate) fn tidy(&self) {
        let mut ring = self.ring();
        ring.evict(Instant::now());
        let ((jobs, bytes), evicted) = (ring.size(), ring.take_evicted());
        drop(ring);
        self.metrics.history_evicted.inc_by(evicted);
        self.metrics.history_jobs.set(i64::try_from(jobs).unwrap_or(i64::MAX));
        self.metrics.history_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    fn settle(&self, id: JobId, outcome: Outcome) {
        let mut ring = self.ring();
        let Settled { held, since } = ring.settle(id, outcome);
        for event in held {
            self.send(&self.courier.audience(&event.audience), &event, since);
            self.metrics.relayed(event.event_type, Relayed::Delivered);
        }
    }

    fn send(&self, sockets: &[SocketRef], event: &JobEvent, since: Since) {
        if sockets.is_empty() {
            return;
        }
        match Packet::of_job_event(event, since) {
            Ok(packet) => self.courier.send_all(sockets, &packet),
            Err(error) => warn!(job = %event.job_id, %error, "an event's data cannot be written for socket.io"),
        }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When that was, on the clock that is never set; the future is now. Nothing if the clock does not go back so far.
fn instant(at: Timestamp) -> Option<Instant> {
    let age = Duration::try_from(Timestamp::now().duration_since(at)).unwrap_or_default();
    Instant::now().checked_sub(age)
}

impl Settling {
    /// Pub/Sub has the job.
    pub(crate) fn accept(&mut self) {
        self.outcome = Outcome::Accepted;
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        self.ledger.settle(self.id, self.outcome);
    }
}
