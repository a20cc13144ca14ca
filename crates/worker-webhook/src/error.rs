use std::{error::Error, time::Duration};

use reqwest::StatusCode;

use crate::{HeadersError, TargetError};

/// Why a webhook was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// There is no secret, and nothing is sent unsigned.
    #[error("webhooks are not set up here: WEBHOOK_SECRET is not set")]
    NotConfigured,
    /// The job itself is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The job's headers are wrong.
    #[error(transparent)]
    Headers(#[from] HeadersError),
    /// Nothing may be sent there.
    #[error("{0}")]
    Target(#[from] TargetError),
    /// The receiver does not want it.
    #[error("the receiver answered {0}")]
    Refused(StatusCode),
    /// The receiver sent it on in a way, or so often, that is not followed.
    #[error("the receiver redirects in a way that is not followed: {0}")]
    Redirected(String),
    /// The receiver cannot take it now.
    #[error("the receiver answered {status}")]
    Unavailable {
        /// 408, 425, 429 or any 5xx.
        status: StatusCode,
        /// When it asks to be tried again.
        retry_after: Option<Duration>,
    },
    /// No answer in time.
    #[error("the receiver did not answer in time")]
    TimedOut,
    /// No connection, or one that broke.
    #[error("the receiver cannot be reached: {0}")]
    Unreachable(String),
}

impl WebhookError {
    /// The stable name that clients' programs see.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::Invalid(_) | Self::Headers(_) => "invalid_request",
            Self::Target(_) => "target_refused",
            Self::Refused(_) | Self::Redirected(_) => "webhook_refused",
            Self::Unavailable { .. } | Self::TimedOut | Self::Unreachable(_) => "webhook_unavailable",
        }
    }

    /// Whether it may work later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::TimedOut | Self::Unreachable(_))
    }
}

/// What the HTTP client says, without the URL, which may have secrets in its query.
impl From<reqwest::Error> for WebhookError {
    fn from(error: reqwest::Error) -> Self {
        let causes: Vec<&(dyn Error + 'static)> = std::iter::successors(error.source(), |cause| (*cause).source()).collect();
        if let Some(forbidden) = causes.iter().find_map(|cause| cause.downcast_ref::<TargetError>()) {
            return forbidden.clone().into();
        }
        if error.is_timeout() {
            return Self::TimedOut;
        }
        Self::Unreachable(causes.last().map_or_else(|| "the request failed".to_owned(), ToString::to_string))
    }
}
