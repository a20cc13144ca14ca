//! From the events topic, and from Redis, to the sockets of this gateway.

mod backlog;
mod consume;
mod courier;
mod ledger;
mod recent;
mod told;
mod wire;

pub(crate) use backlog::WarmUp;
pub(crate) use consume::Relay;
pub(crate) use courier::Courier;
pub(crate) use ledger::{Ledger, Settling, Start};
pub(crate) use told::Told;
pub(crate) use wire::{Data, Packet, Urgency};
