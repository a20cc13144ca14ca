//! Leaving so that clients notice no more than a reconnect.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures::{StreamExt, future::join_all, stream};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Binary, Heard, Installation, Polling, Serving, stalled_client};

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

/// A load balancer takes seconds to notice, and sends clients back here until it has: a refusal would be repeated all that time.
#[tokio::test]
async fn jobs_are_taken_until_the_last_client_has_left_also_from_those_who_come_late() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(gateway.client().await);
    }
    gateway.process.lifecycle.begin_drain();
    let turns = join_all(clients.iter_mut().map(async |client| client.event("drain").await["reconnectAfterMs"].as_u64())).await;
    let (mut last, _) = clients.into_iter().zip(turns).max_by_key(|(_, turn)| *turn).unwrap();
    let mut late = gateway.client().await;
    for client in [&mut late, &mut last] {
        let id = client.submit(json!(1)).await;
        assert_eq!(worker.job().await.id.to_string(), id);
    }
    gateway.drained().await;
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
async fn it_listens_for_as_long_as_a_load_balancer_sends_clients() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--linger", "1500"]).await;
    let began = Instant::now();
    gateway.process.lifecycle.begin_drain();
    assert_eq!(reqwest::get(gateway.url("/lbz")).await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    let mut late = gateway.client().await;
    late.event("drain").await;
    late.closed().await;
    while began.elapsed() < Duration::from_millis(1_200) {
        assert_eq!(reqwest::get(gateway.url("/")).await.unwrap().status(), StatusCode::OK);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    gateway.drained().await;
    let took = began.elapsed();
    assert!((Duration::from_millis(1_500)..Duration::from_secs(3)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_client_that_polls_is_told_that_its_session_is_unknown_and_begins_anew_elsewhere() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let client = Polling::connect(gateway.url("/socket.io/?EIO=4&transport=polling")).await;
    gateway.process.lifecycle.begin_drain();
    let end = loop {
        let answer = client.ask().await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_clients_leave_over_seconds_with_their_answers_and_the_process_ends_in_time() {
    const CLIENTS: usize = 2_000;
    let installation = Installation::start().await;
    let gateway = Binary::start(&installation, &[]).await;
    let mut worker = installation.worker().await;
    let connect = async |count| stream::iter(0..count).map(|_| gateway.client()).buffer_unordered(32).collect::<Vec<_>>().await;
    // The first clients also pay for what all share.
    let mut clients = connect(100).await;
    let before = gateway.memory();
    clients.extend(connect(CLIENTS - 100).await);
    let memory = gateway.memory() - before;

    // One peer has stopped reading, with more on its way than its TCP window holds.
    let mut double = gateway.client().await;
    let session = double.welcome().await["session"].clone();
    let stalled = stalled_client(gateway.address, json!({ "session": session["token"] })).await;
    installation.flood_to(&format!("session:{}", session["id"].as_str().unwrap()), 16, 500_000).await;
    for _ in 0..16 {
        double.event("channel:event").await;
    }

    // Submits that are under way when the signal comes are answered, and accepted. Under way is what the gateway has begun to read:
    // a client of which nothing was read may be the first to be closed, and has to ask again elsewhere.
    let mut asked = Vec::new();
    for client in &mut clients[..50] {
        let mut acks = Vec::new();
        for _ in 0..20 {
            acks.push(client.send("job:submit", json!({ "kind": "echo", "payload": 1 })).await);
        }
        asked.push((client, acks));
    }
    for (client, acks) in &mut asked {
        client.ack(acks[0]).await;
    }
    gateway.terminate();
    let began = Instant::now();
    let answers = asked.into_iter().map(async |(client, acks)| {
        let mut answers = Vec::new();
        for ack in acks {
            answers.push(client.ack(ack).await);
        }
        answers
    });
    let acks = join_all(answers).await.concat();
    let accepted: BTreeSet<_> = acks.iter().filter(|ack| ack["ok"] == true).map(|ack| ack["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(accepted.len(), acks.len(), "{acks:?}");
    let mut taken = BTreeSet::new();
    while taken.len() < accepted.len() {
        taken.insert(worker.job().await.id.to_string());
    }
    assert_eq!(taken, accepted);

    let left_at = clients.iter_mut().map(async |client| {
        client.closed().await;
        began.elapsed()
    });
    let mut left_at = join_all(left_at).await;
    let status = gateway.exit().await;
    let took = began.elapsed();
    left_at.sort();
    let second_from = |start: &Duration| left_at.iter().filter(|at| (*start..*start + Duration::from_secs(1)).contains(*at)).count();
    let (spread, busiest) = (left_at[CLIENTS - 1] - left_at[0], left_at.iter().map(second_from).max().unwrap());
    println!(
        "{CLIENTS} sockets: {:.1} KiB each; left over {spread:?}, at most {busiest} in a second; {} of {} submits accepted; ended after {took:?}",
        memory as f64 / (CLIENTS - 100) as f64,
        accepted.len(),
        acks.len(),
    );
    assert!(spread >= Duration::from_secs(6), "{spread:?}");
    assert!(busiest * 10 <= CLIENTS * 3, "{busiest}");
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(12), "{took:?}");
    drop(stalled);
}
