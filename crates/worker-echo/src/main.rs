//! The echo worker.

use std::process::ExitCode;

use worker_echo::{Echo, EchoSettings};

fn main() -> ExitCode {
    worker::main::<Echo, EchoSettings>("worker-echo", async |settings, _| Ok(settings))
}
