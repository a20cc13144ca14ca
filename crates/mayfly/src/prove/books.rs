use std::collections::HashMap;

use serde_json::{Value, json};
use shared::JobId;

/// What became of every job of a drill. Pure.
#[derive(Default)]
pub(super) struct Books {
    jobs: HashMap<JobId, Job>,
    /// Which ack answers which submit, on the connection that there is now.
    asked: HashMap<u64, JobId>,
}

#[derive(Default)]
struct Job {
    is_accepted: bool,
    is_refused: bool,
    seq: u64,
    ends: usize,
    has_failed: bool,
}

/// All jobs added up.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) submitted: usize,
    pub(super) accepted: usize,
    pub(super) refused: usize,
    /// Accepted, and never ended.
    pub(super) lost: usize,
    /// Ended more than once.
    pub(super) twice: usize,
    /// Ended otherwise than it should.
    pub(super) failed: usize,
}

impl Books {
    /// A new job.
    pub(super) fn open(&mut self) -> JobId {
        let id = JobId::new();
        self.jobs.insert(id, Job::default());
        id
    }

    /// Its submit is on its way.
    pub(super) fn asked(&mut self, ack: u64, id: JobId) {
        self.asked.insert(ack, id);
    }

    /// Yields the job if it is to be submitted again: the refusal says when.
    pub(super) fn answered(&mut self, ack: u64, answer: &Value) -> Option<JobId> {
        let id = self.asked.remove(&ack)?;
        let job = self.jobs.get_mut(&id)?;
        if answer["ok"] == true {
            job.is_accepted = true;
        } else if answer["error"]["retryAfterMs"].is_u64() {
            return Some(id);
        } else {
            job.is_refused = true;
        }
        None
    }

    /// `is_right` tells of an end whether it is as it should be.
    pub(super) fn heard(&mut self, event: &Value, is_right: impl FnOnce(JobId) -> bool) {
        let Some(id) = event["jobId"].as_str().and_then(|id| id.parse().ok()) else { return };
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.seq = job.seq.max(event["seq"].as_u64().unwrap_or_default());
        if matches!(event["type"].as_str(), Some("succeeded" | "failed" | "cancelled")) {
            job.ends += 1;
            job.has_failed |= !is_right(id);
        }
    }

    /// The connection is another one: yields what to submit again, since nobody answered, and what to ask `job:resume` for.
    pub(super) fn reconnected(&mut self) -> (Vec<JobId>, Vec<Value>) {
        self.asked.clear();
        let unanswered = self.jobs.iter().filter(|(_, job)| !job.is_accepted && !job.is_refused).map(|(id, _)| *id).collect();
        let unfinished = self.jobs.iter().filter(|(_, job)| job.is_accepted && job.ends == 0);
        (unanswered, unfinished.map(|(id, job)| json!({ "id": id, "seq": job.seq })).collect())
    }

    /// Whether nothing more is to come.
    pub(super) fn is_settled(&self) -> bool {
        self.jobs.values().all(|job| if job.is_accepted { job.ends > 0 } else { job.is_refused })
    }

    pub(super) fn sum(&self) -> Sum {
        let count = |is: fn(&Job) -> bool| self.jobs.values().filter(|job| is(job)).count();
        Sum {
            submitted: self.jobs.len(),
            accepted: count(|job| job.is_accepted),
            refused: count(|job| job.is_refused),
            lost: count(|job| job.is_accepted && job.ends == 0),
            twice: count(|job| job.ends > 1),
            failed: count(|job| job.has_failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_accounted_for() {
        let mut books = Books::default();
        let ids: Vec<_> = (0..5).map(|_| books.open()).collect();
        for (ack, id) in (0..).zip(&ids) {
            books.asked(ack, *id);
        }
        let end = |id: &JobId| json!({ "jobId": id, "seq": 7, "type": "succeeded" });
        for ack in 0..3 {
            books.answered(ack, &json!({ "ok": true }));
        }
        let later = json!({ "ok": false, "error": { "code": "queue_unavailable", "retryAfterMs": 1_000 } });
        assert_eq!(books.answered(3, &later), Some(ids[3]));
        books.asked(3, ids[3]);
        assert_eq!(books.answered(3, &json!({ "ok": false, "error": { "code": "unknown_kind" } })), None);
        books.heard(&end(&ids[0]), |_| true);
        books.heard(&json!({ "jobId": ids[1], "seq": 5, "type": "progress" }), |_| false);
        assert!(!books.is_settled());

        let (again, resume) = books.reconnected();
        assert_eq!((again, resume.len()), (vec![ids[4]], 2));
        assert!(resume.contains(&json!({ "id": ids[1], "seq": 5 })));

        books.asked(0, ids[4]);
        books.answered(0, &json!({ "ok": true }));
        for id in [1, 4, 4] {
            books.heard(&end(&ids[id]), |of| of == ids[4]);
        }
        assert_eq!(books.sum(), Sum { submitted: 5, accepted: 4, refused: 1, lost: 1, twice: 1, failed: 1 });
        books.heard(&end(&ids[2]), |_| true);
        assert!(books.is_settled());
    }
}
