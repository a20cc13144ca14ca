//! From the events topic, and from Redis, to the sockets of this gateway.

mod announcer;
mod attention;
mod backlog;
mod consume;
mod courier;
mod ledger;
mod outbox;
mod pubsub_clock;
mod recent;
mod told;
mod wire;

pub(crate) use announcer::Announcer;
pub(crate) use backlog::WarmUp;
pub(crate) use consume::Relay;
pub(crate) use courier::Courier;
pub(crate) use ledger::{Ledger, Settling, Start};
pub(crate) use outbox::{Full, Outbox, Reach};
pub(crate) use pubsub_clock::PubsubClock;
pub(crate) use told::Told;
pub(crate) use wire::{Data, Packet, Urgency};
