//! The emulator as Google's Rust client sees it, and as raw gRPC and HTTP clients do.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests")]

mod harness;

mod admin;
mod binary;
mod dead_letters;
mod flow_control;
mod grpc_admin;
mod lifecycle;
mod limits;
mod messages;
mod pull;
mod rest;
mod retention;
mod streaming_pull;
