//! `mayfly-emulator`: the embedded Pub/Sub as a process of its own.

use clap::{Parser, error::ErrorKind};
use emulator::{Emulator, Settings};
use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// `EX_USAGE` of sysexits.h.
const EXIT_USAGE: u8 = 64;

/// A google.pubsub.v1 server for development and tests: gRPC and REST on one port, in memory.
#[derive(Parser)]
#[command(name = "mayfly-emulator", version)]
struct Options {
    #[command(flatten)]
    settings: Settings,
}

#[tokio::main]
async fn main() -> ExitCode {
    let settings = match Options::try_parse() {
        Ok(options) => options.settings,
        Err(error) => return refuse(&error),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A closed stderr is no reason to stop.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .log_internal_errors(false)
        .init();
    match run(&settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mayfly-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: &Settings) -> Result<(), Box<dyn std::error::Error>> {
    let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let emulator = Emulator::new(settings)
        .bind(settings.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error} (set PUBSUB_EMULATOR_LISTEN)", settings.listen))?;
    tracing::info!(memory_mb = settings.memory_mb, "listening; export PUBSUB_EMULATOR_HOST={}", emulator.local_addr());
    emulator.serve(either(interrupt, terminate)).await?;
    tracing::info!("stopped");
    Ok(())
}

async fn either(mut interrupt: Signal, mut terminate: Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// One line that names the variable, so that it can be found in a pod's log.
fn refuse(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Nobody to tell if even this cannot be printed.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    eprintln!("mayfly-emulator: {}", summary(error));
    ExitCode::from(EXIT_USAGE)
}

fn summary(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    ["listen", "memory-mb"].into_iter().fold(line.to_owned(), |line, flag| {
        let variable = format!("PUBSUB_EMULATOR_{}", flag.to_uppercase().replace('-', "_"));
        line.replace(&format!("--pubsub-emulator-{flag}"), &variable)
    })
}
