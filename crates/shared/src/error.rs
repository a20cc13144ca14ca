use std::{borrow::Cow, fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::MAX_ERROR_MESSAGE;

/// Why something was refused or failed, as every client sees it: `{ code, message, retryAfterMs? }`.
///
/// `code` is for programs: one of [`ErrorCode`], or a worker's own. `message` is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{code}: {message}")]
pub struct WireError {
    /// A stable name.
    pub code: Cow<'static, str>,
    /// One sentence for a person.
    pub message: String,
    /// When trying again makes sense, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// The codes that gateways answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request itself is wrong; sending it again cannot help.
    InvalidRequest,
    /// No such job type, or not one that clients may submit.
    UnknownKind,
    /// More bytes than the limits in `welcome` allow.
    PayloadTooLarge,
    /// The token is missing, wrong or expired.
    Unauthorized,
    /// The token is good, but does not allow this.
    Forbidden,
    /// Too many requests.
    RateLimited,
    /// Too many unfinished jobs.
    TooManyJobs,
    /// Pub/Sub cannot be reached, or did not confirm in time; submitting again under the same id is safe.
    QueueUnavailable,
    /// This gateway is leaving; another one takes over within seconds.
    Draining,
    /// Unknown here, or too long ago.
    NotFound,
    /// A defect of the server.
    Internal,
}

impl WireError {
    /// An error with a worker's own code. Long messages are cut at [`MAX_ERROR_MESSAGE`] bytes.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > MAX_ERROR_MESSAGE {
            message.truncate(message.floor_char_boundary(MAX_ERROR_MESSAGE));
            message.push('…');
        }
        Self { code: code.into(), message, retry_after_ms: None }
    }

    /// Says when trying again makes sense.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after_ms = Some(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        self
    }
}

impl ErrorCode {
    /// The code as clients see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnknownKind => "unknown_kind",
            Self::PayloadTooLarge => "payload_too_large",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate_limited",
            Self::TooManyJobs => "too_many_jobs",
            Self::QueueUnavailable => "queue_unavailable",
            Self::Draining => "draining",
            Self::NotFound => "not_found",
            Self::Internal => "internal",
        }
    }

    /// An error with this code.
    pub fn error(self, message: impl Into<String>) -> WireError {
        WireError::new(self.as_str(), message)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_code_reads_the_same_in_json_and_in_text() {
        for code in [ErrorCode::InvalidRequest, ErrorCode::TooManyJobs, ErrorCode::QueueUnavailable, ErrorCode::NotFound] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let error = WireError::new("x", "é".repeat(MAX_ERROR_MESSAGE));
        assert!(error.message.len() <= MAX_ERROR_MESSAGE + '…'.len_utf8());
        assert!(error.message.ends_with('…'));
    }

    #[test]
    fn clients_see_camel_case_and_no_empty_fields() {
        let error = ErrorCode::QueueUnavailable.error("Pub/Sub is away").retry_after(Duration::from_secs(2));
        assert_eq!(
            serde_json::to_value(error).unwrap(),
            serde_json::json!({"code": "queue_unavailable", "message": "Pub/Sub is away", "retryAfterMs": 2000})
        );
        assert_eq!(serde_json::to_value(ErrorCode::Internal.error("m")).unwrap(), serde_json::json!({"code": "internal", "message": "m"}));
    }
}
