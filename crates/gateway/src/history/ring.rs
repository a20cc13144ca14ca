use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use shared::{Audience, JobEvent, JobId, Kind, Submitted, Timestamp};
use tokio::sync::watch;

use super::entry::{Entry, JobRecord, Outcome, Since};
use crate::allowance::UnfinishedJob;

/// The recent jobs, bounded by size and age: whichever moved longest ago is forgotten first.
pub(crate) struct Ring {
    bounds: Bounds,
    jobs: HashMap<JobId, Entry>,
    turns: BTreeMap<u64, JobId>,
    next_turn: u64,
    /// Since when no event was missed; none before this gateway listens.
    listens_since: Option<Instant>,
    /// When the last of the jobs that were forgotten had moved.
    forgot_until: Option<Instant>,
    bytes: usize,
    evicted: u64,
}

/// How much is remembered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) bytes: usize,
    /// Since a job last moved.
    pub(crate) age: Duration,
}

/// What a submit met.
pub(crate) enum Begun {
    /// A new job; nobody hears of it until [`Ring::settle`].
    New,
    /// Another submit of the same id is on its way.
    InFlight { audience: Audience, outcome: watch::Receiver<Outcome> },
    /// It was accepted before.
    Known(Box<JobRecord>),
}

/// What a submit that ends lets through.
pub(crate) struct Settled {
    pub(crate) held: Vec<Arc<JobEvent>>,
    pub(crate) since: Since,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Taken {
    /// To be passed on, as it is here: its `seq` may have been raised.
    New(Arc<JobEvent>),
    /// To be passed on when its submit is settled.
    Held,
    /// Not newer than what was passed on, or after the end.
    Stale,
}

impl Ring {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            jobs: HashMap::new(),
            turns: BTreeMap::new(),
            next_turn: 0,
            listens_since: None,
            forgot_until: None,
            bytes: 0,
            evicted: 0,
        }
    }

    /// How many jobs and bytes are remembered.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.jobs.len(), self.bytes)
    }

    /// Begins a submit. `place` is given back with the job's end, or when the job is forgotten.
    pub(crate) fn begin(&mut self, id: JobId, kind: &Kind, audience: &Audience, place: Option<UnfinishedJob>, now: Instant) -> Begun {
        if let Some(entry) = self.jobs.get(&id) {
            return match &entry.submit {
                Some(submit) => Begun::InFlight { audience: entry.audience.clone(), outcome: submit.subscribe() },
                None => Begun::Known(Box::new(entry.record(id, self.listens_since))),
            };
        }
        let entry = self.insert(id, kind.clone(), audience.clone(), now);
        entry.submit = Some(watch::Sender::new(Outcome::Pending));
        entry.alive_at = Some(now);
        entry.place = place;
        self.touch(id, now);
        Begun::New
    }

    /// Ends a submit, after its answer was sent. Yields the events that were held back meanwhile.
    ///
    /// A job that was refused is forgotten, unless there are events to prove that it was accepted all the same.
    pub(crate) fn settle(&mut self, id: JobId, outcome: Outcome) -> Settled {
        let Some(entry) = self.jobs.get_mut(&id) else { return Settled { held: Vec::new(), since: Since::Now } };
        if let Some(submit) = entry.submit.take() {
            submit.send_replace(outcome);
        }
        let settled = Settled { held: entry.latest.iter().chain(&entry.terminal).cloned().collect(), since: entry.since };
        if outcome == Outcome::Refused && settled.held.is_empty() {
            self.forget(id);
        }
        settled
    }

    /// Takes an event. The first end of a job is always passed on, even if a later delivery has been heard of already:
    /// then it gets the next `seq`, so that it is the newest to whoever listens.
    ///
    /// What was found elsewhere is passed on once more when it comes in by itself: those who did not name the job were not told.
    pub(crate) fn take(&mut self, mut event: JobEvent, since: Since, now: Instant) -> Taken {
        let (id, is_end) = (event.job_id, event.event_type.is_terminal());
        if !self.jobs.contains_key(&id) {
            self.insert(id, event.kind.clone(), event.audience.clone(), now);
        }
        let Some(entry) = self.jobs.get_mut(&id) else { return Taken::Stale };
        let is_held = entry.submit.is_some();
        let newest = entry.newest().cloned();
        // An end may have got a higher `seq` meanwhile, see `outrank`.
        if let Some(newest) = newest.as_ref().filter(|newest| newest.seq == event.seq || (is_end && newest.event_type.is_terminal()))
            && entry.since == Since::Before
        {
            entry.since = since;
            return if is_held { Taken::Held } else { Taken::New(Arc::clone(newest)) };
        }
        let seen = newest.map(|newest| newest.seq);
        let is_newer = seen.is_none_or(|seen| event.seq > seen);
        if entry.terminal.is_some() || !(is_newer || is_end) {
            return Taken::Stale;
        }
        if !is_newer {
            event.seq = seen.map_or(event.seq, |seen| seen + 1);
        }
        entry.since = since;
        if since != Since::Before {
            entry.alive_at = Some(now);
        }
        // Whoever submitted an id here, the worker knows whose job it is.
        entry.audience.clone_from(&event.audience);
        let event = Arc::new(event);
        if is_end {
            entry.terminal = Some(Arc::clone(&event));
            entry.place = None;
        } else {
            entry.latest = Some(Arc::clone(&event));
        }
        self.touch(id, now);
        if is_held { Taken::Held } else { Taken::New(event) }
    }

    /// Takes a job that a gateway accepted; `at` is when, as far as can be told. It has not ended if its end would have been heard
    /// here, and would not have been forgotten.
    pub(crate) fn take_submitted(&mut self, submitted: &Submitted, at: Option<Instant>, now: Instant) {
        let id = submitted.job_id;
        let is_followed = at > self.forgot_until && self.listens_since.is_some_and(|since| at >= Some(since));
        let is_new = !self.jobs.contains_key(&id);
        if is_new {
            self.insert(id, submitted.kind.clone(), submitted.audience.clone(), now);
        }
        let Some(entry) = self.jobs.get_mut(&id) else { return };
        entry.submitted_at = entry.submitted_at.min(submitted.at);
        // A submit that is on its way here turns out to be a repetition: it is not when the job began.
        if is_followed || entry.submit.is_some() {
            entry.alive_at = is_followed.then_some(now);
        }
        if is_new {
            self.touch(id, now);
        }
    }

    /// What is known of a job.
    pub(crate) fn job(&self, id: JobId) -> Option<JobRecord> {
        self.jobs.get(&id).map(|entry| entry.record(id, self.listens_since))
    }

    /// The events of a job that a client which has seen `seq` has not; of those before the end, only the latest is kept.
    ///
    /// A client that saw progress of a later delivery than the one that ended the job still gets the end, with a number
    /// that is news to it.
    pub(crate) fn events_after(&mut self, id: JobId, seq: u64) -> Vec<Arc<JobEvent>> {
        let Some(entry) = self.jobs.get_mut(&id).filter(|entry| entry.submit.is_none()) else { return Vec::new() };
        entry.outrank(seq);
        entry.after(seq).cloned().collect()
    }

    /// Events from before `since` may have been missed: what has not ended and has not moved from then on may have ended long ago.
    /// From then on, all of them come.
    pub(crate) fn listen_since(&mut self, since: Instant) {
        self.listens_since = self.listens_since.max(Some(since));
    }

    /// Forgets what is too old or too much.
    pub(crate) fn evict(&mut self, now: Instant) {
        while let Some((_, id)) = self.turns.first_key_value() {
            let id = *id;
            let is_old = self.jobs.get(&id).is_none_or(|entry| now.saturating_duration_since(entry.touched) > self.bounds.age);
            if !is_old && self.bytes <= self.bounds.bytes {
                break;
            }
            self.evicted += u64::from(!is_old);
            self.forgot_until = self.forgot_until.max(self.jobs.get(&id).map(|entry| entry.touched));
            self.forget(id);
        }
    }

    /// How many jobs were forgotten before their time for want of room, since this was asked last.
    pub(crate) fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.evicted)
    }

    fn insert(&mut self, id: JobId, kind: Kind, audience: Audience, now: Instant) -> &mut Entry {
        self.next_turn += 1;
        let turn = self.next_turn;
        self.turns.insert(turn, id);
        self.jobs.entry(id).or_insert(Entry {
            kind,
            audience,
            latest: None,
            terminal: None,
            submitted_at: Timestamp::now(),
            submit: None,
            place: None,
            since: Since::Now,
            touched: now,
            alive_at: None,
            turn,
            size: 0,
        })
    }

    /// Makes a job the last in the order of eviction and weighs it anew.
    fn touch(&mut self, id: JobId, now: Instant) {
        let Some(entry) = self.jobs.get_mut(&id) else { return };
        self.turns.remove(&entry.turn);
        self.next_turn += 1;
        entry.turn = self.next_turn;
        self.turns.insert(entry.turn, id);
        entry.touched = now;
        let size = entry.measure();
        self.bytes = self.bytes - entry.size + size;
        entry.size = size;
        self.evict(now);
    }

    fn forget(&mut self, id: JobId) {
        if let Some(entry) = self.jobs.remove(&id) {
            self.turns.remove(&entry.turn);
            self.bytes -= entry.size;
        }
    }
}
