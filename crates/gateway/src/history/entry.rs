use std::{sync::Arc, time::Instant};

use shared::{
    Audience, JobEvent, JobId, Kind, Payload, Timestamp,
    client::{JobState, JobView},
};
use tokio::sync::watch;

use crate::allowance::UnfinishedJob;

/// What became of a submit that others may be waiting for too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pending,
    Accepted,
    Refused,
}

/// Since when an event could be known. A client was told elsewhere of what is older than its connection, or asks for it:
/// hearing of it here as well, it would hear twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// It is for everybody who is here.
    Now,
    /// It is for those who were here when Pub/Sub took it, and for those who named the job.
    Published(Timestamp),
    /// It was found in some history, and is for those who named the job.
    Before,
}

/// One job, as far as it is known here.
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) audience: Audience,
    /// The newest event of those that the next one replaces.
    pub(super) latest: Option<Arc<JobEvent>>,
    pub(super) terminal: Option<Arc<JobEvent>>,
    pub(super) submitted_at: Timestamp,
    /// There while the submit has not been answered; nobody hears of the job until then.
    pub(super) submit: Option<watch::Sender<Outcome>>,
    /// Its place among its submitter's unfinished jobs, until it is finished.
    pub(super) place: Option<UnfinishedJob>,
    /// Since when the newest event could be known.
    pub(super) since: Since,
    pub(super) touched: Instant,
    /// When it certainly had not ended. Its end is not missed by whoever misses nothing from then on.
    pub(super) alive_at: Option<Instant>,
    /// Its place in the order of eviction.
    pub(super) turn: u64,
    pub(super) size: usize,
}

/// A copy of what is known of a job.
#[derive(Debug, Clone)]
pub(crate) struct JobRecord {
    pub(crate) audience: Audience,
    pub(crate) view: JobView,
    pub(crate) data: Option<Payload>,
    /// The end, if it has come.
    pub(crate) terminal: Option<Arc<JobEvent>>,
    /// Whether nothing can have been missed of it.
    pub(crate) is_certain: bool,
}

/// What an entry takes beside its payloads, roughly: the maps' slots, names, and the events' fixed parts.
const OVERHEAD: usize = 600;

impl Entry {
    /// The newest event, if there is one.
    pub(super) fn newest(&self) -> Option<&Arc<JobEvent>> {
        self.terminal.as_ref().or(self.latest.as_ref())
    }

    /// The events that a client which has seen `seq` has not.
    pub(super) fn after(&self, seq: u64) -> impl Iterator<Item = &Arc<JobEvent>> {
        // After the end, what came before it is of no interest.
        let latest = self.latest.as_ref().filter(|_| self.terminal.is_none());
        latest.into_iter().chain(self.terminal.as_ref()).filter(move |event| event.seq > seq)
    }

    /// Makes the end newer than `seq`, if there is one and it is older.
    pub(super) fn outrank(&mut self, seq: u64) {
        if let Some(terminal) = self.terminal.as_mut().filter(|terminal| terminal.seq < seq) {
            Arc::make_mut(terminal).seq = seq.saturating_add(1);
        }
    }

    pub(super) fn measure(&self) -> usize {
        let payload = |event: &Arc<JobEvent>| {
            event.data.as_ref().map_or(0, Payload::len) + event.error.as_ref().map_or(0, |error| error.message.len())
        };
        OVERHEAD + self.latest.as_ref().map_or(0, payload) + self.terminal.as_ref().map_or(0, payload)
    }

    /// `listens_since` is when this gateway began to miss nothing, if it does.
    pub(super) fn record(&self, id: JobId, listens_since: Option<Instant>) -> JobRecord {
        let newest = self.newest();
        let view = JobView {
            id,
            kind: self.kind.to_string(),
            state: newest.map_or(JobState::Queued, |event| event.event_type.into()),
            seq: newest.map_or(0, |event| event.seq),
            attempt: newest.map_or(0, |event| event.attempt),
            updated_at: newest.map_or(self.submitted_at, |event| event.at),
            error: newest.and_then(|event| event.error.clone()),
        };
        let data = newest.and_then(|event| event.data.clone());
        let is_followed = self.alive_at.zip(listens_since).is_some_and(|(alive_at, since)| since <= alive_at);
        JobRecord {
            audience: self.audience.clone(),
            view,
            data,
            terminal: self.terminal.clone(),
            is_certain: self.terminal.is_some() || is_followed,
        }
    }
}
