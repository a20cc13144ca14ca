use std::{future::Future, sync::Arc, time::Duration};

use bus::Delivery;
use shared::{EventType, JobEvent, JobMessage, Payload, Timestamp, WireError, seq::seq};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{
    attempt::{self, Bounds, Outcome},
    claim,
    docket::Dock,
    handover::{self, Carried},
    hints::{Hint, Latest},
    intake,
    ledger::Ticket,
    reject,
    reporter::{End, Reporter},
    serve::Station,
    slots::Slot,
    suspicion::{self, Standing},
};
use crate::{
    JobError, JobHandle,
    error::Next,
    metrics::{Incident, JobOutcome},
};

/// One job in this process, from its first attempt here to its end or its hand-back.
pub(crate) struct Execution {
    station: Arc<Station>,
    job: Arc<JobMessage>,
    delivery: Delivery,
    ticket: Ticket,
    /// None while it is queued or waits for its next attempt.
    slot: Option<Slot>,
    standing: Standing,
    /// Only an accused needs it, for as long as it runs.
    dock: Option<Dock>,
    /// Whether its trial is on record: if it leaves alive, that must not be held against it.
    tried: bool,
    carried: Carried,
    latest: Arc<Latest>,
    since: Instant,
    /// The latest attempt's.
    span: Span,
}

/// What becomes of a job that is through with this process.
enum Verdict {
    End(End),
    /// It ended elsewhere: this is what was said then.
    Known(Box<JobEvent>),
    /// It kills its workers.
    Condemned,
    HandBack,
}

impl Execution {
    /// How long a delivery may be held: leases are extended for [`super::serve::MAX_LEASE`] at most.
    const MAX_HOLD: Duration = Duration::from_mins(55);

    pub(crate) fn new(station: Arc<Station>, job: JobMessage, delivery: Delivery, ticket: Ticket) -> Self {
        Self {
            station,
            job: Arc::new(job),
            carried: Carried::read(&delivery.message.attributes),
            delivery,
            ticket,
            slot: None,
            standing: Standing::Innocent,
            dock: None,
            tried: false,
            latest: Arc::default(),
            since: Instant::now(),
            span: Span::none(),
        }
    }

    pub(crate) async fn run(mut self) {
        let core = Arc::clone(&self.station.core);
        let (job, latest) = (Arc::clone(&self.job), Arc::clone(&self.latest));
        let mut reporter = Reporter::new(Arc::clone(&core), Arc::clone(&job), self.carried.delivery(self.delivery.delivery_attempt));
        let verdict = tokio::select! {
            verdict = self.attempts() => verdict,
            never = reporter.pass_on(&latest) => match never {},
            never = claim::keep(&core, &job) => match never {},
        };
        let event = match verdict {
            Verdict::End(end) => reporter.event(end.into()),
            Verdict::Known(event) => *event,
            Verdict::Condemned => return self.put_aside().await,
            Verdict::HandBack => return self.hand_back().await,
        };
        let outcome = match event.event_type {
            EventType::Succeeded => JobOutcome::succeeded,
            EventType::Cancelled => JobOutcome::cancelled,
            _ => JobOutcome::failed,
        };
        let announced = tokio::select! {
            announced = reporter.announce(event).instrument(self.span.clone()) => announced,
            never = claim::keep(&core, &job) => match never {},
        };
        let Some(event) = announced else { return self.hand_back().await };
        core.metrics.job(&job.kind, outcome);
        self.delivery.ack();
        // The claim stays until its time is over: whoever waits for it shall find the end in the history.
        self.ticket.ended(event);
    }

