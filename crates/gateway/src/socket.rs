//! socket.io: the handshake, one handler per client event, and what a connected client is.

mod args;
mod cancel;
mod channel;
mod client;
mod connect;
mod dispatch;
mod engine;
mod expiry;
mod get;
mod ping;
mod refresh;
mod reply;
mod resume;
mod submit;

pub(crate) use client::Client;
pub(crate) use engine::engine;
