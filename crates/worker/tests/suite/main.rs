//! What becomes of jobs, told against the embedded Pub/Sub.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests")]

mod attempts;
mod cancelling;
mod killed;
mod leaving;
mod malformed;
mod outages;
mod probe;
mod proxy;
mod redis;
mod suspects;
mod telling;
mod twice;
mod world;
