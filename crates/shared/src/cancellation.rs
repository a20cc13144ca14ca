use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Attributes, Audience, JobId, MalformedMessage, attributes};

/// Somebody wants a job to end, as it travels on `mayfly-control` to every worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    /// The job.
    pub job_id: JobId,
    /// On whose behalf: a worker obeys when the job's audience is among these. Empty: an operator's, always obeyed.
    pub audiences: Vec<Audience>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    audiences: Vec<Audience>,
}

impl Cancellation {
    /// Whether it may end a job of this audience.
    #[must_use]
    pub fn covers(&self, audience: &Audience) -> bool {
        self.audiences.is_empty() || self.audiences.contains(audience)
    }

    /// The attributes and the body to publish.
    #[must_use]
    pub fn to_message(&self) -> (Attributes, Bytes) {
        let attributes = Attributes::from([
            (attributes::ID.into(), self.job_id.to_string()),
            (attributes::SCHEMA.into(), attributes::CURRENT_SCHEMA.into()),
        ]);
        let body = serde_json::to_vec(&Body { audiences: self.audiences.clone() }).expect("audiences are plain strings");
        (attributes, body.into())
    }

    /// Reads a message.
    ///
    /// # Errors
    /// Names the part that cannot be understood. A body without audiences is one: only an explicit empty list means everybody.
    pub fn parse(attributes: &Attributes, body: &[u8]) -> Result<Self, MalformedMessage> {
        attributes::check_schema(attributes)?;
        let body: Body = serde_json::from_slice(body).map_err(|error| MalformedMessage::new("body", error.to_string()))?;
        Ok(Self { job_id: attributes::required(attributes, attributes::ID)?, audiences: body.audiences })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_cancellation_reads_back_as_written_and_covers_its_audiences_only() {
        let cancellation = Cancellation { job_id: JobId::new(), audiences: vec![Audience::User("1".into())] };
        let (attributes, body) = cancellation.to_message();
        assert_eq!(Cancellation::parse(&attributes, &body).unwrap(), cancellation);
        assert!(cancellation.covers(&Audience::User("1".into())));
        assert!(!cancellation.covers(&Audience::User("2".into())));
    }

    #[test]
    fn forgetting_the_audiences_does_not_make_an_operator() {
        let attributes = Attributes::from([("id".into(), JobId::new().to_string())]);
        assert_eq!(Cancellation::parse(&attributes, b"{}").unwrap_err().attribute, "body");
    }
}
