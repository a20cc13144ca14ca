//! What the stories need: an installation, a client, and a worker that does as it is told.

mod binary;
mod client;
mod installation;
mod polling;
mod redis;
mod worker;

use std::time::Duration;

pub use binary::Binary;
pub use client::{Client, Heard, Refused};
pub use installation::{Installation, Serving, stalled_client, user_token, user_token_for};
pub use polling::Polling;
pub use redis::Redis;
pub use worker::FakeWorker;

/// How long anything may take that should take milliseconds, on a machine that does other things too.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// This process stands still, with every gateway in it, and goes on ten minutes later: as long as Pub/Sub keeps events.
pub async fn ten_minutes_pass() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(10)).await;
    tokio::time::resume();
}

/// Asks until the answer is yes.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, asking).await.unwrap_or_else(|_| panic!("never: {what}"));
}
