use bytes::Bytes;

use crate::{
    Attributes, Audience, JobId, JobMessage, Kind, MalformedMessage, Timestamp,
    attributes::{self, AUDIENCE, CURRENT_SCHEMA, ID, KIND, SCHEMA, SUBMITTED_AT, required},
};

/// Pub/Sub has a job: what one gateway leaves in Redis for the others, which hear of a job only when a worker speaks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The job.
    pub job_id: JobId,
    /// Its type.
    pub kind: Kind,
    /// Who sees what comes of it.
    pub audience: Audience,
    /// When, by the gateway's clock.
    pub at: Timestamp,
}

impl Submitted {
    /// The attributes and the body, as everything that travels has them.
    #[must_use]
    pub fn to_message(&self) -> (Attributes, Bytes) {
        let attributes = Attributes::from([
            (ID.into(), self.job_id.to_string()),
            (KIND.into(), self.kind.to_string()),
            (AUDIENCE.into(), self.audience.to_string()),
            (SUBMITTED_AT.into(), self.at.to_string()),
            (SCHEMA.into(), CURRENT_SCHEMA.into()),
        ]);
        (attributes, Bytes::new())
    }

    /// Reads one.
    ///
    /// # Errors
    /// Names the attribute that is missing, as in all that is something else, or that cannot be understood.
    pub fn parse(attributes: &Attributes) -> Result<Self, MalformedMessage> {
        attributes::check_schema(attributes)?;
        Ok(Self {
            job_id: required(attributes, ID)?,
            kind: required(attributes, KIND)?,
            audience: required(attributes, AUDIENCE)?,
            at: required(attributes, SUBMITTED_AT)?,
        })
    }
}

impl From<&JobMessage> for Submitted {
    fn from(job: &JobMessage) -> Self {
        Self { job_id: job.id, kind: job.kind.clone(), audience: job.audience.clone(), at: job.submitted_at }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_submitted_job_reads_back_as_written() {
        let at = "2026-01-02T03:04:05.678Z".parse().unwrap();
        let submitted = Submitted { job_id: JobId::new(), kind: "echo".parse().unwrap(), audience: Audience::User("1".into()), at };
        let (mut attributes, _) = submitted.to_message();
        assert_eq!(Submitted::parse(&attributes).unwrap(), submitted);
        attributes.remove(SUBMITTED_AT);
        assert_eq!(Submitted::parse(&attributes).unwrap_err().attribute, SUBMITTED_AT);
    }
}
