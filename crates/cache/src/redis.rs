use std::{
    future::Future,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use deadpool_redis::redis::{Client, RedisError, RedisResult, aio::MultiplexedConnection};
use service::{Component, State};
use tokio::{sync::Notify, time::timeout};
use tracing::debug;

use crate::{
    CacheSettings,
    connections::{CommandError, Connections},
    metrics::{CacheMetrics, Command, Outcome},
};

/// A Redis that may be away: every command has a deadline, and none is tried while Redis is known to be down.
#[derive(Clone)]
pub(crate) struct Redis {
    pub(crate) client: Client,
    pub(crate) connections: Arc<Connections>,
    pub(crate) component: Component,
    pub(crate) metrics: CacheMetrics,
    /// Asks the supervisor to look at once whether Redis is still there.
    pub(crate) doubt: Arc<Notify>,
    /// Whether it has been up for so long that everybody listens again.
    pub(crate) is_settled: Arc<AtomicBool>,
    deadline: Duration,
    prefix: Arc<str>,
}

impl Redis {
    pub(crate) fn new(settings: &CacheSettings, client: Client, component: Component, metrics: CacheMetrics) -> Result<Self, RedisError> {
        Ok(Self {
            connections: Arc::new(Connections::new(&client)?),
            client,
            component,
            metrics,
            doubt: Arc::default(),
            is_settled: Arc::default(),
            deadline: settings.redis_deadline,
            prefix: settings.redis_prefix.as_str().into(),
        })
    }

    /// A key or channel of this installation.
    pub(crate) fn key(&self, name: impl std::fmt::Display) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Runs a command. Nothing if Redis is away, refuses, does not answer in time or has enough to do; which of these is counted.
    pub(crate) async fn run<T, F>(&self, command: Command, run: impl FnOnce(MultiplexedConnection) -> F) -> Option<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.run_after(Duration::ZERO, command, run).await
    }

    /// [`Self::run`] for somebody who has waited for Redis before; it is not tried if there is no time left.
    pub(crate) async fn run_after<T, F>(
        &self,
        waited: Duration,
        command: Command,
        run: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Option<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let left = self.deadline.saturating_sub(waited);
        if left.is_zero() {
            self.metrics.count(command, Outcome::TimedOut);
            return None;
        }
        if self.component.get() != State::Up {
            self.metrics.count(command, Outcome::Away);
            return None;
        }
        let answer = timeout(left, self.connections.run(run)).await;
        let outcome = match &answer {
            Ok(Ok(_)) => Outcome::Done,
            Ok(Err(CommandError::Full)) => Outcome::Full,
            Ok(Err(error @ CommandError::Refused(_))) => {
                debug!(?command, %error, "Redis command failed");
                Outcome::Refused
            }
            Err(_) => Outcome::TimedOut,
        };
        self.metrics.count(command, outcome);
        if matches!(outcome, Outcome::Refused | Outcome::TimedOut) {
            self.doubt.notify_one();
        }
        answer.ok()?.ok()
    }
}
