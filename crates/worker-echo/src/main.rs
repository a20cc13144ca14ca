//! The echo worker.

use std::process::ExitCode;

use worker_echo::Echo;

fn main() -> ExitCode {
    worker::main::<Echo, ()>("worker-echo", async |(), _| Ok(()))
}
