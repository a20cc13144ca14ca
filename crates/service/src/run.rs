use std::{future::Future, process::ExitCode, time::Duration};

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::{Lifecycle, Process, ServiceSettings, StartError, settings::try_parse_from, telemetry::Telemetry};

/// The exit codes of every binary; the numbers are those of BSD's `sysexits`.
pub mod exit {
    /// It could not start, or could not go on; the last line says why.
    pub const FAILURE: u8 = 1;
    /// A setting is missing or wrong; the only line names it.
    pub const USAGE: u8 = 64;
    /// The drain took longer than its budget, or a second signal ended it.
    pub const INTERRUPTED: u8 = 130;
}

/// How long tasks that nobody waits for may take to notice that the runtime ends.
const RUNTIME_SHUTDOWN: Duration = Duration::from_millis(200);

/// Runs a service: `main` of every binary.
///
/// Reads the settings, starts telemetry, and runs `body` until it returns. The first SIGTERM or SIGINT begins the drain
/// that `process.lifecycle` tells of; a second one, or the end of the drain budget, ends the process at once.
/// Whatever stops the process from starting is one line on standard error.
pub fn run<S, F, B>(service: &'static str, body: B) -> ExitCode
where
    S: Parser + AsRef<ServiceSettings>,
    F: Future<Output = Result<(), StartError>>,
    B: FnOnce(S, Process) -> F,
{
    let settings: S = match try_parse_from(std::env::args_os()) {
        Ok(Ok(settings)) => settings,
        Ok(Err(invalid)) => return failed(service, &invalid, exit::USAGE),
        Err(help) => {
            print!("{help}");
            return ExitCode::SUCCESS;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(service, &error, exit::FAILURE),
    };
    let outcome = runtime.block_on(async {
        let telemetry = Telemetry::start(service, settings.as_ref())?;
        let process = Process::new(settings.as_ref());
        drain_on_signals(process.lifecycle.clone())?;
        let outcome = Box::pin(body(settings, process)).await;
        tokio::task::block_in_place(|| telemetry.flush());
        outcome
    });
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(service, &error, error.exit_code()),
    }
}

fn failed(service: &str, error: &impl std::fmt::Display, code: u8) -> ExitCode {
    eprintln!("{service}: {error}");
    ExitCode::from(code)
}

fn drain_on_signals(lifecycle: Lifecycle) -> Result<(), StartError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = lifecycle.draining().cancelled() => {}
        }
        info!(budget_ms = lifecycle.budget().as_millis(), "draining");
        lifecycle.begin_drain();
        tokio::select! {
            _ = terminate.recv() => warn!("second signal: leaving at once"),
            _ = interrupt.recv() => warn!("second signal: leaving at once"),
            () = tokio::time::sleep(lifecycle.remaining()) => warn!("the drain budget is over: leaving now"),
        }
        end_now();
    });
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the one place where a process ends without a drain: it had its chance")]
fn end_now() -> ! {
    std::process::exit(i32::from(exit::INTERRUPTED))
}
