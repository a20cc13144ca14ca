//! Returns what it is given, as it came. On request it sleeps, reports progress, fails or panics first: the job type
//! that demonstrations, load tests and chaos tests are made of.
//!
//! See [`Options`] for what can be asked of it.

mod echo;
mod options;
mod settings;

pub use echo::{Echo, Echoed};
pub use options::Options;
pub use settings::EchoSettings;
