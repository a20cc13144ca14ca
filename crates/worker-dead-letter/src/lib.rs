//! What becomes of jobs that nobody could process.
//!
//! - [`DeadLetterWorker`] tells their clients, as a `failed` event, and logs them.
//! - [`Archive`] keeps them for a week whoever has been told: to be looked at, and sent again once the cause is mended.
//! - [`DeadLetter`] is one of them, read as far as it can be read.

mod archive;
mod letter;
mod worker;

pub use archive::{Archive, ArchiveError, Replayed};
pub use letter::DeadLetter;
pub use worker::DeadLetterWorker;
