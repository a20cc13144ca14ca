//! A real gateway against the embedded Pub/Sub, spoken to as clients speak to it.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests")]

mod support;

mod channels;
mod drain;
mod healthy;
mod http;
mod isolation;
mod limits;
mod once;
mod outage;
mod page;
mod redis;
mod refresh;
mod resume;
mod slow;
mod sockets;
mod submit;
