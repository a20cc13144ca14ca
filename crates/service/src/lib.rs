//! What every Mayfly process has: settings, telemetry, health and a drain.
//!
//! A binary's main is one call of [`run`]: settings come from flags and environment variables, the body gets them and a
//! [`Process`], and SIGTERM (or Ctrl-C) begins the drain that [`Lifecycle`] tells everybody about.

mod error;
mod health;
mod http;
mod lifecycle;
mod metrics;
mod process;
mod run;
mod settings;
mod telemetry;

pub use error::StartError;
pub use health::{Component, Gate, Health, State};
pub use http::{listen, serve_health};
pub use lifecycle::Lifecycle;
pub use metrics::Metrics;
pub use process::Process;
pub use run::{exit, run};
pub use settings::{InvalidSettings, LogFormat, ServiceSettings, parse_millis, parse_seconds, try_parse_from};
