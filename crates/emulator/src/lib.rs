//! A google.pubsub.v1 server for development and tests: gRPC and REST on one port, in memory.

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
pub use settings::Settings;
