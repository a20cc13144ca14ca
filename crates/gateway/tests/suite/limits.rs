//! What one client may ask for, and what it is told when it asks for more.

use serde_json::{Value, json};
use shared::JobId;

use crate::support::Installation;

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
