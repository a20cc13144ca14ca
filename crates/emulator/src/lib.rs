//! A `google.pubsub.v1` server for development and tests: gRPC and REST on one port, in memory, up in milliseconds.
//!
//! It speaks to Google's client libraries, which find it where `PUBSUB_EMULATOR_HOST` says. (The Rust one has to be told
//! with `with_endpoint` and anonymous credentials.) It runs as a process of its own, `mayfly-emulator`, or inside another:
//!
//! ```
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let pubsub = emulator::Emulator::default().bind("127.0.0.1:0").await?.spawn();
//! println!("export PUBSUB_EMULATOR_HOST={}", pubsub.host());
//! pubsub.stop().await;
//! # Ok::<_, std::io::Error>(()) })?;
//! # Ok::<_, std::io::Error>(())
//! ```
//!
//! # What it does
//!
//! - **Services**: `Publisher` and `Subscriber`, over gRPC and as JSON over HTTP/1.1 and 2. Updates take field masks,
//!   lists come in pages. Fields have Google's defaults and bounds.
//! - **Delivery**: `StreamingPull` with flow control for each stream, heartbeats and deadlines; `Pull`; `Acknowledge`;
//!   `ModifyAckDeadline`. Consumers that have room share what is there.
//! - **Failure**: redelivery when a lease runs out or is given back, retry policies, dead letter topics with Google's
//!   attributes and delivery attempts.
//! - **Time**: retention of subscriptions and topics, retained acknowledged messages, seek to a time (also by a
//!   subscription that is younger than the messages), expiration of unused subscriptions.
//!   Tests put the [`Clock`] forward instead of waiting.
//!
//! # How it delivers
//!
//! - At least once. A message is never under two leases at a time.
//! - A lease outlives its stream, as at Google: a subscriber that shuts down closes its stream first, then finishes and
//!   acknowledges what it holds. So the messages of a killed subscriber come back when their leases run out.
//! - A message that is given back goes to any *other* consumer at once. The one that gave it back may have it after 50 ms:
//!   it may be about to close its stream, and the message would be lost in it for a whole lease.
//! - A late acknowledgement counts, even if another consumer has the message by then. A late deadline does not.
//! - Messages are delivered in the order of their publication, redelivered ones last. Nothing promises that.
//!
//! # What it refuses
//!
//! With `UNIMPLEMENTED`, rather than ignore it: filters, message ordering, exactly-once delivery, push and export
//! subscriptions, snapshots, schemas, ingestion, message transforms, storage policies, encryption keys and tags.
//! There are no permissions, no quotas and no persistence: when it stops, everything is gone.
//!
//! # Limits
//!
//! - All retained messages share a memory limit ([`EmulatorSettings::memory_mb`]), each counting its encoded size and 256 bytes.
//!   Subscriptions of one topic share its messages. When the memory is full, publishing fails with `RESOURCE_EXHAUSTED`.
//! - A publish has at most 1000 messages and 10 MB; a message at most 100 attributes, with keys of 256 and values of
//!   1024 bytes.
//! - A `Pull` waits 10 s for its first message.

mod broker;
mod clock;
mod config;
mod error;
mod grpc;
mod memory;
mod message;
mod names;
mod proto;
mod queue;
mod rest;
mod server;
mod settings;
mod subscription;
mod topic;
mod wire;

pub use clock::Clock;
pub use server::{Bound, Emulator, Running};
pub use settings::EmulatorSettings;
