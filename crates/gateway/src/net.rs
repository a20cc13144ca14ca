//! Connections as this gateway needs them: bounded, counted, and closable one by one at transport level.

mod connection;
mod io;
mod messages;
mod outbound;
mod serve;
mod transports;

pub(crate) use connection::Connection;
pub(crate) use outbound::Outbound;
pub(crate) use serve::Server;
pub(crate) use transports::{Link, Transports};
