use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use shared::{Kind, Trial};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, timeout},
};

/// What other processes tried and this one has heard of, and the dock, in which one suspect stands at a time.
///
/// Bounded in number and age. What is forgotten early only means that a job kills one more process.
#[derive(Debug)]
pub(crate) struct Docket {
    known: Mutex<Known>,
    dock: Arc<Semaphore>,
    caught_up: watch::Sender<bool>,
}

/// The right to run although one is suspected, while no other such job does.
pub(crate) type Dock = OwnedSemaphorePermit;

#[derive(Debug, Default)]
struct Known {
    by_message: HashMap<Key, Trials>,
    by_age: VecDeque<(Instant, Key)>,
}

type Key = (Kind, String);

/// By worker, whether alone: the same trial counts once, however often it is heard of.
type Trials = HashMap<String, bool>;

impl Docket {
    /// A trial is some 200 bytes; nobody can make more of them than there are deliveries after the first.
    const MOST: usize = 10_000;
    /// The control topic's retention, which is how far back a new worker hears, and some more.
    const AGE: Duration = Duration::from_mins(15);
    /// How long a suspect waits at most for this process to hear what happened before it began.
    const PATIENCE: Duration = Duration::from_secs(5);

    pub(crate) fn new() -> Self {
        Self { known: Mutex::default(), dock: Arc::new(Semaphore::new(1)), caught_up: watch::Sender::new(false) }
    }

    /// Remembers a trial in another process.
    pub(crate) fn hear(&self, trial: Trial, now: Instant) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).add(trial, now);
    }

    /// Everything that was said before this process began has been heard, or cannot be.
    pub(crate) fn is_caught_up(&self) -> bool {
        *self.caught_up.borrow()
    }

    pub(crate) fn catch_up(&self) {
        self.caught_up.send_replace(true);
    }

    /// All trials of a message that have been heard of, once all have been that can be. Cancellation safe.
    pub(crate) async fn trials(&self, kind: &Kind, message_id: &str) -> Trials {
        // Late is as good as never: then we know what we know.
        let _ = timeout(Self::PATIENCE, self.caught_up.subscribe().wait_for(|caught_up| *caught_up)).await;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.by_message.get(&(kind.clone(), message_id.to_owned())).cloned().unwrap_or_default()
    }

    /// Waits for the dock; first come, first served. Cancellation safe.
    pub(crate) async fn dock(&self) -> Dock {
        Arc::clone(&self.dock).acquire_owned().await.expect("the semaphore is never closed")
    }
}

impl Known {
    fn add(&mut self, trial: Trial, now: Instant) {
        while self.by_age.front().is_some_and(|(since, _)| now.duration_since(*since) > Docket::AGE) {
            self.forget_oldest();
        }
        let key = (trial.kind, trial.message_id);
        let trials = self.by_message.entry(key.clone()).or_default();
        if trials.is_empty() {
            self.by_age.push_back((now, key));
        }
        trials.insert(trial.worker, trial.alone);
        if self.by_age.len() > Docket::MOST {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.by_age.pop_front() {
            self.by_message.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn trial(message: usize, worker: &str) -> Trial {
        Trial { kind: kind(), message_id: message.to_string(), worker: worker.into(), alone: true }
    }

    fn kind() -> Kind {
        "echo".parse().unwrap()
    }

    #[tokio::test]
    async fn a_trial_counts_once_and_for_its_message_only() {
        let docket = Docket::new();
        docket.catch_up();
        for worker in ["a", "b", "a"] {
            docket.hear(trial(1, worker), Instant::now());
        }
        assert_eq!(docket.trials(&kind(), "1").await.len(), 2);
        assert_eq!(docket.trials(&kind(), "2").await.len(), 0);
        assert_eq!(docket.trials(&"other".parse().unwrap(), "1").await.len(), 0, "ids are unique within a topic only");
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_early_waits_for_the_past_but_not_for_ever() {
        let docket = Arc::new(Docket::new());
        let asked = tokio::spawn({
            let docket = Arc::clone(&docket);
            async move { docket.trials(&kind(), "1").await.len() }
        });
        tokio::task::yield_now().await;
        docket.hear(trial(1, "a"), Instant::now());
        docket.catch_up();
        assert_eq!(asked.await.unwrap(), 1);
        assert_eq!(Docket::new().trials(&kind(), "1").await.len(), 0);
    }

    #[tokio::test]
    async fn trials_do_not_pile_up() {
        let (docket, start) = (Docket::new(), Instant::now());
        docket.catch_up();
        (0..=Docket::MOST).for_each(|message| docket.hear(trial(message, "a"), start));
        assert_eq!(docket.trials(&kind(), "0").await.len(), 0, "the oldest makes room");
        assert_eq!(docket.trials(&kind(), "1").await.len(), 1);
        docket.hear(trial(0, "a"), start + Docket::AGE * 2);
        assert_eq!(docket.trials(&kind(), "1").await.len(), 0);
    }
}