    async fn attempts(&mut self) -> Verdict {
        let core = Arc::clone(&self.station.core);
        let most = self.job.max_attempts.unwrap_or(self.station.limits.max_attempts);
        if let Some(end) = self.alone().await {
            return end;
        }
        self.standing = self.examine().await;
        self.rest().await;
        loop {
            if self.ticket.cancel().is_cancelled() || core.is_cancelled(&self.job).await {
                return self.end(EventType::Cancelled, None, None);
            }
            if self.standing == Standing::Condemned {
                return Verdict::Condemned;
            }
            if core.lifecycle.is_draining() {
                return Verdict::HandBack;
            }
            if !self.take_place().await {
                continue;
            }
            let error = match self.attempt(self.carried.attempts + 1).await {
                Outcome::Done(Ok(data)) => {
                    self.carried.attempts += 1;
                    return self.end(EventType::Succeeded, Some(data), None);
                }
                Outcome::Done(Err(error)) => error,
                Outcome::Cancelled => {
                    self.carried.attempts += 1;
                    return self.end(EventType::Cancelled, None, None);
                }
                Outcome::Interrupted => return Verdict::HandBack,
            };
            self.carried.attempts += 1;
            let pause = match error.next() {
                _ if self.carried.attempts >= most => None,
                Next::GiveUp => None,
                Next::Backoff => Some(core.settings.backoff().pause(self.carried.attempts)),
                Next::After(pause) => Some(pause),
            };
            let Some(pause) = pause else { return self.end(EventType::Failed, None, Some(error.into_wire())) };
            self.retrying(error, pause);
            if self.since.elapsed() + pause + self.timeout() > Self::MAX_HOLD {
                return Verdict::HandBack;
            }
            self.rest().await;
        }
    }

    /// Sees to it that no other worker runs the job, if Redis can tell; perhaps one has even ended it.
    async fn alone(&mut self) -> Option<Verdict> {
        let core = Arc::clone(&self.station.core);
        let job = Arc::clone(&self.job);
        if claim::is_taken(&core, &job).await {
            if !self.step_aside(claim::free(&core, &job)).await {
                return Some(Verdict::HandBack);
            }
        } else if self.delivery.delivery_attempt == 1 {
            return None;
        }
        let known = claim::known_end(&core, &job, seq(self.carried.delivery(1), 0)).await?;
        core.metrics.incident(&job.kind, Incident::duplicate);
        Some(Verdict::Known(Box::new(known)))
    }

    /// How it stands; a cancellation or a drain spares the question.
    async fn examine(&self) -> Standing {
        let standing = suspicion::standing(&self.station.core, &self.job, &self.delivery.message_id, self.delivery.delivery_attempt);
        self.uninterrupted(standing).await.unwrap_or(Standing::Suspect)
    }

    async fn attempt(&mut self, number: u32) -> Outcome {
        let core = &self.station.core;
        let (job, timeout, stop) = (&self.job, self.timeout(), CancellationToken::new());
        self.span = info_span!("attempt", otel.kind = "consumer", kind = %job.kind, job = %job.id, attempt = number);
        // Fails where nothing records traces, which is not our business.
        let _ = self.span.set_parent(self.delivery.span_context());
        self.hint(EventType::Started, number, None, None);
        let handle = JobHandle::new(job.id, job.kind.clone(), number, Instant::now() + timeout, stop.clone(), self.progress_sink(number));
        let began = Instant::now();
        let running = self.station.registered.attempt(job.payload.clone(), handle);
        let bounds = Bounds { timeout, cancel: self.ticket.cancel(), grace: core.settings.worker_cancel_grace, stop };
        let outcome = attempt::run(running, bounds, core.time_is_up(), self.span.clone()).await;
        core.metrics.attempt(&job.kind, outcome.label(), began.elapsed());
        let _in_span = self.span.enter();
        match &outcome {
            Outcome::Done(Err(error)) => tracing::info!(%error, retryable = error.is_retryable(), "attempt failed"),
            other => tracing::debug!(outcome = ?other.label(), "attempt ended"),
        }
        outcome
    }

    fn retrying(&mut self, error: JobError, pause: Duration) {
        self.carried.not_before = Some(Timestamp::now() + pause);
        self.hint(EventType::Retrying, self.carried.attempts, None, Some(error.into_wire().retry_after(pause)));
    }

