//! The whole of Mayfly in one process for development, and its operator commands.

mod dead_letters;
mod gc;
mod prove;
mod pubsub;
mod schemas;
mod settings;
mod system;
mod workers;

use std::{
    io::{Write, stdout},
    process::ExitCode,
};

use settings::{Command, Settings};
use system::Running;

fn main() -> ExitCode {
    service::run("mayfly", async |settings: Settings, process| match settings.command.clone() {
        None => system::run(settings, process, announce).await,
        Some(Command::DeadLetters(command)) => dead_letters::run(command, &settings.bus, &process).await,
        Some(Command::Gc(command)) => gc::run(command, &settings.bus, &process).await,
        Some(Command::Prove(command)) => prove::run(command).await,
        Some(Command::Schemas) => schemas::print(),
    })
}

fn announce(running: Running) {
    // Nobody reads it: no reason not to serve.
    let _ = writeln!(stdout(), "{running}");
}
