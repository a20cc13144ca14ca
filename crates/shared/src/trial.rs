use bytes::Bytes;

use crate::{
    Attributes, Kind, MalformedMessage,
    attributes::{self, ALONE, CURRENT_SCHEMA, KIND, MESSAGE_ID, SCHEMA, TYPE, WORKER, required},
};

/// A worker is about to run a job of which an earlier delivery came to nothing, as it travels on `mayfly-control`.
///
/// If the worker dies of it, this is all that its successor learns: a job with several of these is not run again.
/// A job that is handed back alive travels on in a new message, against which nothing is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The job's type. Pub/Sub's message ids are unique within a topic, and there is one topic per kind.
    pub kind: Kind,
    /// Pub/Sub's id of the message that carries the job.
    pub message_id: String,
    /// The worker's process, among all that ever ran.
    pub worker: String,
    /// Whether no other suspect runs in that process meanwhile: then its death is not a neighbour's doing.
    pub alone: bool,
}

/// Everything that travels on `mayfly-control`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlMessage {
    /// Somebody wants a job to end.
    Cancellation(crate::Cancellation),
    /// A worker says what it is about to try.
    Trial(Trial),
    /// Something that a later build says to its like; to be ignored.
    Other,
}

/// The `type` of a trial. A cancellation has none, as it had before there was anything else.
const TRIAL: &str = "trial";

impl Trial {
    /// The attributes and the body to publish.
    #[must_use]
    pub fn to_message(&self) -> (Attributes, Bytes) {
        let attributes = Attributes::from([
            (TYPE.into(), TRIAL.into()),
            (KIND.into(), self.kind.to_string()),
            (MESSAGE_ID.into(), self.message_id.clone()),
            (WORKER.into(), self.worker.clone()),
            (ALONE.into(), self.alone.to_string()),
            (SCHEMA.into(), CURRENT_SCHEMA.into()),
        ]);
        (attributes, Bytes::new())
    }

    fn parse(attributes: &Attributes) -> Result<Self, MalformedMessage> {
        attributes::check_schema(attributes)?;
        Ok(Self {
            kind: required(attributes, KIND)?,
            message_id: required(attributes, MESSAGE_ID)?,
            worker: required(attributes, WORKER)?,
            alone: required(attributes, ALONE)?,
        })
    }
}

impl ControlMessage {
    /// Reads a message.
    ///
    /// # Errors
    /// Names the part that cannot be understood.
    pub fn parse(attributes: &Attributes, body: &[u8]) -> Result<Self, MalformedMessage> {
        match attributes.get(TYPE).map(String::as_str) {
            None => crate::Cancellation::parse(attributes, body).map(Self::Cancellation),
            Some(TRIAL) => Trial::parse(attributes).map(Self::Trial),
            Some(_) => Ok(Self::Other),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::{Cancellation, JobId};

    fn trial() -> Trial {
        Trial { kind: "echo".parse().unwrap(), message_id: "17".into(), worker: "pod-7-0123".into(), alone: true }
    }

    #[test]
    fn a_trial_reads_back_as_written_and_so_does_a_cancellation() {
        let (attributes, body) = trial().to_message();
        assert_eq!(ControlMessage::parse(&attributes, &body).unwrap(), ControlMessage::Trial(trial()));
        let cancellation = Cancellation { job_id: JobId::new(), audiences: Vec::new() };
        let (attributes, body) = cancellation.to_message();
        assert_eq!(ControlMessage::parse(&attributes, &body).unwrap(), ControlMessage::Cancellation(cancellation));
    }

    #[test]
    fn a_build_that_knows_cancellations_only_cancels_nothing_by_it() {
        let (attributes, body) = trial().to_message();
        assert!(Cancellation::parse(&attributes, &body).is_err());
    }

    #[test]
    fn what_a_later_build_says_is_ignored_and_half_a_trial_is_named() {
        let (mut attributes, body) = trial().to_message();
        attributes.remove(WORKER);
        assert_eq!(ControlMessage::parse(&attributes, &body).unwrap_err().attribute, WORKER);
        attributes.insert(TYPE.into(), "verdict".into());
        assert_eq!(ControlMessage::parse(&attributes, &body).unwrap(), ControlMessage::Other);
    }
}
