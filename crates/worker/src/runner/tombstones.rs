use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use shared::{Audience, Cancellation, JobId};
use tokio::time::Instant;

/// Cancellations of jobs that are not here, or not yet: a queued job with a tombstone ends without running.
///
/// Bounded in number and age. What is forgotten early only means that the job runs after all, unless Redis remembers.
#[derive(Debug, Default)]
pub(crate) struct Tombstones {
    by_job: HashMap<JobId, Vec<Cancellation>>,
    by_age: VecDeque<(Instant, JobId)>,
}

impl Tombstones {
    /// As many as a gateway full of impatient clients makes; some 200 bytes each.
    const MOST: usize = 10_000;
    /// Per job: different people may try to cancel the same one.
    const MOST_PER_JOB: usize = 8;
    /// The control topic's retention, which is how far back a new worker hears, and some more.
    const AGE: Duration = Duration::from_mins(15);

    /// Remembers a cancellation.
    pub(crate) fn add(&mut self, cancellation: Cancellation, now: Instant) {
        self.forget_old(now);
        let job_id = cancellation.job_id;
        let known = self.by_job.entry(job_id).or_default();
        if known.contains(&cancellation) || known.len() >= Self::MOST_PER_JOB {
            return;
        }
        if known.is_empty() {
            self.by_age.push_back((now, job_id));
        }
        known.push(cancellation);
        if self.by_age.len() > Self::MOST {
            self.forget_oldest();
        }
    }

    /// Whether somebody who may has cancelled this job.
    pub(crate) fn cover(&self, job_id: JobId, audience: &Audience) -> bool {
        self.by_job.get(&job_id).is_some_and(|known| known.iter().any(|cancellation| cancellation.covers(audience)))
    }

    fn forget_old(&mut self, now: Instant) {
        while self.by_age.front().is_some_and(|(since, _)| now.duration_since(*since) > Self::AGE) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, job_id)) = self.by_age.pop_front() {
            self.by_job.remove(&job_id);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn by_user(job_id: JobId, user: &str) -> Cancellation {
        Cancellation { job_id, audiences: vec![Audience::User(user.into())] }
    }

    fn user(name: &str) -> Audience {
        Audience::User(name.into())
    }

    #[test]
    fn nobody_cancels_a_strangers_job_nor_keeps_its_owner_from_doing_so() {
        let (mut tombstones, job_id) = (Tombstones::default(), JobId::new());
        tombstones.add(by_user(job_id, "stranger"), Instant::now());
        assert!(!tombstones.cover(job_id, &user("owner")));
        tombstones.add(by_user(job_id, "owner"), Instant::now());
        assert!(tombstones.cover(job_id, &user("owner")));
    }

    #[test]
    fn they_do_not_pile_up() {
        let (mut tombstones, start) = (Tombstones::default(), Instant::now());
        let ids: Vec<JobId> = (0..=Tombstones::MOST).map(|_| JobId::new()).collect();
        for id in &ids {
            tombstones.add(by_user(*id, "1"), start);
        }
        assert!(!tombstones.cover(ids[0], &user("1")), "the oldest makes room");
        assert!(tombstones.cover(ids[1], &user("1")));
        tombstones.add(by_user(JobId::new(), "1"), start + Tombstones::AGE * 2);
        assert_eq!((tombstones.by_job.len(), tombstones.by_age.len()), (1, 1));
    }
}
