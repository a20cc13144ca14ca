use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use shared::{Audience, Cancellation, JobEvent, JobId, JobMessage};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

/// The jobs that run in this process or ended here lately, so that a second message for one does not run it again.
///
/// A job is its id and its audience: whoever guesses an id gets a job of their own, not somebody else's result.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    running: HashMap<Key, Running>,
    finished: HashMap<Key, Finished>,
    by_age: VecDeque<(Instant, Key)>,
    kept_bytes: usize,
}

type Key = (JobId, Audience);

#[derive(Debug)]
struct Running {
    cancel: CancellationToken,
    ending: watch::Receiver<Option<Ending>>,
}

#[derive(Debug, Clone)]
struct Finished {
    message_id: String,
    /// None if it was too large to be kept.
    event: Option<JobEvent>,
}

/// How a job left this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Its terminal event was confirmed: further messages for it can go.
    Settled,
    /// It is to be delivered again.
    HandedBack,
}

/// What to do with a message for a job.
#[derive(Debug)]
pub(crate) enum Admission {
    /// Run it.
    Run(Ticket),
    /// It runs already: wait for [`ending`].
    Running(watch::Receiver<Option<Ending>>),
    /// It ended, and this is the message of then, redelivered: its event is confirmed.
    Settled,
    /// It ended, and somebody asks again: tell them again. The event is the same, number and all.
    Ended(Box<JobEvent>),
}

/// The right to run a job. Dropping it hands the job back.
///
/// It must be dropped before a message that carries the job on is published: that one may arrive here.
#[derive(Debug)]
pub(crate) struct Ticket {
    ledger: Arc<Ledger>,
    key: Key,
    message_id: String,
    cancel: CancellationToken,
    ending: watch::Sender<Option<Ending>>,
}

/// How the job that runs elsewhere in this process left it.
pub(crate) async fn ending(mut running: watch::Receiver<Option<Ending>>) -> Ending {
    running.wait_for(Option::is_some).await.ok().and_then(|ending| *ending).unwrap_or(Ending::HandedBack)
}

impl Ledger {
    /// How long an ended job is remembered.
    const AGE: Duration = Duration::from_mins(10);
    /// How many ended jobs are remembered; some 300 bytes each.
    const MOST: usize = 20_000;
    /// How much of their results is kept for those who ask again.
    const MOST_BYTES: usize = 16 << 20;
    /// Larger results are not kept: asking again runs the job again.
    const MOST_BYTES_EACH: usize = 256 << 10;

    /// Decides what to do with a message; both in one step, so that of two messages one runs.
    pub(crate) fn admit(self: &Arc<Self>, job: &JobMessage, message_id: &str) -> Admission {
        let key = (job.id, job.audience.clone());
        let mut inner = self.lock();
        inner.forget_old(Instant::now());
        if let Some(running) = inner.running.get(&key) {
            return Admission::Running(running.ending.clone());
        }
        match inner.finished.get(&key) {
            Some(finished) if finished.message_id == message_id => return Admission::Settled,
            Some(Finished { event: Some(event), .. }) => return Admission::Ended(Box::new(event.clone())),
            _ => {}
        }
        let (sender, receiver) = watch::channel(None);
        let cancel = CancellationToken::new();
        inner.running.insert(key.clone(), Running { cancel: cancel.clone(), ending: receiver });
        Admission::Run(Ticket { ledger: Arc::clone(self), key, message_id: message_id.to_owned(), cancel, ending: sender })
    }

