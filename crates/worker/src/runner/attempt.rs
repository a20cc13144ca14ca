use std::{any::Any, future::Future, pin::pin, time::Duration};

use shared::{Payload, limits::MAX_PAYLOAD};
use tokio::{task::JoinError, time::sleep};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{Instrument, Span};

use crate::{JobError, metrics::AttemptOutcome, registered::Attempt};

/// How one run of a handler ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// By itself, or because its time was up.
    Done(Result<Payload, JobError>),
    /// On its client's request.
    Cancelled,
    /// Because this process must leave.
    Interrupted,
}

/// What may end an attempt before its time.
pub(crate) struct Bounds<'a> {
    pub(crate) timeout: Duration,
    /// Fires when the client cancels.
    pub(crate) cancel: &'a CancellationToken,
    /// How long the handler may take to return after that, unless this process must leave sooner.
    pub(crate) grace: Duration,
    /// Tells the handler that it should stop.
    pub(crate) stop: CancellationToken,
}

/// The code of an attempt that panicked.
const PANICKED: &str = "panicked";
/// The code of an attempt that took too long.
const TIMEOUT: &str = "timeout";

/// Runs a handler in a task of its own, so that neither a panic nor a blocked thread takes the runner along.
pub(crate) async fn run(attempt: Attempt, bounds: Bounds<'_>, time_is_up: impl Future<Output = ()>, span: Span) -> Outcome {
    // Whatever the end is, clones of the job's handle learn of it.
    let _stop = bounds.stop.clone().drop_guard();
    let mut running = AbortOnDropHandle::new(tokio::spawn(attempt.instrument(span)));
    let mut time_is_up = pin!(time_is_up);
    tokio::select! {
        done = &mut running => Outcome::Done(result(done)),
        () = sleep(bounds.timeout) => {
            Outcome::Done(Err(JobError::retry(format!("the attempt took longer than {:?}", bounds.timeout)).with_code(TIMEOUT)))
        }
        () = bounds.cancel.cancelled() => {
            bounds.stop.cancel();
            let returned = tokio::select! {
                done = &mut running => result(done).ok(),
                () = sleep(bounds.grace) => None,
                () = &mut time_is_up => None,
            };
            // Too late to cancel if the work is done.
            returned.map_or(Outcome::Cancelled, |payload| Outcome::Done(Ok(payload)))
        }
        () = &mut time_is_up => Outcome::Interrupted,
    }
}

impl Outcome {
    pub(crate) fn label(&self) -> AttemptOutcome {
        match self {
            Self::Done(Ok(_)) => AttemptOutcome::succeeded,
            Self::Done(Err(error)) => match error.wire().code.as_ref() {
                PANICKED => AttemptOutcome::panicked,
                TIMEOUT => AttemptOutcome::timeout,
                _ if error.is_retryable() => AttemptOutcome::retryable,
                _ => AttemptOutcome::failed,
            },
            Self::Cancelled => AttemptOutcome::cancelled,
            Self::Interrupted => AttemptOutcome::interrupted,
        }
    }
}

fn result(done: Result<Result<Payload, JobError>, JoinError>) -> Result<Payload, JobError> {
    match done {
        Ok(Ok(payload)) if payload.len() > MAX_PAYLOAD => {
            Err(JobError::fail("result_too_large", format!("the result has {} bytes of at most {MAX_PAYLOAD}", payload.len())))
        }
        Ok(result) => result,
        Err(error) => Err(JobError::retry(panic_message(error)).with_code(PANICKED)),
    }
}

fn panic_message(error: JoinError) -> String {
    let text = |panic: &(dyn Any + Send)| {
        panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned())
    };
    match error.try_into_panic() {
        Ok(panic) => text(&*panic).unwrap_or_else(|| "the handler panicked without a message".to_owned()),
        Err(_) => "the handler was aborted".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::future::{pending, ready};

    use tokio::time::Instant;

    use super::*;

    fn bounds(cancel: &CancellationToken) -> Bounds<'_> {
        Bounds { timeout: Duration::from_secs(60), cancel, grace: Duration::from_secs(5), stop: CancellationToken::new() }
    }

    fn error(outcome: Outcome) -> JobError {
        match outcome {
            Outcome::Done(Err(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_failed_attempt_that_says_why() {
        let attempt = Box::pin(async { panic!("out of {}", "paper") });
        let error = error(run(attempt, bounds(&CancellationToken::new()), pending(), Span::none()).await);
        assert_eq!((error.to_string().as_str(), error.is_retryable()), ("panicked: out of paper", true));
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_takes_too_long_ends_and_its_handle_says_so() {
        let (cancel, stop) = (CancellationToken::new(), CancellationToken::new());
        let bounds = Bounds { stop: stop.clone(), ..bounds(&cancel) };
        let error = error(run(Box::pin(pending()), bounds, pending(), Span::none()).await);
        assert_eq!((error.wire().code.as_ref(), error.is_retryable()), ("timeout", true));
        assert!(stop.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_handler_may_tidy_up_and_even_succeed_but_not_dawdle() {
        let cancel = CancellationToken::new();
        cancel.cancel();
        let obedient = bounds(&cancel);
        let stop = obedient.stop.clone();
        let attempt = Box::pin(async move {
            stop.cancelled().await;
            Err(JobError::retry("stopped"))
        });
        assert!(matches!(run(attempt, obedient, pending(), Span::none()).await, Outcome::Cancelled));
        let done = Box::pin(async {
            sleep(Duration::from_secs(4)).await;
            Ok(Payload::encode(&1).unwrap())
        });
        assert!(matches!(run(done, bounds(&cancel), pending(), Span::none()).await, Outcome::Done(Ok(_))));
        assert!(matches!(run(Box::pin(pending()), bounds(&cancel), pending(), Span::none()).await, Outcome::Cancelled));
    }

    #[tokio::test]
    async fn when_the_process_leaves_the_attempt_is_interrupted_not_failed() {
        let outcome = run(Box::pin(pending()), bounds(&CancellationToken::new()), ready(()), Span::none()).await;
        assert!(matches!(outcome, Outcome::Interrupted));
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_dawdles_after_its_cancellation_is_cancelled_when_the_process_leaves() {
        let (cancel, began) = (CancellationToken::new(), Instant::now());
        cancel.cancel();
        let outcome = run(Box::pin(pending()), bounds(&cancel), sleep(Duration::from_secs(2)), Span::none()).await;
        assert!(matches!(outcome, Outcome::Cancelled), "{outcome:?}");
        assert_eq!(began.elapsed(), Duration::from_secs(2));
    }

    #[tokio::test]
    async fn a_result_that_no_message_can_carry_fails_the_job() {
        let attempt = Box::pin(async { Ok(Payload::Raw { content_type: "x/y".into(), bytes: vec![0; MAX_PAYLOAD + 1].into() }) });
        let error = error(run(attempt, bounds(&CancellationToken::new()), pending(), Span::none()).await);
        assert_eq!((error.wire().code.as_ref(), error.is_retryable()), ("result_too_large", false));
    }
}
