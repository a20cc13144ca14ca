use std::{future::Future, sync::Arc, time::Duration};

use deadpool_redis::{
    Connection, Manager, Pool, PoolConfig, PoolError, Runtime, Timeouts,
    redis::{Client, RedisError, RedisResult, aio::MultiplexedConnection, io::tcp::TcpSettings},
};
use futures::future::try_join_all;
use tokio::sync::{Semaphore, watch};

/// The connections that carry commands, each of them many at a time.
///
/// Only the supervisor takes a connection out of the pool, which asks it for a sign of life and replaces it if there is none.
/// Commands use clones: none waits for a connection, nor for somebody else's answer.
pub(crate) struct Connections {
    pool: Pool,
    /// One that carries nothing but the supervisor's probe, so that no traffic is in its way.
    probe: Pool,
    shared: watch::Sender<Vec<Shared>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("every connection owes {UNANSWERED} answers")]
    Full,
    #[error(transparent)]
    Refused(#[from] RedisError),
}

/// A few spare callers the wait for a large reply to somebody else.
const CONNECTIONS: usize = 4;
/// How many answers a connection may owe since its last sign of life. Four times as many are about what Redis answers
/// within a command's deadline; what comes on top would be late.
const UNANSWERED: usize = 1024;
/// How long a connection may take to give a sign of life. A new one in place of one that was merely busy does no harm.
const SIGN_OF_LIFE_DEADLINE: Duration = Duration::from_millis(200);
/// A new connection is several round trips.
const CONNECT_DEADLINE: Duration = Duration::from_millis(500);

#[derive(Clone)]
struct Shared {
    connection: MultiplexedConnection,
    /// How many more answers it may owe.
    room: Arc<Semaphore>,
}

impl Connections {
    pub(crate) fn new(client: &Client) -> Result<Self, RedisError> {
        Ok(Self { pool: pool(client, CONNECTIONS)?, probe: pool(client, 1)?, shared: watch::Sender::default() })
    }

    /// Takes care that every connection is alive; the caller sets the deadline.
    pub(crate) async fn refresh(&self) -> Result<(), PoolError> {
        let connections = try_join_all((0..CONNECTIONS).map(|_| self.pool.get())).await?;
        self.shared.send_replace(connections.iter().map(Shared::new).collect());
        Ok(())
    }

    /// The supervisor's own connection, alive; the caller sets the deadline.
    pub(crate) async fn probe(&self) -> Result<Connection, PoolError> {
        self.probe.get().await
    }

    /// Runs a command on the connection that owes the fewest answers; the caller sets the deadline.
    pub(crate) async fn run<T, F>(&self, run: impl FnOnce(MultiplexedConnection) -> F) -> Result<T, CommandError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let Shared { connection, room } = self.least_busy().ok_or(CommandError::Full)?;
        let answer = run(connection).await;
        // Who gives up waiting does not come here, and the answer stays owed: a connection that died is soon the busiest of all.
        if !answer.as_ref().is_err_and(RedisError::is_io_error) {
            room.add_permits(1);
        }
        Ok(answer?)
    }

    /// The connection that owes the fewest answers, and owes one more from now on. Nothing if there is no room on any.
    fn least_busy(&self) -> Option<Shared> {
        let shared = self.shared.borrow();
        let least_busy = shared.iter().max_by_key(|shared| shared.room.available_permits())?;
        least_busy.room.try_acquire().ok()?.forget();
        Some(least_busy.clone())
    }
}

impl Shared {
    /// A connection that has just given a sign of life. Redis answers in order, so it owes nothing that is older than its question.
    fn new(connection: &Connection) -> Self {
        Self { connection: MultiplexedConnection::clone(connection), room: Arc::new(Semaphore::new(UNANSWERED)) }
    }
}

fn pool(client: &Client, max_size: usize) -> Result<Pool, RedisError> {
    // Else the kernel keeps a command back until Redis has confirmed the one before, which may take it 40 ms.
    let settings = TcpSettings::default().set_nodelay(true);
    let manager = Manager::new(client.get_connection_info().clone().set_tcp_settings(settings))?;
    let timeouts = Timeouts { wait: None, create: Some(CONNECT_DEADLINE), recycle: Some(SIGN_OF_LIFE_DEADLINE) };
    let pool = Pool::builder(manager).config(PoolConfig { max_size, timeouts, ..PoolConfig::default() }).runtime(Runtime::Tokio1).build();
    Ok(pool.expect("a pool with a runtime can always be built"))
}
