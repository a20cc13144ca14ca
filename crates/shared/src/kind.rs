use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of a job type: a lower-case letter, then up to 39 letters, digits and dashes.
///
/// It becomes part of a topic's name, hence the narrow alphabet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Kind(String);

/// A text that cannot name a job type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a kind is a lower-case letter followed by at most 39 lower-case letters, digits and dashes")]
pub struct InvalidKind;

impl Kind {
    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Kind {
    type Err = InvalidKind;

    fn from_str(text: &str) -> Result<Self, InvalidKind> {
        let starts_well = text.starts_with(|first: char| first.is_ascii_lowercase());
        let reads_well = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if starts_well && reads_well && text.len() <= 40 { Ok(Self(text.to_owned())) } else { Err(InvalidKind) }
    }
}

impl TryFrom<String> for Kind {
    type Error = InvalidKind;

    fn try_from(text: String) -> Result<Self, InvalidKind> {
        text.parse()
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_fits_into_a_topic_name() {
        for good in ["echo", "thumbnail", "a", "video-2x"] {
            assert_eq!(good.parse::<Kind>().map(String::from), Ok(good.to_owned()));
        }
        for bad in ["", "Echo", "2x", "-a", "a b", "a/b", "é", &"a".repeat(41)] {
            assert_eq!(bad.parse::<Kind>(), Err(InvalidKind), "{bad}");
        }
    }
}
