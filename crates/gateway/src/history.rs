//! What this gateway remembers of recent jobs: enough to answer a client that comes back, and to keep events in order.
//!
//! Pure: it neither waits nor sends, and is told the time.

mod entry;
mod ring;
#[cfg(test)]
mod tests;

pub(crate) use entry::{JobRecord, Outcome, Since};
pub(crate) use ring::{Begun, Bounds, Ring, Settled, Taken};
