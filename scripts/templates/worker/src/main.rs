//! The __NAME__ worker.

use std::process::ExitCode;

use worker___SNAKE__::__TYPE__;

fn main() -> ExitCode {
    worker::main::<__TYPE__, ()>("worker-__NAME__", async |(), _| Ok(()))
}
