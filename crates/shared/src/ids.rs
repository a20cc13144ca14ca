use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names a job; chosen by whoever submits it, and so its idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct JobId(Uuid);

/// Names a client across its reconnects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SessionId(Uuid);

/// The namespace of ids derived from Pub/Sub message ids: a random UUID of Mayfly's own.
const DERIVED: Uuid = Uuid::from_u128(0x6d61_7966_6c79_4a0b_9c1e_2f6f_0d5a_7b31);

impl JobId {
    /// A new id that sorts by its time of creation.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id of a job whose publisher gave none: the same for every delivery of the same message.
    #[must_use]
    pub fn derived(topic: &str, message_id: &str) -> Self {
        Self(Uuid::new_v5(&DERIVED, format!("{topic}/{message_id}").as_bytes()))
    }
}

impl SessionId {
    /// A new id that cannot be guessed.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

macro_rules! uuid_text {
    ($($name:ident),*) => {$(
        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

uuid_text!(JobId, SessionId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_without_an_id_keeps_its_derived_id_across_deliveries() {
        assert_eq!(JobId::derived("jobs", "17"), JobId::derived("jobs", "17"));
        assert_ne!(JobId::derived("jobs", "17"), JobId::derived("jobs", "18"));
    }
}
