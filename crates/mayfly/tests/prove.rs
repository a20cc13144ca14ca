//! What whoever types `mayfly prove` is told of an installation that works, of one that does not, and of one whose parts die.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use emulator::Emulator;
use tempfile::TempDir;
use tokio::{
    task::block_in_place,
    time::{sleep, timeout},
};

/// A gateway and its workers in one process.
struct Mayfly {
    process: Child,
    /// Where its pages get their client from.
    _client: TempDir,
}

impl Mayfly {
    /// Waits until it serves on that port.
    fn on(port: u16, pubsub: &str) -> Self {
        let client = TempDir::new().unwrap();
        for name in ["socket.io.js", "socket.io.min.js"] {
            std::fs::write(client.path().join(name), "// a client").unwrap();
        }
        let mut process = mayfly();
        process
            .env("SOCKETIO_CLIENT_DIR", client.path())
            .env("PORT", port.to_string())
            .env("PUBSUB_EMULATOR_HOST", pubsub)
            .env("SESSION_SECRET", "the same in every life");
        let mut process = process.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("Mayfly is running at "), "{line}");
        Self { process, _client: client }
    }

    fn leave(mut self) {
        assert!(Command::new("kill").arg(self.process.id().to_string()).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Mayfly {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn mayfly() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mayfly"));
    command.env_clear();
    command
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn prove(url: &str, arguments: &[&str]) -> Child {
    mayfly().args(["prove", url]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
}

/// Pub/Sub outlives the processes that it serves, and this test's own runtime serves it.
fn finished(proof: Child) -> Output {
    block_in_place(|| proof.wait_with_output().unwrap())
}

/// Waits until somebody is connected.
async fn has_client(url: &str) {
    let is_connected = async || {
        let metrics = reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap();
        metrics.lines().any(|line| line == "mayfly_gateway_sockets 1")
    };
    let connected = async {
        while !is_connected().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), connected).await.expect("a client connects");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_works_is_found_to_work() {
    let pubsub = Emulator::default().bind("127.0.0.1:0").await.unwrap().spawn();
    let port = free_port();
    let _mayfly = Mayfly::on(port, &pubsub.local_addr().to_string());
    // The name is not asked for in DNS.
    let proof = finished(prove(&format!("http://jobs.example.com:{port}"), &["--address", "127.0.0.1", "--hold-s", "1"]));
    let lines = lines(&proof);
    let found: Vec<_> = lines.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(found, ["ok      page", "ok      client", "ok      websocket", "ok      job", "ok      held"], "{lines:?}");
    assert!(proof.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_where_nobody_answers_is_named() {
    let port = free_port();
    let proof = finished(prove(&format!("http://127.0.0.1:{port}"), &["--hold-s", "1"]));
    let lines = lines(&proof);
    assert_eq!(proof.status.code(), Some(1));
    assert!(lines[0].starts_with("FAILED  page: ") && lines[0].contains("refused"), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "mayfly: 3 of 3 checks failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_takes_no_jobs_does_not_pass() {
    let pubsub = Emulator::default().bind("127.0.0.1:0").await.unwrap().spawn();
    let port = free_port();
    let _mayfly = Mayfly::on(port, &pubsub.local_addr().to_string());
    let url = format!("http://127.0.0.1:{port}");
    for arguments in [["--kind", "juggling"].as_slice(), &["--kind", "juggling", "--drill"]] {
        let proof = finished(prove(&url, &[&["--hold-s", "1"], arguments].concat()));
        assert_eq!(proof.status.code(), Some(1), "{:?}", lines(&proof));
    }
    // What does not come back as it went is no proof of a kind of which that is not known.
    let proof = finished(prove(&url, &["--hold-s", "1", "--kind", "thumbnail", "--payload", r#"{"image":"none"}"#]));
    assert!(lines(&proof).iter().any(|line| line.starts_with("FAILED  job: it ended in another way")), "{:?}", lines(&proof));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_accounts_for_every_job_while_everything_is_replaced() {
    let pubsub = Emulator::default().bind("127.0.0.1:0").await.unwrap().spawn();
    let (port, address) = (free_port(), pubsub.local_addr().to_string());
    let mayfly = Mayfly::on(port, &address);
    let url = format!("http://127.0.0.1:{port}");
    let proof = prove(&url, &["--hold-s", "6", "--drill"]);
    has_client(&url).await;
    let _replaced = block_in_place(|| {
        mayfly.leave();
        Mayfly::on(port, &address)
    });
    let proof = finished(proof);
    let lines = lines(&proof);
    let drill = lines.iter().find(|line| line.contains("drill: ")).unwrap();
    assert!(
        drill.starts_with("ok      drill: 6 jobs: 6 accepted, 0 refused, 0 unanswered, 0 lost, 0 ended twice, 0 failed; 1 reconnects"),
        "{lines:?}"
    );
}
