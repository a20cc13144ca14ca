//! Google's emulator, started at most once per test process, or found running.

#![allow(clippy::disallowed_methods, reason = "where to find the server is not a setting of the product")]

use std::{
    env,
    io::Write,
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    process::{ChildStdin, Command},
    sync::OnceCell,
    time::{sleep, timeout},
};

/// A JVM on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Its `host:port`; `None` where it cannot be had, which is a failure on CI.
pub async fn host() -> Option<&'static str> {
    static HOST: OnceCell<Option<String>> = OnceCell::const_new();
    HOST.get_or_init(find).await.as_deref()
}

async fn find() -> Option<String> {
    if let Ok(host) = env::var("MAYFLY_GOOGLE_EMULATOR") {
        return Some(host);
    }
    let host = start().await;
    assert!(host.is_some() || env::var_os("CI").is_none(), "no gcloud: on CI, Google's Pub/Sub emulator is not optional");
    host
}

/// The end of this process closes the shell's input, and that ends the emulator, however the process ended.
async fn start() -> Option<String> {
    static INPUT: OnceCell<ChildStdin> = OnceCell::const_new();
    let script = "command -v gcloud >/dev/null || exit 127
        setsid gcloud beta emulators pubsub start --host-port=\"$0\" --project=mayfly-test </dev/null & group=$!
        read -r _; kill -- -$group";
    let host = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let (out, err) = (Stdio::null(), Stdio::null());
    let mut shell = Command::new("sh").args(["-c", script, &host]).stdin(Stdio::piped()).stdout(out).stderr(err).spawn().unwrap();
    // Waiting for a child closes its input, unless that was taken.
    INPUT.set(shell.stdin.take().unwrap()).unwrap();
    let listening = async {
        while TcpStream::connect(&host).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let started = tokio::select! {
        started = timeout(START, listening) => started.is_ok(),
        _ = shell.wait() => return None,
    };
    assert!(started, "Google's emulator did not start within {START:?}");
    Some(host)
}

/// Says so past the test harness, which hides what passing tests print.
pub fn left_out() {
    static LEFT_OUT: AtomicU32 = AtomicU32::new(0);
    let number = LEFT_OUT.fetch_add(1, Ordering::Relaxed) + 1;
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "LEFT OUT ({number}): {test}: Google's emulator needs gcloud with the pubsub-emulator component");
}
