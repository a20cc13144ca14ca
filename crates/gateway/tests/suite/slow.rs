//! Clients that are slow, and events that are many.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{Installation, eventually};

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
async fn a_flood_of_events_does_not_hold_up_a_ping() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let (mut listening, mut pinging) = (gateway.client().await, gateway.client().await);
    let is_over = Cell::new(false);
    let flood = async {
        installation.flood(8_000, 200).await;
        is_over.set(true);
    };
    let pings = async {
        let mut slowest = Duration::ZERO;
        while !is_over.get() {
            let since = Instant::now();
            pinging.ask("ping", json!("there?")).await;
            slowest = slowest.max(since.elapsed());
        }
        slowest
    };
    let ((), slowest) = tokio::join!(flood, pings);
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    eventually("all of it is passed on", async || gateway.figure("mayfly_gateway_notifications_total") == 8_000.0).await;
    listening.catch_up().await;
}
