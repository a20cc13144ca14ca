use std::{collections::BTreeMap, str::FromStr, time::Duration};

use clap::Args;
use service::parse_millis;
use shared::{Kind, limits};

use crate::backoff::Backoff;

/// What can be set about running jobs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Worker")]
pub struct WorkerSettings {
    /// How many jobs run at a time in this process, per kind: `16`, or `echo=64,thumbnail=2`; what each job type says if unset
    #[arg(long, env = "WORKER_CONCURRENCY", value_name = "JOBS")]
    pub worker_concurrency: Option<PerKind>,

    /// How many jobs may wait out the pause before their next attempt without taking a running job's place, per kind
    ///
    /// As many jobs more are fetched ahead when none is waiting; what each job type says of its concurrency if unset
    #[arg(long, env = "WORKER_WAITING", value_name = "JOBS")]
    pub worker_waiting: Option<PerKind>,

    /// How long one attempt may take, per kind, where the message does not say (milliseconds)
    #[arg(long, env = "WORKER_TIMEOUT_MS", value_name = "MS")]
    pub worker_timeout_ms: Option<PerKind>,

    /// How often a handler may run for one job, per kind, where the message does not say
    #[arg(long, env = "WORKER_MAX_ATTEMPTS", value_name = "ATTEMPTS")]
    pub worker_max_attempts: Option<PerKind>,

    /// The longest pause before the second attempt; it doubles with every attempt (milliseconds)
    #[arg(long, env = "WORKER_RETRY_BASE_MS", value_name = "MS", default_value = "1000", value_parser = parse_millis)]
    pub worker_retry_base: Duration,

    /// The longest pause before any attempt (milliseconds)
    #[arg(long, env = "WORKER_RETRY_MAX_MS", value_name = "MS", default_value = "60000", value_parser = parse_millis)]
    pub worker_retry_max: Duration,

    /// How long a cancelled handler may take to return by itself (milliseconds)
    #[arg(long, env = "WORKER_CANCEL_GRACE_MS", value_name = "MS", default_value = "5000", value_parser = parse_millis)]
    pub worker_cancel_grace: Duration,
}

/// A number for every kind, or one for each of some: `16` or `echo=64,thumbnail=2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerKind {
    all: Option<u32>,
    some: BTreeMap<Kind, u32>,
}

/// A text that sets nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a number above 0 nor `<kind>=<number>`")]
pub struct InvalidPerKind(String);

/// What holds for one kind in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KindLimits {
    pub(crate) concurrency: usize,
    pub(crate) waiting: usize,
    pub(crate) timeout: Duration,
    pub(crate) max_attempts: u32,
}

impl WorkerSettings {
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff { base: self.worker_retry_base, most: self.worker_retry_max.min(limits::MAX_RETRY_AFTER) }
    }

    /// The settings over what the job type says.
    pub(crate) fn limits(&self, kind: &Kind, declared: KindLimits) -> KindLimits {
        let set = |setting: &Option<PerKind>| setting.as_ref().and_then(|setting| setting.get(kind));
        let concurrency = set(&self.worker_concurrency).map_or(declared.concurrency, |jobs| jobs as usize);
        let timeout = set(&self.worker_timeout_ms).map_or(declared.timeout, |millis| Duration::from_millis(millis.into()));
        KindLimits {
            concurrency,
            waiting: set(&self.worker_waiting).map_or(concurrency, |jobs| jobs as usize),
            timeout: timeout.clamp(limits::MIN_TIMEOUT, limits::MAX_TIMEOUT),
            max_attempts: set(&self.worker_max_attempts).unwrap_or(declared.max_attempts).clamp(1, limits::MAX_ATTEMPTS),
        }
    }
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            worker_concurrency: None,
            worker_waiting: None,
            worker_timeout_ms: None,
            worker_max_attempts: None,
            worker_retry_base: Duration::from_secs(1),
            worker_retry_max: Duration::from_mins(1),
            worker_cancel_grace: Duration::from_secs(5),
        }
    }
}

impl PerKind {
    fn get(&self, kind: &Kind) -> Option<u32> {
        self.some.get(kind).copied().or(self.all)
    }
}

impl FromStr for PerKind {
    type Err = InvalidPerKind;

    fn from_str(text: &str) -> Result<Self, InvalidPerKind> {
        let mut read = Self { all: None, some: BTreeMap::new() };
        for part in text.split(',').map(str::trim) {
            let invalid = || InvalidPerKind(part.to_owned());
            let (kind, number) = part.split_once('=').map_or((None, part), |(kind, number)| (Some(kind.trim()), number.trim()));
            let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(invalid)?;
            match kind {
                None => read.all = Some(number),
                Some(kind) => {
                    read.some.insert(kind.parse().map_err(|_| invalid())?, number);
                }
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        worker: WorkerSettings,
    }

    const DECLARED: KindLimits = KindLimits { concurrency: 16, waiting: 16, timeout: Duration::from_mins(5), max_attempts: 5 };

    fn limits_of(kind: &str, arguments: &[&str]) -> KindLimits {
        let settings = Command::try_parse_from(std::iter::once(&"test").chain(arguments)).unwrap().worker;
        settings.limits(&kind.parse().unwrap(), DECLARED)
    }

    #[test]
    fn the_job_type_decides_where_nothing_is_set() {
        assert_eq!(limits_of("echo", &[]), DECLARED);
        let (parsed, default) = (Command::try_parse_from(["test"]).unwrap().worker, WorkerSettings::default());
        assert_eq!((parsed.backoff(), parsed.worker_cancel_grace), (default.backoff(), default.worker_cancel_grace));
    }

    #[test]
    fn a_kinds_own_setting_wins_over_that_of_all() {
        let arguments = ["--worker-concurrency", "4, thumbnail=2"];
        assert_eq!((limits_of("thumbnail", &arguments).concurrency, limits_of("echo", &arguments).concurrency), (2, 4));
    }

    #[test]
    fn settings_stay_within_what_messages_may_ask() {
        assert_eq!(limits_of("echo", &["--worker-timeout-ms", "4294967295"]).timeout, limits::MAX_TIMEOUT);
        assert_eq!(limits_of("echo", &["--worker-max-attempts", "1000"]).max_attempts, limits::MAX_ATTEMPTS);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "0", "many", "echo=", "Echo=1", "echo=1,,", "-1"] {
            assert!(text.parse::<PerKind>().is_err(), "{text}");
        }
    }
}
