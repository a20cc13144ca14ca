//! Delivers signed webhooks after the Standard Webhooks specification.
//!
//! The job is [`Webhook`], its result [`Delivered`], and what all of them share a [`Sender`]. URLs come from strangers, so
//! nothing is sent to addresses that are not of the public internet, whichever way they are reached: written out, by name
//! or by redirect.

mod address;
mod answer;
mod dns;
mod error;
mod headers;
mod job;
mod retry_after;
mod sender;
mod settings;
mod signature;
mod target;
#[cfg(test)]
mod tests;
mod webhook;

pub use address::{Reach, is_public};
pub use error::WebhookError;
pub use headers::HeadersError;
pub use sender::{Sender, SenderError};
pub use settings::{Nets, SecretText, WebhookSettings};
pub use signature::{SecretError, Signer};
pub use target::TargetError;
pub use webhook::{Delivered, Webhook};
