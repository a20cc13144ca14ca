//! `mayfly gc` against the embedded Pub/Sub.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::SystemTime,
};

use emulator::{Emulator, Running};

const PROJECT: &str = "/v1/projects/mayfly-dev";

async fn pubsub() -> Running {
    let running = Emulator::default().bind("127.0.0.1:0").await.unwrap().spawn();
    for topic in ["mayfly-events", "mayfly-control", "mayfly-jobs-echo", "other-events"] {
        request(&running, "PUT", &format!("{PROJECT}/topics/{topic}"), "{}");
    }
    running
}

/// A subscription whose process was last alive so many minutes ago.
fn subscription(pubsub: &Running, name: &str, topic: &str, silent_minutes: u64) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() / 60;
    let minute = now - silent_minutes;
    let body = format!(r#"{{"topic":"projects/mayfly-dev/topics/{topic}","labels":{{"mayfly-alive-minute":"{minute}"}}}}"#);
    request(pubsub, "PUT", &format!("{PROJECT}/subscriptions/{name}"), &body);
}

fn request(pubsub: &Running, method: &str, path: &str, body: &str) -> String {
    let host = pubsub.host();
    let mut connection = TcpStream::connect(&host).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}"
    );
    write!(connection, "{head}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

fn gc(pubsub: &Running, arguments: &[&str]) -> Vec<String> {
    let mut mayfly = Command::new(env!("CARGO_BIN_EXE_mayfly"));
    let output = mayfly.env_clear().env("PUBSUB_EMULATOR_HOST", pubsub.host()).arg("gc").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_deletes_what_killed_processes_left_behind_and_nothing_else() {
    let pubsub = pubsub().await;
    subscription(&pubsub, "mayfly-events-killed-1", "mayfly-events", 60);
    subscription(&pubsub, "mayfly-control-killed-2", "mayfly-control", 25);
    let living = [("mayfly-events-living", "mayfly-events", 15), ("mayfly-jobs-echo-worker", "mayfly-jobs-echo", 60)];
    for (name, topic, silent) in living.into_iter().chain([("other-events-killed", "other-events", 60)]) {
        subscription(&pubsub, name, topic, silent);
    }

    let said = gc(&pubsub, &["--dry-run"]);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].starts_with("would delete mayfly-control-killed-2, silent since "), "{said:?}");
    assert_eq!(said[2], "would delete 2 subscriptions whose process has been silent for 20 minutes");

    let said = gc(&pubsub, &[]);
    assert!(said[1].starts_with("deleted mayfly-events-killed-1, silent since "), "{said:?}");
    assert_eq!(said[2], "deleted 2 subscriptions whose process has been silent for 20 minutes");
    assert_eq!(gc(&pubsub, &[]), ["deleted 0 subscriptions whose process has been silent for 20 minutes"]);

    let left = request(&pubsub, "GET", &format!("{PROJECT}/subscriptions"), "");
    for name in ["mayfly-events-living", "mayfly-jobs-echo-worker", "other-events-killed"] {
        assert!(left.contains(name), "{left}");
    }
    assert!(!left.contains("-killed-"), "{left}");
    assert_eq!(gc(&pubsub, &["--idle-minutes", "10"]).len(), 2, "less patience takes one more for dead");
}