    /// Fires the token of the job, if it runs here and whoever asks may.
    pub(crate) fn cancel(&self, cancellation: &Cancellation) {
        for ((job_id, audience), running) in &self.lock().running {
            if *job_id == cancellation.job_id && cancellation.covers(audience) {
                running.cancel.cancel();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Fires when somebody cancels the job.
    pub(crate) fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    /// The job's terminal event is confirmed.
    pub(crate) fn ended(self, event: JobEvent) {
        let event = Some(event).filter(|event| size(event) <= Ledger::MOST_BYTES_EACH);
        let finished = Finished { message_id: self.message_id.clone(), event };
        self.ledger.lock().remember(self.key.clone(), finished, Instant::now());
        self.ending.send_replace(Some(Ending::Settled));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.ledger.lock().running.remove(&self.key);
    }
}

impl Inner {
    fn remember(&mut self, key: Key, finished: Finished, now: Instant) {
        self.kept_bytes += finished.event.as_ref().map_or(0, size);
        if let Some(replaced) = self.finished.insert(key.clone(), finished) {
            self.kept_bytes -= replaced.event.as_ref().map_or(0, size);
        } else {
            self.by_age.push_back((now, key));
        }
        while self.by_age.len() > Ledger::MOST || self.kept_bytes > Ledger::MOST_BYTES {
            self.forget_oldest();
        }
    }

    fn forget_old(&mut self, now: Instant) {
        while self.by_age.front().is_some_and(|(since, _)| now.duration_since(*since) > Ledger::AGE) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(forgotten) = self.by_age.pop_front().and_then(|(_, key)| self.finished.remove(&key)) {
            self.kept_bytes -= forgotten.event.as_ref().map_or(0, size);
        }
    }
}

fn size(event: &JobEvent) -> usize {
    event.data.as_ref().map_or(0, shared::Payload::len)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use shared::{EventType, Payload, Timestamp};

    use super::*;

    fn job(user: &str) -> JobMessage {
        JobMessage {
            id: JobId::new(),
            kind: "echo".parse().unwrap(),
            audience: Audience::User(user.into()),
            submitted_at: Timestamp::UNIX_EPOCH,
            max_attempts: None,
            timeout: None,
            payload: Payload::encode(&()).unwrap(),
        }
    }

    fn succeeded(job: &JobMessage, bytes: usize) -> JobEvent {
        JobEvent {
            job_id: job.id,
            kind: job.kind.clone(),
            audience: job.audience.clone(),
            seq: 7,
            attempt: 1,
            event_type: EventType::Succeeded,
            at: Timestamp::UNIX_EPOCH,
            data: Some(Payload::Raw { content_type: "x/y".into(), bytes: vec![0; bytes].into() }),
            error: None,
        }
    }

    fn run(ledger: &Arc<Ledger>, job: &JobMessage, message_id: &str) -> Ticket {
        match ledger.admit(job, message_id) {
            Admission::Run(ticket) => ticket,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_second_message_waits_for_the_first() {
        let (ledger, job) = (Arc::new(Ledger::default()), job("1"));
        let ticket = run(&ledger, &job, "a");
        let Admission::Running(second) = ledger.admit(&job, "b") else { panic!("it runs") };
        ticket.ended(succeeded(&job, 0));
        assert_eq!(ending(second).await, Ending::Settled);
    }

    #[tokio::test]
    async fn when_the_first_is_handed_back_so_is_the_second() {
        let (ledger, job) = (Arc::new(Ledger::default()), job("1"));
        let ticket = run(&ledger, &job, "a");
        let Admission::Running(second) = ledger.admit(&job, "b") else { panic!("it runs") };
        drop(ticket);
        assert_eq!(ending(second).await, Ending::HandedBack);
        run(&ledger, &job, "a");
    }

    #[test]
    fn a_redelivery_of_an_ended_job_is_settled_and_a_resubmission_is_told_again() {
        let (ledger, job) = (Arc::new(Ledger::default()), job("1"));
        run(&ledger, &job, "a").ended(succeeded(&job, 10));
        assert!(matches!(ledger.admit(&job, "a"), Admission::Settled));
        assert!(matches!(ledger.admit(&job, "b"), Admission::Ended(event) if event.seq == 7));
    }

    #[test]
    fn a_guessed_id_gives_a_job_of_ones_own() {
        let (ledger, owners) = (Arc::new(Ledger::default()), job("owner"));
        let ticket = run(&ledger, &owners, "a");
        let guessed = JobMessage { audience: Audience::User("stranger".into()), ..owners };
        run(&ledger, &guessed, "b");
        ledger.cancel(&Cancellation { job_id: guessed.id, audiences: vec![guessed.audience] });
        assert!(!ticket.cancel().is_cancelled());
    }

    #[test]
    fn results_do_not_pile_up() {
        let ledger = Arc::new(Ledger::default());
        let jobs: Vec<JobMessage> = (0..100).map(|_| job("1")).collect();
        for job in &jobs {
            run(&ledger, job, "a").ended(succeeded(job, Ledger::MOST_BYTES_EACH));
        }
        assert!(ledger.lock().kept_bytes <= Ledger::MOST_BYTES);
        assert!(matches!(ledger.admit(&jobs[99], "a"), Admission::Settled));
        run(&ledger, &jobs[0], "a");
        let huge = job("1");
        run(&ledger, &huge, "a").ended(succeeded(&huge, Ledger::MOST_BYTES_EACH + 1));
        assert!(matches!(ledger.admit(&huge, "a"), Admission::Settled));
        run(&ledger, &huge, "b");
    }
}
