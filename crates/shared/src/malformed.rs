/// A message on a topic that cannot be understood; it goes to the dead letters with this reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("attribute `{attribute}` {reason}")]
pub struct MalformedMessage {
    /// The attribute (or `body`) at fault.
    pub attribute: &'static str,
    /// What is wrong with it, for a person.
    pub reason: String,
}

impl MalformedMessage {
    /// Names the part at fault and what is wrong with it.
    pub fn new(attribute: &'static str, reason: impl Into<String>) -> Self {
        Self { attribute, reason: reason.into() }
    }
}
