use bytes::Bytes;
use shared::Attributes;

use crate::PublishError;

/// What travels on a topic: at most 10 MB, with at most 100 attributes of up to 256 (name) and 1024 (value) bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// Text beside the body, for routing and tracing.
    pub attributes: Attributes,
    /// Anything at all.
    pub body: Bytes,
}

impl Message {
    /// A message of these parts.
    #[must_use]
    pub fn new(attributes: Attributes, body: impl Into<Bytes>) -> Self {
        Self { attributes, body: body.into() }
    }

    /// Refuses what the server would refuse: it would refuse the whole request, and with it messages that only shared its way.
    pub(crate) fn check(&self) -> Result<(), PublishError> {
        let reject = |reason: String| Err(PublishError::Rejected(reason));
        if self.body.is_empty() && self.attributes.is_empty() {
            return reject("it has neither body nor attributes".to_owned());
        }
        if self.attributes.len() > MAX_ATTRIBUTES {
            return reject(format!("{} attributes are more than {MAX_ATTRIBUTES}", self.attributes.len()));
        }
        let ill_sized = |(name, value): &(&String, &String)| name.is_empty() || name.len() > MAX_NAME || value.len() > MAX_VALUE;
        if let Some((name, _)) = self.attributes.iter().find(ill_sized) {
            return reject(format!("attribute `{name:.40}` needs a name of 1 to {MAX_NAME} and a value of at most {MAX_VALUE} bytes"));
        }
        let size = self.body.len() + self.attributes.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        if size > MAX_BYTES {
            return reject(format!("{size} bytes are more than {MAX_BYTES}"));
        }
        Ok(())
    }
}

const MAX_ATTRIBUTES: usize = 100;
const MAX_NAME: usize = 256;
const MAX_VALUE: usize = 1024;
const MAX_BYTES: usize = 10_000_000;

impl From<(Attributes, Bytes)> for Message {
    fn from((attributes, body): (Attributes, Bytes)) -> Self {
        Self { attributes, body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: String, value: String) -> Message {
        Message::new(Attributes::from([(name, value)]), "")
    }

    #[test]
    fn what_fits_is_accepted() {
        let attributes = (0..100).map(|n| (n.to_string(), String::new())).collect();
        for message in
            [Message::new(attributes, ""), with("n".repeat(256), "v".repeat(1024)), Message::new(Attributes::new(), vec![0; MAX_BYTES])]
        {
            assert_eq!(message.check(), Ok(()));
        }
    }

    #[test]
    fn what_does_not_fit_cannot_spoil_a_batch() {
        let attributes = (0..101).map(|n| (n.to_string(), String::new())).collect();
        for message in [
            Message::default(),
            Message::new(attributes, ""),
            with(String::new(), String::new()),
            with("n".repeat(257), String::new()),
            with("n".to_owned(), "v".repeat(1025)),
            Message::new(Attributes::new(), vec![0; MAX_BYTES + 1]),
        ] {
            assert!(matches!(message.check(), Err(PublishError::Rejected(_))));
        }
    }
}