    /// Waits until the next attempt may begin. A cancellation or a drain ends it early.
    async fn rest(&mut self) {
        let Some(not_before) = self.carried.not_before else { return };
        let pause = Duration::try_from(not_before.duration_since(Timestamp::now())).unwrap_or_default();
        if self.step_aside(sleep(pause)).await {
            self.carried.not_before = None;
        }
    }

    /// Waits for something, making room for others meanwhile; tells whether it came, rather than a cancellation or a drain.
    async fn step_aside(&mut self, until: impl Future<Output = ()>) -> bool {
        self.dock = None;
        let place = self.station.slots.waiting();
        if place.is_some() {
            self.slot = None;
        }
        self.uninterrupted(until).await.is_some()
    }

    /// Waits for a place to run in; tells whether there is one, rather than a cancellation or a drain.
    ///
    /// A suspect needs more: the dock, if it is accused, and its trial on record. It waits for these at nobody's expense.
    async fn take_place(&mut self) -> bool {
        if self.standing == Standing::Accused && self.dock.is_none() {
            self.slot = None;
            self.dock = self.uninterrupted(self.station.core.docket.dock()).await;
            if self.dock.is_none() {
                return false;
            }
        }
        if self.slot.is_none() {
            self.slot = self.uninterrupted(self.station.slots.running()).await;
        }
        self.slot.is_some() && (self.standing == Standing::Innocent || self.tried || self.go_on_record().await)
    }

    async fn go_on_record(&mut self) -> bool {
        let core = &self.station.core;
        core.metrics.incident(&self.job.kind, Incident::trial);
        // Also if this is interrupted: who knows whether it was published.
        self.tried = true;
        let record = suspicion::record(core, &self.job, &self.delivery.message_id, self.standing);
        self.uninterrupted(record).await.is_some()
    }

    async fn uninterrupted<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            result = wait => Some(result),
            () = self.ticket.cancel().cancelled() => None,
            () = self.station.core.lifecycle.draining().cancelled() => None,
        }
    }

    async fn put_aside(self) {
        let Self { station, job, delivery, ticket, .. } = self;
        reject::put_aside(&station, delivery, suspicion::REASON.to_owned()).await;
        claim::release(&station.core, &job).await;
        drop(ticket);
    }

    async fn hand_back(self) {
        let core = &self.station.core;
        core.metrics.job(&self.job.kind, JobOutcome::handed_back);
        // Whoever gets it next, perhaps ourselves, must find nobody at it.
        claim::release(core, &self.job).await;
        drop(self.ticket);
        match handover::carry_on(core, &self.job, &self.delivery, self.carried, self.tried).await {
            Ok(true) => return self.delivery.ack(),
            Ok(false) => {}
            Err(error) => tracing::warn!(job = %self.job.id, %error, "handing the job back without the number of its attempts"),
        }
        intake::hand_back(&self.station, self.delivery).await;
    }

    fn end(&self, event_type: EventType, data: Option<Payload>, error: Option<WireError>) -> Verdict {
        Verdict::End(End { event_type, attempt: self.carried.attempts.max(1), data, error })
    }

    fn hint(&self, event_type: EventType, attempt: u32, data: Option<Payload>, error: Option<WireError>) {
        if self.latest.put(Hint { event_type, attempt, data, error }) {
            self.station.core.metrics.incident(&self.job.kind, Incident::hint_conflated);
        }
    }

    fn progress_sink(&self, attempt: u32) -> impl Fn(Payload) + Send + Sync + 'static {
        let (latest, metrics, kind) = (Arc::clone(&self.latest), self.station.core.metrics.clone(), self.job.kind.clone());
        move |data| {
            if latest.put(Hint { event_type: EventType::Progress, attempt, data: Some(data), error: None }) {
                metrics.incident(&kind, Incident::hint_conflated);
            }
        }
    }

    fn timeout(&self) -> Duration {
        self.job.timeout.unwrap_or(self.station.limits.timeout)
    }
}
