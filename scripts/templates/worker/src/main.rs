//! The __NAME__ worker.

use std::process::ExitCode;

use worker___SNAKE__::__TYPE__;

fn main() -> ExitCode {
    worker::main_with::<()>("worker-__NAME__", async |worker, (), _| Ok(worker.register::<__TYPE__>(())))
}
