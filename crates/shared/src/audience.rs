use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SessionId, limits::MAX_AUDIENCE_NAME};

/// Who sees an event. As text: `session:<uuid>`, `user:<id>`, `channel:<name>` or `all`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Audience {
    /// One client, on whatever gateway it is.
    Session(SessionId),
    /// Every session of one signed-in user.
    User(String),
    /// Everybody who joined a channel.
    Channel(String),
    /// Every connected client.
    All,
}

/// A text that names no audience.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an audience is `session:<uuid>`, `user:<id>`, `channel:<name>` or `all`, with a name of 1 to {MAX_AUDIENCE_NAME} bytes")]
pub struct InvalidAudience;

impl FromStr for Audience {
    type Err = InvalidAudience;

    fn from_str(text: &str) -> Result<Self, InvalidAudience> {
        if text == "all" {
            return Ok(Self::All);
        }
        let (scope, name) = text.split_once(':').ok_or(InvalidAudience)?;
        if name.is_empty() || name.len() > MAX_AUDIENCE_NAME {
            return Err(InvalidAudience);
        }
        match scope {
            "session" => name.parse().map(Self::Session).map_err(|_| InvalidAudience),
            "user" => Ok(Self::User(name.to_owned())),
            "channel" => Ok(Self::Channel(name.to_owned())),
            _ => Err(InvalidAudience),
        }
    }
}

impl TryFrom<String> for Audience {
    type Error = InvalidAudience;

    fn try_from(text: String) -> Result<Self, InvalidAudience> {
        text.parse()
    }
}

impl From<Audience> for String {
    fn from(audience: Audience) -> Self {
        audience.to_string()
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(id) => write!(f, "session:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Channel(name) => write!(f, "channel:{name}"),
            Self::All => f.write_str("all"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn an_audience_reads_back_as_written() {
        for audience in [Audience::Session(SessionId::new()), Audience::User("a:b".into()), Audience::Channel("news".into()), Audience::All]
        {
            assert_eq!(audience.to_string().parse::<Audience>().unwrap(), audience);
        }
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for text in ["", "everyone", "user:", "session:42", "team:x", &format!("user:{}", "x".repeat(MAX_AUDIENCE_NAME + 1))] {
            assert_eq!(text.parse::<Audience>(), Err(InvalidAudience), "{text}");
        }
    }
}
