use std::sync::{Mutex, MutexGuard, PoisonError};

use shared::{JobEvent, JobId};

use super::recent::Recent;

/// How many jobs one socket is remembered to have been told of: a few more than one `job:resume` may name.
const REMEMBERED: usize = 1_024;

/// What one socket was told of its jobs. An event may come by Redis, by Pub/Sub more than once, and as an answer to a resume
/// or to a repeated submit; whichever way is first, the others are left out.
#[derive(Debug)]
pub(crate) struct Told(Mutex<Recent<JobId, Last>>);

/// What a packet says of which job.
#[derive(Debug, Clone, Copy)]
pub(super) struct News {
    job: JobId,
    is: Last,
}

/// The last thing that was said of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Last {
    /// An event of this `seq`.
    Step(u64),
    /// Its end, after which there is nothing, whatever `seq` it had: an end must never be left out in favour of a step.
    End,
}

impl News {
    pub(super) fn of(event: &JobEvent) -> Self {
        let is = if event.event_type.is_terminal() { Last::End } else { Last::Step(event.seq) };
        Self { job: event.job_id, is }
    }
}

impl Told {
    pub(crate) fn nothing() -> Self {
        Self(Mutex::new(Recent::new(REMEMBERED)))
    }

    /// The client has named this job and has heard of it up to `seq`: from now on it is told of older events, too.
    pub(crate) fn follow(&self, job: JobId, seq: u64) {
        let mut told = self.lock();
        if told.get(&job).is_none_or(|last| Last::Step(seq) > *last) {
            told.insert(job, Last::Step(seq));
        }
    }

    /// Does `send`, which tells whether it could, unless this is no news, or is `old` and about a job that the client did not name.
    pub(super) fn tell(&self, news: News, is_old: bool, send: impl FnOnce() -> bool) {
        let mut told = self.lock();
        // What was named may have been forgotten: hearing of it twice is better than never.
        let is_wanted = !is_old || told.has_forgotten();
        if told.get(&news.job).map_or(is_wanted, |last| news.is > *last) && send() {
            told.insert(news.job, news.is);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Recent<JobId, Last>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_sent(told: &Told, job: JobId, is: Last) -> bool {
        is_sent_of_age(told, job, is, false)
    }

    fn is_sent_of_age(told: &Told, job: JobId, is: Last, is_old: bool) -> bool {
        let mut is_sent = false;
        told.tell(News { job, is }, is_old, || {
            is_sent = true;
            true
        });
        is_sent
    }

    #[test]
    fn what_is_old_is_told_to_those_who_named_the_job() {
        let (told, job, other) = (Told::nothing(), JobId::new(), JobId::new());
        told.follow(job, 2);
        assert!(!is_sent_of_age(&told, other, Last::End, true));
        assert_eq!([2, 3].map(|seq| is_sent_of_age(&told, job, Last::Step(seq), true)), [false, true]);
        told.follow(job, 1);
        assert_eq!([3, 4].map(|seq| is_sent_of_age(&told, job, Last::Step(seq), true)), [false, true]);
        assert!(is_sent_of_age(&told, job, Last::End, true));
        told.follow(job, 9);
        assert!(!is_sent_of_age(&told, job, Last::End, false));
    }

    #[test]
    fn only_what_is_newer_is_told_and_nothing_after_the_end() {
        let (told, job) = (Told::nothing(), JobId::new());
        let steps = [Last::Step(2), Last::Step(2), Last::Step(1), Last::Step(3), Last::End, Last::End, Last::Step(9)];
        assert_eq!(steps.map(|is| is_sent(&told, job, is)), [true, false, false, true, true, false, false]);
        assert!(is_sent(&told, JobId::new(), Last::Step(1)));
    }

    #[test]
    fn what_could_not_be_sent_was_not_told() {
        let (told, job) = (Told::nothing(), JobId::new());
        told.tell(News { job, is: Last::Step(5) }, false, || false);
        assert!(is_sent(&told, job, Last::Step(5)));
    }
}
