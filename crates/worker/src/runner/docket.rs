use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use shared::{Kind, Trial};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// What other processes tried and this one has heard of, and the dock, in which one suspect stands at a time.
///
/// Bounded in number and age. What is forgotten early only means that a job kills one more process.
#[derive(Debug)]
pub(crate) struct Docket {
    known: Mutex<Known>,
    dock: Arc<Semaphore>,
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

    pub(crate) fn new() -> Self {
        Self { known: Mutex::default(), dock: Arc::new(Semaphore::new(1)) }
    }

    /// Remembers a trial in another process.
    pub(crate) fn hear(&self, trial: Trial, now: Instant) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).add(trial, now);
    }

    /// All trials of a message that have been heard of.
    pub(crate) fn trials(&self, kind: &Kind, message_id: &str) -> Trials {
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

    #[test]
    fn a_trial_counts_once_and_for_its_message_only() {
        let docket = Docket::new();
        for worker in ["a", "b", "a"] {
            docket.hear(trial(1, worker), Instant::now());
        }
        assert_eq!(docket.trials(&kind(), "1").len(), 2);
        assert_eq!(docket.trials(&kind(), "2").len(), 0);
        assert_eq!(docket.trials(&"other".parse().unwrap(), "1").len(), 0, "ids are unique within a topic only");
    }

    #[test]
    fn trials_do_not_pile_up() {
        let (docket, start) = (Docket::new(), Instant::now());
        (0..=Docket::MOST).for_each(|message| docket.hear(trial(message, "a"), start));
        assert_eq!(docket.trials(&kind(), "0").len(), 0, "the oldest makes room");
        assert_eq!(docket.trials(&kind(), "1").len(), 1);
        docket.hear(trial(0, "a"), start + Docket::AGE * 2);
        assert_eq!(docket.trials(&kind(), "1").len(), 0);
    }
}
