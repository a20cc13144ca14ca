//! Google's emulator, started at most once per test process, or found running.

use std::{
    env,
    io::Write,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// A JVM on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Its `host:port`; `None` where it cannot be had, which is a failure on CI.
pub fn host() -> Option<&'static str> {
    static HOST: OnceLock<Option<String>> = OnceLock::new();
    HOST.get_or_init(find).as_deref()
}

fn find() -> Option<String> {
    if let Ok(host) = env::var("MAYFLY_GOOGLE_EMULATOR") {
        return Some(host);
    }
    match start() {
        Some(host) => Some(host),
        None if env::var_os("CI").is_some() => panic!("no gcloud: on CI, Google's Pub/Sub emulator is not optional"),
        None => None,
    }
}

fn start() -> Option<String> {
    // Kept for the life of the process; its end closes the pipe, and that ends the emulator however the process ended.
    static EMULATOR: OnceLock<Child> = OnceLock::new();
    let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let script = "command -v gcloud >/dev/null || exit 127
        setsid gcloud beta emulators pubsub start --host-port=\"$0\" --project=mayfly-test </dev/null & group=$!
        read -r _; kill -- -$group";
    let shell =
        Command::new("sh").args(["-c", script, &host]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut shell = shell;
    let deadline = Instant::now() + START;
    while TcpStream::connect(&host).is_err() {
        if shell.try_wait().unwrap().is_some() {
            return None;
        }
        assert!(Instant::now() < deadline, "Google's emulator did not start within {START:?}");
        thread::sleep(Duration::from_millis(50));
    }
    EMULATOR.set(shell).unwrap();
    Some(host)
}

/// Says so past the test harness, which hides what passing tests print.
pub fn left_out() {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "LEFT OUT: {test}: Google's emulator needs gcloud with the pubsub-emulator component");
}
