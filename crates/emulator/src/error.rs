//! What can go wrong, in the protocol's own terms.

use tonic::{Code, Status};

/// Why a request was refused. The texts reach the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    InvalidArgument(String),
    #[error("Resource not found (resource={0}).")]
    NotFound(String),
    #[error("Resource already exists in the project (resource={0}).")]
    AlreadyExists(String),
    #[error("{0}")]
    FailedPrecondition(String),
    #[error("This emulator does not support {0}.")]
    Unsupported(&'static str),
    #[error(
        "The emulator's memory for messages is full: {limit} bytes. Acknowledge messages, delete subscriptions, shorten \
         retention, or raise PUBSUB_EMULATOR_MEMORY_MB."
    )]
    MemoryFull { limit: usize },
    #[error("The emulator is shutting down.")]
    ShuttingDown,
}

impl Error {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidArgument(message.into())
    }

    pub(crate) fn code(&self) -> Code {
        match self {
            Self::InvalidArgument(_) => Code::InvalidArgument,
            Self::NotFound(_) => Code::NotFound,
            Self::AlreadyExists(_) => Code::AlreadyExists,
            Self::FailedPrecondition(_) => Code::FailedPrecondition,
            Self::Unsupported(_) => Code::Unimplemented,
            Self::MemoryFull { .. } => Code::ResourceExhausted,
            Self::ShuttingDown => Code::Unavailable,
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}
