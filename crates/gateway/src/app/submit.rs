use std::{sync::Arc, time::Duration};

use bus::{Message, PublishError};
use cache::Story;
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::{
    Audience, ErrorCode, JobEvent, JobId, JobMessage, Kind, Payload, Submitted, Timestamp, WireError, client::SubmitOptions, limits,
};
use tokio::{sync::watch, time::Instant};
use tracing::{Instrument, debug, info_span, warn};

use super::{App, not_published};
use crate::{
    allowance::Allowance,
    history::{JobRecord, Outcome},
    identity::{Caller, Role},
    relay::{Settling, Start},
};

/// A job as somebody wants it.
pub(crate) struct Submission {
    /// The idempotency key, if the submitter cares.
    pub(crate) id: Option<JobId>,
    pub(crate) kind: String,
    pub(crate) payload: Payload,
    pub(crate) options: SubmitOptions,
    /// Who shall see it; only services may say.
    pub(crate) audience: Option<Audience>,
}

/// A job as JSON, over HTTP and over sockets.
#[derive(Deserialize)]
struct JsonSubmission {
    #[serde(default)]
    id: Option<JobId>,
    kind: String,
    #[serde(default)]
    payload: Option<Box<RawValue>>,
    #[serde(default)]
    options: Option<SubmitOptions>,
    #[serde(default)]
    audience: Option<Audience>,
}

impl Submission {
    /// Reads `{ id?, kind, payload, options?, audience? }`; the payload stays the text that it is.
    pub(crate) fn from_json(text: &[u8]) -> Result<Self, WireError> {
        let JsonSubmission { id, kind, payload, options, audience } =
            serde_json::from_slice(text).map_err(|error| ErrorCode::InvalidRequest.error(error.to_string()))?;
        let payload = payload.unwrap_or_else(|| RawValue::NULL.to_owned()).into();
        Ok(Self { id, kind, payload, options: options.unwrap_or_default(), audience })
    }
}

/// A submit that was found good, and waits for Pub/Sub or for somebody else's submit of the same job.
pub(crate) struct Admission {
    app: Arc<App>,
    since: Instant,
    next: Next,
}

enum Next {
    Publish { job: Box<JobMessage>, settling: Settling, may_be_known: bool, allowance: Arc<Allowance> },
    Join { id: JobId, outcome: watch::Receiver<Outcome> },
    Known { id: JobId, record: Box<JobRecord> },
}

/// A job that Pub/Sub has.
pub(crate) struct Accepted {
    pub(crate) id: JobId,
    pub(crate) is_duplicate: bool,
    /// The end of a duplicate that has ended.
    pub(crate) terminal: Option<Arc<JobEvent>>,
}

/// What to answer. Drop it after the answer was sent: only then the job's events are let through.
pub(crate) struct Confirmation {
    pub(crate) result: Result<Accepted, WireError>,
    _settling: Option<Settling>,
}

impl App {
    /// Finds out, without waiting, whether a submit is any good. A good one takes its place at once, so that the order of
    /// submits is that of these calls.
    pub(crate) fn admit(
        self: &Arc<Self>,
        caller: &Caller,
        allowance: &Arc<Allowance>,
        submission: Submission,
    ) -> Result<Admission, WireError> {
        let since = Instant::now();
        self.check_closed()?;
        caller.check_expiry()?;
        allowance.check_submit()?;
        let (job, may_be_known) = self.checked(caller, submission)?;
        // A duplicate needs no place.
        let (place, full) = match allowance.begin_job() {
            Ok(place) => (Some(place), None),
            Err(refusal) => (None, Some(refusal)),
        };
        let next = match self.ledger.begin(job.id, &job.kind, &job.audience, place) {
            Start::New(settling) => match full {
                None => Next::Publish { job: Box::new(job), settling, may_be_known, allowance: Arc::clone(allowance) },
                Some(refusal) => return Err(refusal),
            },
            Start::InFlight { audience, outcome } => {
                check_same(&audience, &job.audience)?;
                Next::Join { id: job.id, outcome }
            }
            Start::Known(record) => {
                check_same(&record.audience, &job.audience)?;
                Next::Known { id: job.id, record }
            }
        };
        Ok(Admission { app: Arc::clone(self), since, next })
    }

    /// Counts a submit that was refused before it was admitted.
    pub(crate) fn refused(&self, refusal: &WireError) {
        self.metrics.submitted(refusal.code.clone(), Duration::ZERO);
    }

