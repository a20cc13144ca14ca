use std::{borrow::Cow, error::Error, fmt, time::Duration};

use shared::{WireError, limits::MAX_RETRY_AFTER};

/// Why an attempt did not succeed, and what follows from it.
///
/// `?` turns any other error into one that is retried: an error that nobody looked at is taken for a passing one.
/// Its text, causes included, reaches the client; where that would tell too much, say something else with [`JobError::retry`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobError {
    error: WireError,
    next: Next,
}

/// What follows from a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another attempt, after a pause that grows with every attempt.
    Backoff,
    /// Another attempt, after this pause.
    After(Duration),
    /// Nothing.
    GiveUp,
}

/// The code of an attempt that failed without giving one.
const FAILED: &str = "failed";

impl JobError {
    /// Something that may work next time.
    pub fn retry(message: impl Into<String>) -> Self {
        Self { error: WireError::new(FAILED, message), next: Next::Backoff }
    }

    /// Something that may work after a known time; at most [`MAX_RETRY_AFTER`].
    pub fn retry_after(pause: Duration, message: impl Into<String>) -> Self {
        let pause = pause.min(MAX_RETRY_AFTER);
        Self { error: WireError::new(FAILED, message), next: Next::After(pause) }
    }

    /// Something that can never work: the job ends here. `code` is for the client's program, `message` for its user.
    pub fn fail(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { error: WireError::new(code, message), next: Next::GiveUp }
    }

    /// Gives it another code than `failed`, which the client sees if this was the last attempt.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.error.code = code.into();
        self
    }

    /// What the client sees.
    #[must_use]
    pub fn wire(&self) -> &WireError {
        &self.error
    }

    /// Whether another attempt makes sense.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.next != Next::GiveUp
    }

    pub(crate) fn next(&self) -> Next {
        self.next
    }

    pub(crate) fn into_wire(self) -> WireError {
        self.error
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// Not `Error` itself, so that `?` can turn every error into one.
impl<E: Error> From<E> for JobError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        Self::retry(message)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn an_error_that_nobody_looked_at_is_retried_and_names_its_cause() {
        fn handler() -> Result<(), JobError> {
            Err(std::io::Error::other("connection reset"))?
        }
        let error = handler().unwrap_err();
        assert!(error.is_retryable());
        assert_eq!(error.to_string(), "failed: connection reset");
    }

    #[test]
    fn a_handler_cannot_put_a_job_off_for_ever() {
        assert_eq!(JobError::retry_after(Duration::MAX, "later").next(), Next::After(MAX_RETRY_AFTER));
    }

    #[test]
    fn a_code_of_ones_own_does_not_change_what_follows() {
        let error = JobError::retry("answered 503").with_code("upstream");
        assert_eq!((error.wire().code.as_ref(), error.is_retryable()), ("upstream", true));
    }
}
