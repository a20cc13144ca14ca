//! The token that stands for one delivery.

use crate::{error::Error, message::MessageId};
use std::{fmt, str::FromStr};

/// Names a message and the lease under which it was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AckId {
    pub(crate) message: MessageId,
    pub(crate) lease: u64,
}

impl fmt::Display for AckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.message.0, self.lease)
    }
}

impl FromStr for AckId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parse = |digits| u64::from_str_radix(digits, 16).ok();
        text.split_once('-')
            .and_then(|(message, lease)| Some(Self { message: MessageId(parse(message)?), lease: parse(lease)? }))
            .ok_or_else(|| Error::invalid(format!("You have passed an ack ID that is not valid: {text:?}.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ack_id_reads_what_it_wrote() {
        let id = AckId { message: MessageId(1_764_000_000_000_000), lease: 42 };
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "-", "1", "1-", "x-1", "1-2-3", "1-é"] {
            assert!(matches!(text.parse::<AckId>(), Err(Error::InvalidArgument(_))), "{text:?}");
        }
    }
}
