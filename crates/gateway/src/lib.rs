//! The door: socket.io clients and the HTTP API, relayed to and from Pub/Sub.
//!
//! - [`Gateway`] serves on a listener until its process drains.
//! - `socket` and `http` are the two ways in; both end in `app`, where submitting, looking up, cancelling and publishing happen.
//! - `relay` brings events to the sockets, past `history`, which keeps them in order and remembers them for a while.
//! - `net` makes connections closable one by one, which `drain` uses to send clients elsewhere without their noticing more than a reconnect.
//!
//! A gateway keeps nothing that another one cannot rebuild.

mod allowance;
mod app;
mod drain;
mod gateway;
mod history;
mod http;
mod identity;
mod metrics;
mod net;
mod relay;
mod settings;
mod socket;
mod status;

pub use gateway::Gateway;
pub use identity::{ChannelPattern, InvalidPattern};
pub use settings::GatewaySettings;
