use std::time::Duration;

use rmpv::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::{Payload, PayloadError};
use worker::JobError;

/// What a payload may ask for under its key `echo`. A payload without that key, or with something else under it, asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Options {
    /// How long to sleep before answering, in milliseconds; at most ten minutes.
    pub sleep_ms: u64,
    /// How many progress events to spread over the sleep; at most 1,000.
    pub steps: u32,
    /// How many attempts fail, and are retried, before one succeeds; at most 100.
    pub fail_times: u32,
    /// What each of them asks for as the pause before the next, in milliseconds; at most ten minutes.
    pub retry_after_ms: Option<u64>,
    /// Fail for good, with this code.
    pub fail_code: Option<String>,
    /// Panic with this message.
    pub panic: Option<String>,
    /// End the worker's process at once, where ECHO_MAY_ABORT allows.
    pub abort: bool,
    /// Go on sleeping when the job is cancelled.
    pub ignore_cancel: bool,
}

/// Ten minutes, in milliseconds.
const MAX_MILLIS: u64 = 600_000;
const MAX_STEPS: u32 = 1_000;
const MAX_FAILURES: u32 = 100;
/// In bytes.
const MAX_TEXT: usize = 200;

impl Options {
    /// The options in a payload.
    ///
    /// # Errors
    /// When there are options, but of the wrong form.
    pub(crate) fn find(payload: &Payload) -> Result<Self, PayloadError> {
        if matches!(payload, Payload::Raw { .. }) {
            return Ok(Self::default());
        }
        let Value::Map(fields) = payload.to_value()? else { return Ok(Self::default()) };
        let options = fields.into_iter().find(|(name, _)| name.as_str() == Some("echo"));
        match options {
            Some((_, options @ Value::Map(_))) => Ok(rmpv::ext::from_value(options)?),
            _ => Ok(Self::default()),
        }
    }

    /// Refuses what would keep a worker busy for too long.
    pub(crate) fn check(&self) -> Result<(), JobError> {
        let text_fits = |text: &Option<String>| text.as_ref().is_none_or(|text| text.len() <= MAX_TEXT);
        let within = self.sleep_ms <= MAX_MILLIS
            && self.retry_after_ms.is_none_or(|pause| pause <= MAX_MILLIS)
            && self.steps <= MAX_STEPS
            && self.fail_times <= MAX_FAILURES
            && text_fits(&self.fail_code)
            && text_fits(&self.panic);
        if within {
            return Ok(());
        }
        let bounds = format!(
            "echo sleeps and pauses for at most {MAX_MILLIS} ms, in at most {MAX_STEPS} steps, fails at most {MAX_FAILURES} times, with texts of at most {MAX_TEXT} bytes"
        );
        Err(JobError::fail("invalid_payload", bounds))
    }

    pub(crate) fn sleep(&self) -> Duration {
        Duration::from_millis(self.sleep_ms)
    }

    /// The error of an attempt that is to fail, if this one is.
    pub(crate) fn failure(&self, attempt: u32) -> Option<JobError> {
        if let Some(code) = &self.fail_code {
            return Some(JobError::fail(code.clone(), "failed for good, as requested"));
        }
        if attempt > self.fail_times {
            return None;
        }
        let message = format!("failed {attempt} of {} times, as requested", self.fail_times);
        Some(match self.retry_after_ms {
            Some(millis) => JobError::retry_after(Duration::from_millis(millis), message),
            None => JobError::retry(message),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    fn find(payload: serde_json::Value) -> Result<Options, PayloadError> {
        Options::find(&Payload::encode(&payload).unwrap())
    }

    #[test]
    fn a_payload_need_not_ask_for_anything() {
        for payload in [json!(null), json!([1, 2]), json!("echo"), json!({"text": "hi"}), json!({"echo": "hello"}), json!({"echo": {}})] {
            assert_eq!(find(payload).unwrap(), Options::default());
        }
    }

    #[test]
    fn options_are_found_beside_anything_else() {
        let options = find(json!({"text": "hi", "echo": {"sleepMs": 5, "steps": 2, "unknown": 1}})).unwrap();
        assert_eq!((options.sleep_ms, options.steps), (5, 2));
        assert!(find(json!({"echo": {"sleepMs": "long"}})).is_err());
    }

    #[test]
    fn nobody_keeps_a_worker_busy_for_ever() {
        let options = Options { sleep_ms: MAX_MILLIS + 1, ..Options::default() };
        assert_eq!(options.check().unwrap_err().wire().code, "invalid_payload");
        assert!(Options { sleep_ms: MAX_MILLIS, ..Options::default() }.check().is_ok());
    }
}
