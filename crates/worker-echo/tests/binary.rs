//! The binary as it is deployed, against the embedded Pub/Sub.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::{
    future::Future,
    process::Stdio,
    time::{Duration, Instant},
};

use bus::{Bus, BusSettings, ConsumeOptions, Message, SubscriptionSpec, Topology};
use emulator::Emulator;
use service::Metrics;
use shared::Attributes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
    time::timeout,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.unwrap_or_else(|_| panic!("{what}: not in time"))
}

async fn get(port: u16, path: &str) -> String {
    let Ok(mut connection) = TcpStream::connect(("127.0.0.1", port)).await else { return String::new() };
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn it_does_its_jobs_shows_how_it_is_keeps_traces_together_and_leaves_when_told() {
    let emulator = Emulator::default().bind("127.0.0.1:0").await.unwrap().spawn();
    let bus = Bus::connect(&BusSettings::emulator(emulator.host()), &Metrics::default()).await.unwrap();
    let (topic, heard) = (bus.names().events(), bus.names().subscription("heard"));
    let kind = "echo".parse().unwrap();
    let topology = Topology::new(bus.names()).jobs(&kind).events();
    bus.ensure(topology.subscription(heard.clone(), SubscriptionSpec::shared(topic))).await.unwrap();
    let mut events = bus.consume(&heard, ConsumeOptions::default());

    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut worker = Command::new(env!("CARGO_BIN_EXE_mayfly-worker-echo"))
        .env("PUBSUB_EMULATOR_HOST", emulator.host())
        .env("HEALTH_PORT", port.to_string())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let attributes = Attributes::from([
        ("audience".to_owned(), "user:42".to_owned()),
        ("googclient_traceparent".to_owned(), format!("00-{TRACE}-b7ad6b7169203331-01")),
    ]);
    bus.publish(&bus.names().jobs(&kind), Message::new(attributes, r#"{"text":"hi"}"#)).await.unwrap();

    let end = soon("the end", events.next()).await.unwrap();
    assert_eq!((end.message.attributes["type"].as_str(), end.message.body.as_ref()), ("succeeded", &br#"{"text":"hi"}"#[..]));
    assert!(end.message.attributes["googclient_traceparent"].contains(TRACE), "{:?}", end.message.attributes);
    end.ack();
    assert!(get(port, "/readyz").await.starts_with("HTTP/1.1 200"));
    let counted = async {
        // The job counts once its end is confirmed to the worker, which may be after we have heard of it.
        while !get(port, "/metrics").await.contains(r#"mayfly_worker_jobs_total{kind="echo",outcome="succeeded"} 1"#) {
            tokio::task::yield_now().await;
        }
    };
    soon("the job to be counted", counted).await;

    let told = Instant::now();
    let pid = worker.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    assert_eq!(soon("the exit", worker.wait()).await.unwrap().code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(12), "{:?}", told.elapsed());
}

#[tokio::test]
async fn a_wrong_setting_is_one_line_and_exit_code_64() {
    let output = Command::new(env!("CARGO_BIN_EXE_mayfly-worker-echo")).env("WORKER_CONCURRENCY", "many").output().await.unwrap();
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "worker-echo: WORKER_CONCURRENCY: `many` is not valid: `many` is neither a number above 0 nor `<kind>=<number>`\n");
}

#[tokio::test]
async fn without_any_pubsub_it_says_what_to_set() {
    let mut worker = Command::new(env!("CARGO_BIN_EXE_mayfly-worker-echo"));
    let output = worker.env_remove("PUBSUB_EMULATOR_HOST").env_remove("GOOGLE_CLOUD_PROJECT").output().await.unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8(output.stderr).unwrap().contains("GOOGLE_CLOUD_PROJECT"));
}
