//! Clients that are slow, and events that are many.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use serde_json::json;
use shared::EventType;

use crate::support::{Client, FakeWorker, Heard, Installation, Polling, eventually};

#[tokio::test]
async fn a_client_that_is_too_slow_for_results_is_closed_and_nobody_else_is() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--max-outbound-bytes", "1000000"]).await;
    let stalled = gateway.stalled_client().await;
    let mut healthy = gateway.client().await;
    installation.flood(100, 300_000).await;
    eventually("the slow one is closed", async || gateway.figure("mayfly_gateway_slow_clients_closed_total") == 1.0).await;
    eventually("it is gone", async || gateway.figure("mayfly_gateway_sockets") == 1.0).await;
    healthy.catch_up().await;
    assert_eq!(healthy.ask("ping", json!("fine")).await, "fine");
    drop(stalled);
}

#[tokio::test]
async fn a_client_that_does_not_ask_for_its_messages_is_closed_too() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--max-outbound-bytes", "1000000"]).await;
    let mut polling = Polling::connect(gateway.url("/socket.io/?EIO=4&transport=polling")).await;
    // As long as it asks, it may be sent any amount.
    for _ in 0..3 {
        installation.flood(3, 300_000).await;
        polling.hear("channel:event", 3).await;
    }
    assert_eq!(gateway.figure("mayfly_gateway_slow_clients_closed_total"), 0.0);
    installation.flood(10, 300_000).await;
    eventually("it is closed", async || gateway.figure("mayfly_gateway_slow_clients_closed_total") == 1.0).await;
    assert_eq!(polling.ask().await.status(), reqwest::StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_slow_client_loses_progress_but_never_a_result() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--max-outbound-bytes", "1000000"]).await;
    let mut worker = installation.worker().await;
    let mut client = Client::connect_narrow(gateway.address, json!({})).await.unwrap();
    let figure = |name: &str| gateway.figure(&format!("mayfly_gateway_{name}_total"));
    let large = |name: &str| FakeWorker::data(json!({ "progress": 0.5, "name": name, "picture": "x".repeat(300_000) }));

    // More than it takes: progress is left out, and leaves room for the result.
    let first = client.submit(json!("first")).await;
    let job = worker.job_of(&first).await;
    client.read(false);
    let mut step = 0;
    while figure("messages_dropped") < 5.0 {
        step += 1;
        worker.say(&job, EventType::Progress, step, large("progress")).await;
    }
    worker.say(&job, EventType::Succeeded, step + 1, large("result")).await;
    // Once another client has heard of a later job, the result was passed on.
    let mut other = gateway.client().await;
    let later = other.submit(json!("later")).await;
    let job = worker.job_of(&later).await;
    worker.finish(&job).await;
    other.job_event(&later, "succeeded").await;
    client.read(true);
    assert_eq!(client.job_event(&first, "succeeded").await["data"]["name"], "result");
    let seen = client.types_of(&first).len() as u32;
    assert!((2..step).contains(&seen), "{seen} of {step}");
    assert_eq!(figure("slow_clients_closed"), 0.0);

    // Results that find no room close the transport; the client comes back for them, here or elsewhere.
    let mut jobs = Vec::new();
    for number in 0..60 {
        let id = client.submit(json!(number)).await;
        jobs.push((id.clone(), worker.job_of(&id).await));
    }
    client.read(false);
    for (id, job) in &jobs {
        worker.say(job, EventType::Succeeded, 1, large(id)).await;
    }
    eventually("it is closed", async || figure("slow_clients_closed") == 1.0).await;
    client.read(true);
    client.closed().await;
    let missed: Vec<_> = jobs.iter().filter(|(id, _)| client.types_of(id).is_empty()).map(|(id, _)| id).collect();
    assert!(!missed.is_empty());
    let mut back = gateway.client_again(&client).await;
    for id in missed {
        let ack = back.ask("job:resume", json!({ "jobs": [{ "id": id, "seq": 0 }] })).await;
        assert_eq!(ack["jobs"][0]["recovered"], true);
        assert_eq!(back.job_event(id, "succeeded").await["data"]["name"], *id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_events_for_one_client_does_not_hold_up_anothers_ping() {
    const EVENTS: usize = 10_000;
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let (mut listening, mut pinging) = (gateway.client().await, gateway.client().await);
    let audience = format!("session:{}", listening.welcome().await["session"]["id"].as_str().unwrap());
    let is_over = Cell::new(false);
    let flood = async {
        installation.flood_to(&audience, EVENTS, 200).await;
        eventually("all of it is passed on", async || gateway.figure("mayfly_gateway_notifications_total") == EVENTS as f64).await;
        is_over.set(true);
    };
    let pings = async {
        let mut trips = Vec::new();
        while !is_over.get() {
            let since = Instant::now();
            pinging.ask("ping", json!("there?")).await;
            trips.push(since.elapsed());
        }
        trips
    };
    let ((), mut trips) = tokio::join!(flood, pings);
    trips.sort();
    let (p50, p99, slowest) = (trips[trips.len() / 2], trips[trips.len() * 99 / 100], trips[trips.len() - 1]);
    println!("{} pings during {EVENTS} events: p50 {p50:?}, p99 {p99:?}, slowest {slowest:?}", trips.len());
    assert!(p99 < Duration::from_millis(50), "{p99:?}");
    listening.catch_up().await;
    let heard = listening.heard.iter().filter(|heard| matches!(heard, Heard::Event { name, .. } if name == "channel:event"));
    assert_eq!(heard.count(), EVENTS);
}
