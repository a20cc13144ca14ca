use google_cloud_gax::{client_builder, error::Error as RpcError, error::rpc::Code};
use google_cloud_pubsub::error::PublishError as ClientError;
use service::InvalidSettings;

/// Something other than a publish did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BusError {
    /// A setting is missing.
    #[error("{0}")]
    Settings(#[from] InvalidSettings),

    /// The credentials that were found cannot be used at all.
    #[error("cannot use this machine's Google Cloud credentials")]
    Credentials(#[from] google_cloud_auth::build_errors::Error),

    /// The endpoint cannot be used at all.
    #[error("cannot build the Pub/Sub clients")]
    Clients(#[from] client_builder::Error),

    /// The server did not answer in time, or there is none.
    #[error("cannot {action} {name}: Pub/Sub did not answer in time")]
    Unreachable {
        /// What was tried.
        action: &'static str,
        /// The topic's or subscription's id.
        name: String,
        /// What the last attempt met, if it got that far.
        #[source]
        source: Option<Box<RpcError>>,
    },

    /// Every name that was tried for a subscription of this process's own belongs to somebody.
    #[error("cannot create {name}: there is a subscription by this name, and by every other that was tried")]
    Taken {
        /// The first that was tried.
        name: String,
    },

    /// The server said no.
    #[error("cannot {action} {name}")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// The topic's or subscription's id.
        name: String,
        /// What it said.
        #[source]
        source: Box<RpcError>,
    },
}

/// Why a message was not published, or not known to be: after [`PublishError::Deadline`] it may still have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// As many publishes are in flight as the settings allow.
    #[error("too many publishes are in flight")]
    Full,
    /// No confirmation came in time.
    #[error("Pub/Sub did not confirm in time")]
    Deadline,
    /// The server cannot be reached, or was just found missing and has not answered a probe since.
    #[error("Pub/Sub cannot be reached")]
    Unavailable,
    /// The topic does not exist.
    #[error("the topic does not exist")]
    TopicMissing,
    /// The server will not have this message, now or later.
    #[error("Pub/Sub rejected the message: {0}")]
    Rejected(String),
    /// The server will not have it as things are: a permission is missing, or a quota is used up.
    #[error("Pub/Sub refused the publish: {0}")]
    Refused(String),
}

impl PublishError {
    /// Whether trying again later may help, and nothing about the message is to blame.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Deadline | Self::Unavailable)
    }
}

impl From<ClientError> for PublishError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Rpc(error) if is_late(&error) => Self::Deadline,
            ClientError::Rpc(error) if is_outage(&error) => Self::Unavailable,
            ClientError::Rpc(error) if is_missing(&error) => Self::TopicMissing,
            ClientError::Rpc(error) if is_to_blame(&error) => Self::Rejected(error.to_string()),
            ClientError::Rpc(error) => Self::Refused(error.to_string()),
            // The client's tasks are gone: it was replaced while this message was on its way.
            _ => Self::Unavailable,
        }
    }
}

/// Whether there was no answer at all in time. The client's patience is as long as ours, and may end first; what it then tells
/// of the last attempt may be something else.
fn is_late(error: &RpcError) -> bool {
    if error.is_exhausted() {
        let last = std::error::Error::source(error).and_then(|source| source.downcast_ref::<RpcError>());
        return last.is_none_or(is_late);
    }
    error.is_timeout() || error.status().is_some_and(|status| status.code == Code::DeadlineExceeded)
}

/// Whether the message is at fault, and would be tomorrow.
fn is_to_blame(error: &RpcError) -> bool {
    error.is_serialization() || error.status().is_some_and(|status| matches!(status.code, Code::InvalidArgument | Code::OutOfRange))
}

/// Whether the server itself is the trouble, not the request. Any clear answer, even a refusal, shows a server at work.
pub(crate) fn is_outage(error: &RpcError) -> bool {
    if let Some(status) = error.status() {
        return matches!(
            status.code,
            Code::Unavailable | Code::DeadlineExceeded | Code::Internal | Code::Unknown | Code::Aborted | Code::Cancelled
        );
    }
    if let Some(http) = error.http_status_code() {
        return http >= 500;
    }
    error.is_timeout() || error.is_exhausted() || error.is_io() || error.is_connect() || error.is_transport() || error.is_authentication()
}

pub(crate) fn is_missing(error: &RpcError) -> bool {
    has(error, Code::NotFound, 404)
}

pub(crate) fn already_exists(error: &RpcError) -> bool {
    has(error, Code::AlreadyExists, 409)
}

/// The administrative half of the API is REST, where an error may carry no more than an HTTP status.
fn has(error: &RpcError, code: Code, http: u16) -> bool {
    match error.status() {
        Some(status) => status.code == code,
        None => error.http_status_code() == Some(http),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use google_cloud_gax::error::rpc::Status;

    use super::*;

    fn answered(code: Code) -> PublishError {
        let error = RpcError::service(Status::default().set_code(code).set_message("so it is"));
        ClientError::Rpc(Arc::new(error)).into()
    }

    /// Whoever must not lose a message tries again, unless it is the message's own fault.
    #[test]
    fn only_what_is_wrong_with_the_message_itself_is_final() {
        for code in [Code::InvalidArgument, Code::OutOfRange] {
            assert!(matches!(answered(code), PublishError::Rejected(_)), "{code:?}");
        }
        for code in [Code::PermissionDenied, Code::Unauthenticated, Code::ResourceExhausted, Code::FailedPrecondition] {
            assert!(matches!(answered(code), PublishError::Refused(_)), "{code:?}");
        }
        assert_eq!(answered(Code::NotFound), PublishError::TopicMissing);
        assert_eq!(answered(Code::DeadlineExceeded), PublishError::Deadline);
        assert_eq!(answered(Code::Unavailable), PublishError::Unavailable);
    }
}