    /// The second part: whether the submitter chose the id, so that the job may be known already.
    fn checked(&self, caller: &Caller, submission: Submission) -> Result<(JobMessage, bool), WireError> {
        let Submission { id, kind, payload, options, audience } = submission;
        let unknown = || ErrorCode::UnknownKind.error(format!("`{kind}` is not a job that you may submit"));
        let kind: Kind = kind.parse().map_err(|_| unknown())?;
        if !caller.kinds.contains(&kind) {
            return Err(unknown());
        }
        let most = self.allowances.limits().max_payload_bytes;
        if payload.len() > most {
            return Err(ErrorCode::PayloadTooLarge.error(format!("the payload has {} bytes; {most} are allowed", payload.len())));
        }
        let audience = match (caller.role, audience) {
            (Role::Service, Some(audience)) => audience,
            (Role::Service, None) => return Err(ErrorCode::InvalidRequest.error("a service must say for which audience")),
            (Role::Client, Some(_)) => return Err(ErrorCode::Forbidden.error("only services may choose the audience")),
            (Role::Client, None) => caller.own_audience().ok_or_else(|| ErrorCode::Unauthorized.error("nobody would see this job"))?,
        };
        let job = JobMessage {
            id: id.unwrap_or_default(),
            kind,
            audience,
            submitted_at: Timestamp::now(),
            max_attempts: options.max_attempts.map(|attempts| attempts.clamp(1, limits::MAX_ATTEMPTS)),
            timeout: options.timeout_ms.map(|millis| Duration::from_millis(millis).clamp(limits::MIN_TIMEOUT, limits::MAX_TIMEOUT)),
            payload,
        };
        Ok((job, id.is_some()))
    }

    async fn accept(&self, job: &JobMessage, may_be_known: bool, allowance: &Allowance) -> Result<Accepted, WireError> {
        // Both are asked at once, so that nobody waits for Redis longer than its deadline.
        let is_known = async { Ok::<_, WireError>(may_be_known && self.is_known_elsewhere(job).await?) };
        let (is_duplicate, allowed) = tokio::join!(is_known, allowance.check_submit_everywhere(&self.cache));
        let is_duplicate = is_duplicate?;
        if !is_duplicate {
            allowed?;
            self.publish_job(job).await?;
            self.cache.record_submitted(Submitted::from(job));
        }
        // What was found elsewhere goes out with everything else that was held back.
        Ok(Accepted { id: job.id, is_duplicate, terminal: None })
    }

    async fn publish_job(&self, job: &JobMessage) -> Result<(), WireError> {
        let topic = self.bus.names().jobs(&job.kind);
        let span = info_span!("submit", job.id = %job.id, job.kind = %job.kind);
        match self.bus.publish(&topic, Message::from(job.to_message())).instrument(span).await {
            Ok(_) => Ok(()),
            Err(error) => {
                match error {
                    PublishError::TopicMissing | PublishError::Rejected(_) | PublishError::Refused(_) => {
                        warn!(job = %job.id, %topic, %error, "cannot publish a job");
                    }
                    _ => debug!(job = %job.id, %error, "cannot publish a job"),
                }
                Err(not_published(&error))
            }
        }
    }

    /// Whether another gateway has accepted a job that this one does not know: Redis knows longer.
    async fn is_known_elsewhere(&self, job: &JobMessage) -> Result<bool, WireError> {
        let story = self.cache.story(job.id).await.unwrap_or_default();
        let Story { submitted, events } = &story;
        let audiences = events.iter().map(|event| &event.audience).chain(submitted.as_ref().map(|submitted| &submitted.audience));
        for audience in audiences {
            check_same(audience, &job.audience)?;
        }
        let is_known = story != Story::default();
        self.ledger.remember(story);
        Ok(is_known)
    }
}

impl Admission {
    /// Waits until Pub/Sub has the job; within its publish deadline and Redis', this ends one way or the other.
    pub(crate) async fn confirm(self) -> Confirmation {
        let Self { app, since, next } = self;
        let (result, settling) = match next {
            Next::Publish { job, mut settling, may_be_known, allowance } => {
                let result = app.accept(&job, may_be_known, &allowance).await;
                if result.is_ok() {
                    settling.accept();
                }
                (result, Some(settling))
            }
            Next::Join { id, outcome } => (join(id, outcome).await, None),
            Next::Known { id, record } => (Ok(Accepted { id, is_duplicate: true, terminal: record.terminal }), None),
        };
        let outcome = match &result {
            Ok(Accepted { is_duplicate: true, .. }) => "duplicate".into(),
            Ok(_) => "accepted".into(),
            Err(refusal) => refusal.code.clone(),
        };
        app.metrics.submitted(outcome, since.elapsed());
        Confirmation { result, _settling: settling }
    }
}

/// Waits for another submit of the same job, which ends within its own deadlines; if its task dies, so does the sender.
async fn join(id: JobId, mut outcome: watch::Receiver<Outcome>) -> Result<Accepted, WireError> {
    match outcome.wait_for(|outcome| *outcome != Outcome::Pending).await.as_deref() {
        Ok(Outcome::Accepted) => Ok(Accepted { id, is_duplicate: true, terminal: None }),
        _ => Err(not_published(&PublishError::Unavailable)),
    }
}

/// An id belongs to whoever used it first.
fn check_same(known: &Audience, wanted: &Audience) -> Result<(), WireError> {
    if known == wanted { Ok(()) } else { Err(ErrorCode::Forbidden.error("this id is another client's job")) }
}
