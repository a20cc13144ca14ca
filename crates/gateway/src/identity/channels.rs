use std::{str::FromStr, sync::Arc};

use shared::{ErrorCode, WireError, limits::MAX_AUDIENCE_NAME};

/// The names of channels that somebody may use: one name, or with a `*` at its end all that begin so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelPattern {
    name: Box<str>,
    is_prefix: bool,
}

/// A text that names no channels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a channel's name, or the beginning of names and a `*`")]
pub struct InvalidPattern;

/// What somebody may do in channels.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChannelRights {
    pub(super) join: Vec<ChannelPattern>,
    pub(super) publish: Vec<ChannelPattern>,
}

impl FromStr for ChannelPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let (name, is_prefix) = text.strip_suffix('*').map_or((text, false), |beginning| (beginning, true));
        if is_name(name) || (is_prefix && name.is_empty()) { Ok(Self { name: name.into(), is_prefix }) } else { Err(InvalidPattern) }
    }
}

impl ChannelPattern {
    fn matches(&self, channel: &str) -> bool {
        if self.is_prefix { channel.starts_with(&*self.name) } else { channel == &*self.name }
    }
}

impl ChannelRights {
    pub(crate) fn may_join(&self, channel: &str) -> bool {
        self.join.iter().any(|pattern| pattern.matches(channel))
    }

    pub(crate) fn may_publish(&self, channel: &str) -> bool {
        self.publish.iter().any(|pattern| pattern.matches(channel))
    }

    /// These rights and what a token adds to them.
    pub(super) fn with(self: &Arc<Self>, added: Self) -> Arc<Self> {
        if added.join.is_empty() && added.publish.is_empty() {
            return Arc::clone(self);
        }
        let Self { mut join, mut publish } = added;
        join.extend_from_slice(&self.join);
        publish.extend_from_slice(&self.publish);
        Arc::new(Self { join, publish })
    }
}

/// A channel's name has 1 to [`MAX_AUDIENCE_NAME`] bytes and neither spaces, control characters nor `*`.
pub(crate) fn check_name(channel: &str) -> Result<(), WireError> {
    if is_name(channel) {
        return Ok(());
    }
    Err(ErrorCode::InvalidRequest.error(format!("a channel has a name of 1 to {MAX_AUDIENCE_NAME} bytes without spaces and `*`")))
}

fn is_name(text: &str) -> bool {
    let is_part = |char: char| !char.is_control() && !char.is_whitespace() && char != '*';
    !text.is_empty() && text.len() <= MAX_AUDIENCE_NAME && text.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_pattern_is_a_name_or_the_beginning_of_names() {
        let matches = |pattern: &str, channel| pattern.parse::<ChannelPattern>().unwrap().matches(channel);
        assert!(matches("news", "news") && !matches("news", "news:sport"));
        assert!(matches("team:7:*", "team:7:chat") && !matches("team:7:*", "team:70") && !matches("team:7:*", "team:8:chat"));
        assert!(matches("*", "anything"));
        for nonsense in ["", "a*b", "**", "two words", &"x".repeat(MAX_AUDIENCE_NAME + 1)] {
            assert_eq!(nonsense.parse::<ChannelPattern>(), Err(InvalidPattern), "{nonsense}");
        }
    }

    #[test]
    fn a_name_is_bounded_and_plain() {
        for name in ["news", "public:lobby", "über/uns", "a@b.example"] {
            check_name(name).unwrap();
        }
        for name in ["", " ", "a b", "a\n", "all*", &"x".repeat(MAX_AUDIENCE_NAME + 1)] {
            assert_eq!(check_name(name).unwrap_err().code, "invalid_request", "{name}");
        }
    }
}
