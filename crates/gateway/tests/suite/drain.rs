//! Leaving so that clients notice no more than a reconnect.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Heard, Installation, Serving};

async fn status_of(gateway: &Serving, path: &str) -> StatusCode {
    reqwest::get(gateway.url(path)).await.unwrap().status()
}

#[tokio::test]
async fn clients_go_one_by_one_at_transport_level_and_the_door_stays_open_meanwhile() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(gateway.client().await);
    }
    gateway.process.lifecycle.begin_drain();
    let began = Instant::now();
    let refusal = clients[0].ask("job:submit", json!({ "kind": "echo", "payload": 1 })).await;
    assert_eq!(refusal["error"]["code"], "draining");
    assert_eq!(status_of(&gateway, "/lbz").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(status_of(&gateway, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(status_of(&gateway, "/livez").await, StatusCode::OK);
    let mut late = gateway.client().await;
    assert_eq!(late.ask("ping", json!("late")).await, "late");

    let leave_times = join_all(clients.iter_mut().map(async |client| {
        let told = client.event("drain").await["reconnectAfterMs"].as_u64().unwrap();
        client.closed().await;
        (Duration::from_millis(told), began.elapsed())
    }))
    .await;
    late.closed().await;
    let first = leave_times.iter().map(|(_, left)| *left).min().unwrap();
    let last = leave_times.iter().map(|(_, left)| *left).max().unwrap();
    assert!(last - first > Duration::from_secs(1), "{leave_times:?}");
    assert!(leave_times.iter().all(|(told, left)| *left + Duration::from_millis(50) > *told), "{leave_times:?}");
    // No namespace disconnect, after which stock clients would stay away.
    assert!(clients.iter().all(|client| client.heard.last() == Some(&Heard::Closed)));
    gateway.drained().await;
    assert!(began.elapsed() < Duration::from_secs(12));
}

#[tokio::test]
async fn without_clients_it_leaves_at_once_and_leaves_nothing_behind() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    assert_eq!(installation.event_subscriptions().await, 1);
    let began = Instant::now();
    gateway.leave().await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(installation.event_subscriptions().await, 0);
}

#[tokio::test]
async fn a_client_that_polls_is_told_that_its_session_is_unknown_and_begins_anew_elsewhere() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let url = gateway.url("/socket.io/?EIO=4&transport=polling");
    let open = reqwest::get(&url).await.unwrap().text().await.unwrap();
    let open: serde_json::Value = serde_json::from_str(&open[1..]).unwrap();
    let url = format!("{url}&sid={}", open["sid"].as_str().unwrap());
    let http = reqwest::Client::new();
    assert_eq!(http.post(&url).body("40").send().await.unwrap().text().await.unwrap(), "ok");
    let mut heard = String::new();
    while !heard.contains("welcome") {
        heard += &http.get(&url).send().await.unwrap().text().await.unwrap();
    }
    gateway.process.lifecycle.begin_drain();
    let end = loop {
        let answer = http.get(&url).send().await.unwrap();
        if answer.status() != StatusCode::OK {
            break answer;
        }
    };
    assert_eq!(end.status(), StatusCode::BAD_REQUEST);
    assert_eq!(end.json::<serde_json::Value>().await.unwrap(), json!({ "code": 1, "message": "Session ID unknown" }));
    gateway.drained().await;
}

#[tokio::test]
async fn a_peer_that_has_stopped_reading_does_not_hold_it_up() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--service-token", "let-me-in"]).await;
    let stalled = gateway.stalled_client().await;
    installation.flood(64, 500_000).await;
    crate::support::eventually("something waits for the stalled client", async || {
        gateway.figure("mayfly_gateway_notifications_total") >= 64.0
    })
    .await;
    let began = Instant::now();
    gateway.leave().await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    drop(stalled);
}
