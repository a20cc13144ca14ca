//! Clients that are slow, and events that are many.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{Heard, Installation, eventually};

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
