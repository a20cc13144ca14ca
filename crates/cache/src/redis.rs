use std::{
    future::Future,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use deadpool_redis::{
    Connection, Manager, Pool, PoolConfig, PoolError, Runtime, Timeouts,
    redis::{Client, RedisError, RedisResult},
};
use service::{Component, State};
use tokio::sync::Notify;
use tracing::debug;

use crate::{
    CacheSettings,
    metrics::{CacheMetrics, Command, Outcome},
};

/// Connections to a Redis that may be away: every command has a deadline, and none is tried while Redis is known to be down.
#[derive(Clone)]
pub(crate) struct Redis {
    pub(crate) client: Client,
    pool: Pool,
    pub(crate) component: Component,
    pub(crate) metrics: CacheMetrics,
    /// Asks the supervisor to look at once whether Redis is still there.
    pub(crate) doubt: Arc<Notify>,
    /// Whether it has been up for so long that everybody listens again.
    pub(crate) is_settled: Arc<AtomicBool>,
    deadline: Duration,
    prefix: Arc<str>,
}

/// Multiplexed connections carry many commands at a time; a few spare callers the wait for a large reply to somebody else.
const CONNECTIONS: usize = 4;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("no connection to Redis: {0}")]
    Connection(#[from] PoolError),
    #[error("Redis answered: {0}")]
    Command(#[from] RedisError),
}

impl Redis {
    pub(crate) fn new(settings: &CacheSettings, client: Client, component: Component, metrics: CacheMetrics) -> Result<Self, RedisError> {
        let manager = Manager::new(client.get_connection_info().clone())?;
        let timeouts =
            Timeouts { wait: Some(settings.redis_deadline), create: Some(CONNECT_DEADLINE), recycle: Some(settings.redis_deadline) };
        let pool = Pool::builder(manager)
            .config(PoolConfig { max_size: CONNECTIONS, timeouts, ..PoolConfig::default() })
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a pool with a runtime can always be built");
        Ok(Self {
            client,
            pool,
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

    /// Runs a command. Nothing if Redis is away, refuses or does not answer in time; which of these is counted.
    pub(crate) async fn run<T, F>(&self, command: Command, run: impl FnOnce(Connection) -> F) -> Option<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        if self.component.get() != State::Up {
            self.metrics.count(command, Outcome::Away);
            return None;
        }
        let answer = tokio::time::timeout(self.deadline, self.try_run(run)).await;
        let outcome = match &answer {
            Ok(Ok(_)) => Outcome::Done,
            Ok(Err(error)) => {
                debug!(?command, %error, "Redis command failed");
                Outcome::Refused
            }
            Err(_) => Outcome::TimedOut,
        };
        self.metrics.count(command, outcome);
        if outcome != Outcome::Done {
            self.doubt.notify_one();
        }
        answer.ok()?.ok()
    }

    /// Runs a command whatever is known of Redis; the caller sets the deadline.
    pub(crate) async fn try_run<T, F>(&self, run: impl FnOnce(Connection) -> F) -> Result<T, CommandError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        Ok(run(self.pool.get().await?).await?)
    }
}

/// A new connection is several round trips; only the supervisor, who waits longest, ever needs all of it.
const CONNECT_DEADLINE: Duration = Duration::from_millis(500);
