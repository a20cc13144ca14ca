//! The one place that talks to Redis, and what stands in when there is none.
//!
//! Redis is a luxury: it stretches the history from minutes to hours, carries perishable hints more cheaply than Pub/Sub
//! does, keeps two workers from running the same job at a time, remembers what killed workers and which jobs were cancelled,
//! and counts against limits that all gateways share. Nothing here ever fails because Redis is away, and nobody waits for it longer than
//! [`CacheSettings::redis_deadline`]: an answer that did not come is one of the named outcomes.

mod cache;
mod cancellations;
mod claim;
mod connections;
mod frame;
mod history;
mod metrics;
mod rate;
mod redis;
mod settings;
mod subscriber;
mod supervisor;
mod trials;

pub use cache::{Cache, Published};
pub use claim::Claim;
pub use history::Story;
pub use rate::Allowed;
pub use settings::{CacheSettings, InvalidRedisUrl};
pub use subscriber::PerishableEvents;
