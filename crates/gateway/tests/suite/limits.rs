//! What one client may ask for, and what it is told when it asks for more.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use service::State;
use shared::JobId;

use crate::support::{Client, Installation, Redis, eventually};

fn echo(payload: Value) -> Value {
    json!({ "kind": "echo", "payload": payload })
}

#[tokio::test]
async fn too_many_submits_a_second_are_told_when_to_come_back() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--submits-per-second", "1"]).await;
    installation.worker().await.finish_all();
    let mut client = gateway.client().await;
    client.submit(json!(1)).await;
    client.submit(json!(2)).await;
    let refusal = client.ask("job:submit", echo(json!(3))).await;
    assert_eq!((&refusal["ok"], &refusal["error"]["code"]), (&json!(false), &json!("rate_limited")));
    let wait = refusal["error"]["retryAfterMs"].as_u64().unwrap();
    assert!((1..=1000).contains(&wait), "{wait}");
    // The same session over another socket is no way around it; another session is somebody else.
    let mut again = gateway.client_again(&client).await;
    assert_eq!(again.ask("job:submit", echo(json!(4))).await["error"]["code"], "rate_limited");
    gateway.client().await.submit(json!(5)).await;
}

#[tokio::test]
async fn too_many_unfinished_jobs_make_room_by_ending() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--max-unfinished-jobs", "2"]).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let first = client.submit(json!(1)).await;
    let second = client.submit(json!(2)).await;
    let refusal = client.ask("job:submit", echo(json!(3))).await;
    assert_eq!(refusal["error"]["code"], "too_many_jobs");
    assert!(refusal["error"]["retryAfterMs"].is_u64());
    // A duplicate needs no room.
    let duplicate = json!({ "id": second, "kind": "echo", "payload": 2 });
    assert_eq!(client.ask("job:submit", duplicate).await["duplicate"], true);

    let job = worker.job().await;
    worker.finish(&job).await;
    client.job_event(&job.id.to_string(), "succeeded").await;
    assert!([first, second].contains(&job.id.to_string()));
    client.submit(json!(3)).await;
}

#[tokio::test]
async fn a_payload_above_the_limit_is_refused_by_name_and_one_at_the_limit_is_not() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--max-payload-bytes", "1000"]).await;
    let mut client = gateway.client().await;
    let text = |length: usize| json!("x".repeat(length - 2));
    assert_eq!(client.ask("job:submit", echo(text(1000))).await["ok"], true);
    assert_eq!(client.ask("job:submit", echo(text(1001))).await["error"]["code"], "payload_too_large");
    let submit = json!({ "kind": "echo", "payload": { "_placeholder": true, "num": 0 } });
    let (refusal, _) = client.ask_binary("job:submit", submit, &[&[7; 1001]]).await;
    assert_eq!(refusal["error"]["code"], "payload_too_large");
    assert_eq!(client.ask("ping", json!("still here")).await, "still here");
}

#[tokio::test]
async fn a_kind_that_clients_may_not_submit_is_unknown_to_them() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--kinds", "echo"]).await;
    let mut client = gateway.client().await;
    for kind in ["webhook", "no-such-kind", "Not A Kind", ""] {
        let refusal = client.ask("job:submit", json!({ "kind": kind, "payload": {} })).await;
        assert_eq!(refusal["error"]["code"], "unknown_kind", "{kind}");
    }
}

#[tokio::test]
async fn too_many_requests_of_other_kinds_are_refused_too() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--requests-per-second", "1"]).await;
    let mut client = gateway.client().await;
    let ask = json!({ "id": JobId::new() });
    assert_eq!(client.ask("job:get", ask.clone()).await["error"]["code"], "not_found");
    assert_eq!(client.ask("job:cancel", ask.clone()).await["ok"], true);
    assert_eq!(client.ask("job:get", ask).await["error"]["code"], "rate_limited");
    let jobs: Vec<_> = (0..1001).map(|_| json!({ "id": JobId::new() })).collect();
    let mut other = gateway.client().await;
    assert_eq!(other.ask("job:resume", json!({ "jobs": jobs })).await["error"]["code"], "invalid_request");
}

#[tokio::test]
async fn connections_above_the_limit_are_closed_and_counted() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--max-connections", "1"]).await;
    let mut client = gateway.client().await;
    assert!(reqwest::get(gateway.url("/health")).await.is_err());
    assert_eq!(client.ask("ping", json!(1)).await, 1);
    assert_eq!(gateway.figure("mayfly_gateway_connections_refused_total"), 1.0);
}

#[tokio::test]
async fn gateways_that_share_a_redis_share_a_sessions_rate_and_each_has_its_own_without() {
    let (installation, mut redis) = (Installation::start().await, Redis::start());
    let rate = ["--submits-per-second", "2"];
    let (here, there) = (redis.gateway_with(&installation, &rate).await, redis.gateway_with(&installation, &rate).await);
    installation.worker().await.finish_all();
    let accepted = async |one: &mut Client, other: &mut Client| {
        let mut accepted = 0;
        for _ in 0..4 {
            for client in [&mut *one, &mut *other] {
                let ack = client.ask("job:submit", echo(json!(1))).await;
                accepted += usize::from(ack["ok"] == true);
                assert!(ack["ok"] == true || (ack["error"]["code"] == "rate_limited" && ack["error"]["retryAfterMs"].is_u64()), "{ack}");
            }
        }
        accepted
    };
    let mut one = here.client().await;
    let mut other = there.client_again(&one).await;
    // Four at once, and one more for every half second that this takes on a busy machine.
    let began = Instant::now();
    let together = accepted(&mut one, &mut other).await;
    assert!((4..=4 + began.elapsed().as_millis() as usize / 500 + 1).contains(&together), "{together}");
    // Another session is not in its way.
    assert_eq!(here.client().await.ask("job:submit", echo(json!(1))).await["ok"], true);

    redis.kill();
    for gateway in [&here, &there] {
        let components = gateway.process.health.watch();
        eventually("Redis is away", async || components.borrow().get("redis") == Some(&State::Down)).await;
    }
    let mut one = here.client().await;
    let mut other = there.client_again(&one).await;
    let alone = accepted(&mut one, &mut other).await;
    assert_eq!(alone, 8);
}

#[tokio::test]
async fn a_frozen_redis_keeps_a_submit_waiting_for_one_deadline_at_most() {
    let (installation, redis) = (Installation::start().await, Redis::start());
    installation.worker().await.finish_all();
    let gateway = redis.gateway_with(&installation, &["--redis-deadline", "600"]).await;
    let mut client = gateway.client().await;
    let submit = async |client: &mut Client| {
        let began = Instant::now();
        let ack = client.ask("job:submit", json!({ "id": JobId::new(), "kind": "echo", "payload": 1 })).await;
        assert_eq!(ack["ok"], true, "{ack}");
        began.elapsed()
    };
    let usual = submit(&mut client).await;
    redis.freeze();
    let frozen = submit(&mut client).await;
    // Whatever is asked of Redis is asked at the same time: the history and the rate, not one after the other.
    assert!(frozen < usual + Duration::from_millis(1_000), "{frozen:?} against {usual:?}");
}
