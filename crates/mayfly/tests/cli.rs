//! What whoever types `mayfly` sees: the start, the end, and one clear line when something is wrong.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// Longest wait for anything; a healthy run needs a fraction.
const DEADLINE: Duration = Duration::from_secs(20);

struct Mayfly {
    process: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
}

impl Mayfly {
    fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_mayfly"))
            .args(arguments)
            .env_clear()
            .env("PORT", "0")
            // A backtrace asked for on this machine is none that a user would see.
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, err) = (BufReader::new(process.stdout.take().unwrap()), BufReader::new(process.stderr.take().unwrap()));
        Self { process, out, err }
    }

    /// Waits until it says where it runs.
    fn running(variables: &[(&str, &str)]) -> (Self, String) {
        let mut mayfly = Self::start(&[], variables);
        let mut line = String::new();
        mayfly.out.read_line(&mut line).unwrap();
        let url = line.strip_prefix("Mayfly is running at ").unwrap_or_else(|| panic!("{line}{}", mayfly.complaints())).trim().to_owned();
        (mayfly, url)
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status().unwrap().success());
    }

    fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it did not end within {DEADLINE:?}");
            std::thread::yield_now();
        }
    }

    fn complaints(&mut self) -> String {
        let mut text = String::new();
        self.err.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Mayfly {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The exit code, and the only line that it may say.
fn refusal(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let mut mayfly = Mayfly::start(arguments, variables);
    let code = mayfly.ended().code().unwrap();
    let complaint = mayfly.complaints();
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    (code, complaint.trim().to_owned())
}

fn get(url: &str, path: &str) -> String {
    let mut connection = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    connection.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nHost: mayfly\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_is_ready_within_a_second_and_says_where() {
    let began = Instant::now();
    let (mut mayfly, url) = Mayfly::running(&[]);
    let answer = get(&url, "/readyz");
    let took = began.elapsed();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(took < Duration::from_secs(1), "{took:?}");

    let mut rest = String::new();
    while !rest.contains("Ctrl-C") {
        assert_ne!(mayfly.out.read_line(&mut rest).unwrap(), 0, "{rest}");
    }
    for part in ["echo, thumbnail, webhook, dead-letter", "Pub/Sub   embedded at 127.0.0.1:", "Redis     none"] {
        assert!(rest.contains(part), "{part} in {rest}");
    }
}

#[test]
fn ctrl_c_drains_and_leaves() {
    let (mut mayfly, _) = Mayfly::running(&[]);
    mayfly.signal("INT");
    assert_eq!(mayfly.ended().code(), Some(0), "{}", mayfly.complaints());
}

#[test]
fn a_start_and_an_end_give_nothing_to_worry_about() {
    let secrets =
        [("SESSION_SECRET", "0123456789abcdef0123456789abcdef"), ("WEBHOOK_SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")];
    let (mut mayfly, _) = Mayfly::running(&secrets);
    mayfly.signal("INT");
    assert_eq!(mayfly.ended().code(), Some(0));
    let said = mayfly.complaints();
    assert!(!said.contains("WARN") && !said.contains("ERROR"), "{said}");
    assert!(said.contains("draining"), "{said}");
}

#[test]
fn a_second_ctrl_c_leaves_at_once() {
    let (mut mayfly, url) = Mayfly::running(&[]);
    // A client that does not leave holds up the drain.
    let mut client = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    write!(client, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: mayfly\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").unwrap();
    let mut upgraded = [0; 12];
    client.read_exact(&mut upgraded).unwrap();
    assert_eq!(&upgraded, b"HTTP/1.1 101");

    mayfly.signal("INT");
    let mut line = String::new();
    while !line.contains("draining") {
        line.clear();
        assert_ne!(mayfly.err.read_line(&mut line).unwrap(), 0, "it ended without draining");
    }
    let began = Instant::now();
    mayfly.signal("INT");
    assert_eq!(mayfly.ended().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn a_taken_port_is_named() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    let (code, line) = refusal(&[], &[("PORT", &taken.port().to_string())]);
    assert_eq!((code, line), (1, format!("mayfly: cannot listen on {taken}: Address already in use (os error 98)")));
    let (code, line) = refusal(&[], &[("PUBSUB_EMULATOR_LISTEN", &taken.to_string())]);
    assert_eq!((code, line), (1, format!("mayfly: cannot listen on {taken}: Address already in use (os error 98)")));
    drop(holder);
}

#[test]
fn a_bad_variable_is_named() {
    assert_eq!(refusal(&[], &[("PORT", "web")]), (64, "mayfly: PORT: `web` is not valid: invalid digit found in string".to_owned()));
    let (code, line) = refusal(&[], &[("KINDS", "echo,Resize")]);
    assert_eq!((code, line.starts_with("mayfly: KINDS: `Resize` is not valid: a kind is")), (64, true), "{line}");
    let (code, line) = refusal(&[], &[("REDIS_URL", "http://cache")]);
    assert_eq!((code, line.starts_with("mayfly: REDIS_URL is not valid")), (64, true), "{line}");
    let (code, line) = refusal(&["gc"], &[("GC_IDLE_MINUTES", "0")]);
    assert_eq!((code, line.starts_with("mayfly: GC_IDLE_MINUTES: `0` is not valid")), (64, true), "{line}");
    let (code, line) = refusal(&["--prot", "9"], &[]);
    assert_eq!((code, line), (64, "mayfly: unexpected argument '--prot' found (see --help)".to_owned()));
}

#[test]
fn a_missing_file_is_named() {
    let (code, line) = refusal(&[], &[("SOCKETIO_CLIENT_DIR", "/nowhere/dist")]);
    assert_eq!((code, line.contains("SOCKETIO_CLIENT_DIR") && line.contains("/nowhere/dist")), (64, true), "{line}");
}

#[test]
fn a_secret_may_come_as_a_file_which_must_be_there() {
    let (code, complaint) = refusal(&[], &[("SESSION_SECRET_FILE", "/nowhere/secret")]);
    assert_eq!(code, 64);
    assert!(complaint.starts_with("mayfly: SESSION_SECRET_FILE: cannot read /nowhere/secret: "), "{complaint}");
    // An empty variable is none, so it does not stand in the file's way.
    let (code, _) = refusal(&[], &[("SESSION_SECRET", ""), ("SESSION_SECRET_FILE", "/nowhere/secret")]);
    assert_eq!(code, 64);
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let variables = ["REDIS_URL", "PUBSUB_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT", "SOCKETIO_CLIENT_DIR", "LOG", "DRAIN_BUDGET_MS"];
    let (_mayfly, url) = Mayfly::running(&variables.map(|name| (name, "")));
    assert!(get(&url, "/health").starts_with("HTTP/1.1 200"));
}

#[test]
fn dead_letters_need_to_know_where() {
    let (code, line) = refusal(&["dead-letters", "list"], &[]);
    assert_eq!((code, line.contains("GOOGLE_CLOUD_PROJECT") && line.contains("PUBSUB_EMULATOR_HOST")), (64, true), "{line}");
}

#[test]
fn schemas_are_for_programs() {
    let mut mayfly = Mayfly::start(&["schemas"], &[]);
    let mut text = String::new();
    mayfly.out.read_to_string(&mut text).unwrap();
    assert_eq!(mayfly.ended().code(), Some(0));
    let schemas: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(schemas["Welcome"]["type"], "object");
}
