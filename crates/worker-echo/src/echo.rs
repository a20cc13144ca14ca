use std::time::Duration;

use rmpv::Value;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use shared::{Payload, PayloadError};
use tokio::time::sleep;
use worker::{Job, JobError, JobHandle};

use crate::{EchoSettings, Options};

/// Anything at all, to be returned.
#[derive(Debug, Clone, PartialEq)]
pub struct Echo {
    payload: Payload,
    options: Options,
}

/// The same, returned.
#[derive(Debug, Clone, PartialEq)]
pub struct Echoed(pub Payload);

impl Echo {
    /// Will return this payload, after doing what it asks for.
    ///
    /// # Errors
    /// When there is something under `echo` that looks like options and is not.
    pub fn new(payload: Payload) -> Result<Self, PayloadError> {
        Ok(Self { options: Options::find(&payload)?, payload })
    }

    async fn sleep(&self, job: &JobHandle) -> Result<(), JobError> {
        let steps = self.options.steps.max(1);
        for step in 1..=steps {
            self.sleep_step(self.options.sleep() / steps, job).await?;
            if self.options.steps > 0 {
                job.progress_with(fraction(step, steps), Step { step, steps });
            }
        }
        Ok(())
    }

    async fn sleep_step(&self, pause: Duration, job: &JobHandle) -> Result<(), JobError> {
        if self.options.ignore_cancel {
            sleep(pause).await;
            return Ok(());
        }
        tokio::select! {
            () = sleep(pause) => Ok(()),
            () = job.cancelled() => Err(JobError::retry("stopped while sleeping")),
        }
    }
}

#[derive(Serialize)]
struct Step {
    step: u32,
    steps: u32,
}

impl Job for Echo {
    const KIND: &'static str = "echo";
    type Context = EchoSettings;
    type Output = Echoed;
    /// It mostly sleeps.
    const CONCURRENCY: usize = 64;

    fn decode(payload: &Payload) -> Result<Self, PayloadError> {
        Self::new(payload.clone())
    }

    fn encode(Echoed(payload): Echoed) -> Result<Payload, PayloadError> {
        Ok(payload)
    }

    async fn run(self, job: &JobHandle, settings: &EchoSettings) -> Result<Echoed, JobError> {
        self.options.check()?;
        self.sleep(job).await?;
        if self.options.abort && settings.echo_may_abort {
            std::process::abort();
        }
        if self.options.abort {
            return Err(JobError::fail("not_allowed", "ECHO_MAY_ABORT is not set here"));
        }
        if let Some(message) = self.options.panic {
            panic!("{message}");
        }
        match self.options.failure(job.attempt()) {
            Some(error) => Err(error),
            None => Ok(Echoed(self.payload)),
        }
    }
}

/// For callers that have a structure; the runner keeps the payload as it came, see [`Job::decode`].
impl<'de> Deserialize<'de> for Echo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Payload::from_value(value).and_then(Self::new).map_err(de::Error::custom)
    }
}

impl Serialize for Echoed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_value().map_err(ser::Error::custom)?.serialize(serializer)
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most a thousand steps")]
fn fraction(step: u32, steps: u32) -> f32 {
    step as f32 / steps as f32
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use bytes::Bytes;
    use serde_json::json;
    use tokio_util::sync::CancellationToken;
    use worker::testing::{Testing, run, run_payload};

    use super::*;

    fn echo(options: serde_json::Value) -> Echo {
        serde_json::from_value(json!({ "echo": options })).unwrap()
    }

    #[tokio::test]
    async fn every_payload_comes_back_as_it_came() {
        for payload in [
            Payload::from_message(None, r#"{ "spaced":  1.0 }"#.into()).unwrap(),
            Payload::from_message(None, Bytes::new()).unwrap(),
            Payload::encode(&Value::Map(vec![("image".into(), Value::Binary(vec![0, 255]))])).unwrap(),
            Payload::Raw { content_type: "image/png".into(), bytes: Bytes::from_static(b"png") },
        ] {
            assert_eq!(run_payload::<Echo>(&payload, &EchoSettings::default()).await.unwrap(), payload);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_reports_its_steps() {
        let run = run(echo(json!({"sleepMs": 100, "steps": 4})), &EchoSettings::default()).await;
        assert_eq!(run.progress(), [0.25, 0.5, 0.75, 1.0]);
        assert_eq!(run.reports[0].json().unwrap().get(), r#"{"progress":0.25,"step":1,"steps":4}"#);
    }

    #[tokio::test]
    async fn it_fails_as_often_as_it_is_told() {
        let job = echo(json!({"failTimes": 2}));
        assert!(Testing::default().attempt(2).run(job.clone(), &EchoSettings::default()).await.result.unwrap_err().is_retryable());
        assert!(Testing::default().attempt(3).run(job, &EchoSettings::default()).await.result.is_ok());
    }

    #[tokio::test]
    async fn it_fails_for_good_with_a_code() {
        let error = run(echo(json!({"failCode": "no_paper"})), &EchoSettings::default()).await.result.unwrap_err();
        assert_eq!((error.wire().code.as_ref(), error.is_retryable()), ("no_paper", false));
    }

    #[tokio::test]
    #[should_panic(expected = "out of paper")]
    async fn it_panics() {
        let _ = run(echo(json!({"panic": "out of paper"})), &EchoSettings::default()).await;
    }

    #[tokio::test]
    async fn no_payload_ends_a_process_that_does_not_allow_it() {
        let error = run(echo(json!({"abort": true})), &EchoSettings::default()).await.result.unwrap_err();
        assert_eq!((error.wire().code.as_ref(), error.is_retryable()), ("not_allowed", false));
    }

    #[tokio::test(start_paused = true)]
    async fn it_wakes_up_when_cancelled_unless_told_to_ignore_that() {
        let cancelled = CancellationToken::new();
        cancelled.cancel();
        let testing = Testing::default().cancelled_by(cancelled);
        assert!(testing.clone().run(echo(json!({"sleepMs": 500})), &EchoSettings::default()).await.result.is_err());
        assert!(testing.run(echo(json!({"sleepMs": 500, "ignoreCancel": true})), &EchoSettings::default()).await.result.is_ok());
    }
}
