//! The emulator as Google's Rust client sees it, and as raw gRPC and HTTP clients do.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests")]

mod harness;
mod messages;
