//! The one place that talks to Cloud Pub/Sub.
//!
//! - [`Bus`] publishes within a deadline, refuses at once while the server is away, and heals itself when it is back.
//! - [`Consumer`] yields [`Delivery`]s from a subscription for as long as the process wants them, whatever happens to the server meanwhile.
//! - [`Topology`] says which topics and subscriptions must exist; [`Bus::ensure`] creates those that do not.
//! - [`InstanceSubscription`] is a subscription that one process has for itself; [`Bus::abandoned`] finds those whose process is gone.
//!
//! One code path for development, tests and production: only the endpoint differs ([`BusSettings::pubsub_emulator_host`]).

mod admin;
mod alive;
mod bus;
mod clients;
mod consumer;
mod delivery;
mod ensure;
mod error;
mod garbage;
mod instance;
mod link;
mod message;
mod metrics;
mod names;
mod publish;
mod settings;
mod topology;
mod trace;

pub use bus::Bus;
pub use consumer::{Closed, ConsumeOptions, Consumer};
pub use delivery::{Delivery, Lease};
pub use error::{BusError, PublishError};
pub use garbage::Abandoned;
pub use instance::{InstanceSubscription, Rewound, SeekBack};
pub use message::Message;
pub use names::{Names, SubscriptionName, TopicName};
pub use settings::BusSettings;
pub use topology::{DeadLetter, SubscriptionSpec, Topology};
