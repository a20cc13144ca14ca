//! How much one client may ask for.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use cache::{Allowed, Cache};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock};
use shared::{ErrorCode, WireError, client::ClientLimits};

use crate::GatewaySettings;

/// How long somebody with too many unfinished jobs should wait before trying again.
const FULL_RETRY: Duration = Duration::from_secs(1);

/// The allowances of everybody who has one at this gateway.
pub(crate) struct Allowances {
    limits: ClientLimits,
    requests_per_second: u32,
    known: Mutex<Known>,
}

struct Known {
    allowances: HashMap<String, Weak<Allowance>>,
    /// When to look for those whose owners are gone.
    sweep_at: usize,
}

/// One client's allowance; it lives as long as one of its sockets or unfinished jobs.
pub(crate) struct Allowance {
    /// Whose it is, the same at every gateway.
    name: String,
    submits_per_second: NonZeroU32,
    submits: DefaultDirectRateLimiter,
    publishes: DefaultDirectRateLimiter,
    requests: DefaultDirectRateLimiter,
    unfinished: AtomicUsize,
    max_unfinished: usize,
}

/// The place of one unfinished job; dropping it makes room for another.
pub(crate) struct UnfinishedJob(Arc<Allowance>);

impl Allowances {
    pub(crate) fn new(settings: &GatewaySettings) -> Self {
        let limits = ClientLimits {
            max_payload_bytes: settings.max_payload_bytes,
            max_unfinished_jobs: settings.max_unfinished_jobs,
            submits_per_second: settings.submits_per_second,
            max_channels: settings.max_channels,
            max_publish_bytes: settings.max_publish_bytes,
            publishes_per_second: settings.publishes_per_second,
        };
        Self {
            limits,
            requests_per_second: settings.requests_per_second,
            known: Mutex::new(Known { allowances: HashMap::new(), sweep_at: 1024 }),
        }
    }

    /// What clients are told.
    pub(crate) fn limits(&self) -> ClientLimits {
        self.limits
    }

    /// The one allowance of everybody who goes by this name.
    pub(crate) fn of(&self, name: String) -> Arc<Allowance> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(allowance) = known.allowances.get(&name).and_then(Weak::upgrade) {
            return allowance;
        }
        if known.allowances.len() >= known.sweep_at {
            known.allowances.retain(|_, allowance| allowance.strong_count() > 0);
            known.sweep_at = (known.allowances.len() * 2).max(1024);
        }
        let allowance = Arc::new(Allowance {
            name: name.clone(),
            submits_per_second: at_least_one(self.limits.submits_per_second),
            submits: limiter(self.limits.submits_per_second),
            publishes: limiter(self.limits.publishes_per_second),
            requests: limiter(self.requests_per_second),
            unfinished: AtomicUsize::new(0),
            max_unfinished: self.limits.max_unfinished_jobs,
        });
        known.allowances.insert(name, Arc::downgrade(&allowance));
        allowance
    }
}

impl Allowance {
    /// What this gateway says of one more submit, at once.
    pub(crate) fn check_submit(&self) -> Result<(), WireError> {
        check(&self.submits, "submits")
    }

    /// What all gateways together say of it. Without Redis each speaks for itself alone, as it has by then.
    pub(crate) async fn check_submit_everywhere(&self, cache: &Cache) -> Result<(), WireError> {
        let per_second = self.submits_per_second;
        match cache.allow(&format!("submits:{}", self.name), per_second, twice(per_second)).await {
            Some(Allowed::After(wait)) => Err(too_many("submits", wait)),
            Some(Allowed::Yes) | None => Ok(()),
        }
    }

    pub(crate) fn check_publish(&self) -> Result<(), WireError> {
        check(&self.publishes, "messages")
    }

    pub(crate) fn check_request(&self) -> Result<(), WireError> {
        check(&self.requests, "requests")
    }

    /// Takes the place of one unfinished job.
    pub(crate) fn begin_job(self: &Arc<Self>) -> Result<UnfinishedJob, WireError> {
        let more = |unfinished: usize| (unfinished < self.max_unfinished).then_some(unfinished + 1);
        match self.unfinished.fetch_update(Ordering::AcqRel, Ordering::Acquire, more) {
            Ok(_) => Ok(UnfinishedJob(Arc::clone(self))),
            Err(unfinished) => Err(ErrorCode::TooManyJobs.error(format!("{unfinished} jobs are not finished yet")).retry_after(FULL_RETRY)),
        }
    }
}

impl Drop for UnfinishedJob {
    fn drop(&mut self) {
        self.0.unfinished.fetch_sub(1, Ordering::AcqRel);
    }
}

fn limiter(per_second: u32) -> DefaultDirectRateLimiter {
    let per_second = at_least_one(per_second);
    RateLimiter::direct(Quota::per_second(per_second).allow_burst(twice(per_second)))
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

/// How many are taken at once, after a rest.
fn twice(per_second: NonZeroU32) -> NonZeroU32 {
    at_least_one(per_second.get().saturating_mul(2))
}

fn check(limiter: &DefaultDirectRateLimiter, what: &str) -> Result<(), WireError> {
    limiter.check().map_err(|not_until| too_many(what, not_until.wait_time_from(limiter.clock().now())))
}

fn too_many(what: &str, wait: Duration) -> WireError {
    // At least a millisecond: `retryAfterMs: 0` would be an invitation to spin.
    ErrorCode::RateLimited.error(format!("too many {what}")).retry_after(wait.max(Duration::from_millis(1)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        gateway: GatewaySettings,
    }

    fn allowances(arguments: &[&str]) -> Allowances {
        Allowances::new(&Settings::parse_from([&["test"], arguments].concat()).gateway)
    }

    #[test]
    fn a_finished_job_makes_room_for_another() {
        let allowance = allowances(&["--max-unfinished-jobs", "1"]).of("somebody".into());
        let job = allowance.begin_job().ok().unwrap();
        assert_eq!(allowance.begin_job().err().unwrap().code, "too_many_jobs");
        drop(job);
        assert!(allowance.begin_job().is_ok());
    }

    #[test]
    fn sockets_of_one_session_share_its_allowance() {
        let allowances = allowances(&["--submits-per-second", "1"]);
        let (first, second) = (allowances.of("a".into()), allowances.of("a".into()));
        first.check_submit().unwrap();
        second.check_submit().unwrap();
        let refusal = first.check_submit().unwrap_err();
        assert_eq!(refusal.code, "rate_limited");
        assert!((1..=1000).contains(&refusal.retry_after_ms.unwrap()));
        allowances.of("b".into()).check_submit().unwrap();
    }

    #[test]
    fn nobody_is_remembered_for_ever() {
        let allowances = allowances(&[]);
        for number in 0..5000 {
            allowances.of(number.to_string());
        }
        assert!(allowances.known.lock().unwrap().allowances.len() <= 1024);
    }
}
