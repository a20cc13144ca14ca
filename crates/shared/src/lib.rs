//! What Mayfly's parts say to each other: messages, error codes, attribute names and limits.
//!
//! Pure data: nothing here waits, connects or keeps state, so that every rule of the wire can be tested without a network.
//!
//! - [`JobMessage`] travels on `mayfly-jobs-<kind>`, [`EventMessage`] on `mayfly-events`,
//!   [`ControlMessage`] (a [`Cancellation`] or a [`Trial`]) on `mayfly-control`.
//! - [`Submitted`] is kept in Redis beside a job's events.
//! - [`Payload`] is what a job carries in and out: JSON, structures with binary in them, or raw bytes; never base64.
//! - [`client`] holds what browsers see.

pub mod attributes;
mod audience;
mod cancellation;
pub mod client;
mod error;
mod event;
mod ids;
mod job;
mod kind;
pub mod limits;
mod malformed;
mod payload;
pub mod schema;
pub mod seq;
mod submitted;
mod trial;

pub use attributes::Attributes;
pub use audience::{Audience, InvalidAudience};
pub use cancellation::Cancellation;
pub use error::{ErrorCode, WireError};
pub use event::{EventMessage, EventType, JobEvent, Notification};
pub use ids::{JobId, SessionId};
pub use job::{Envelope, JobMessage};
pub use kind::{InvalidKind, Kind};
pub use malformed::MalformedMessage;
pub use payload::{Payload, PayloadError};
pub use submitted::Submitted;
pub use trial::{ControlMessage, Trial};

/// When something happened; RFC 3339 on every wire.
pub type Timestamp = jiff::Timestamp;
