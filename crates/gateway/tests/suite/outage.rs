//! Without Pub/Sub the sockets stay.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Client, Heard, Installation, eventually};

async fn status(client: &mut Client, pubsub: &str) {
    client.until(|heard| matches!(heard, Heard::Event { name, data, .. } if name == "status" && data["pubsub"] == pubsub)).await;
}

fn echo(payload: Value) -> Value {
    json!({ "kind": "echo", "payload": payload })
}

#[tokio::test]
async fn a_submit_is_refused_within_a_second_and_everything_goes_on_when_pubsub_is_back() {
    let mut installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    installation.worker().await.finish_all();
    let mut client = gateway.client().await;
    let id = client.submit(json!("before")).await;
    client.job_event(&id, "succeeded").await;

    installation.stop_pubsub().await;
    let since = Instant::now();
    let refusal = client.ask("job:submit", echo(json!("during"))).await;
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    assert_eq!(refusal["error"]["code"], "queue_unavailable");
    assert!(refusal["error"]["retryAfterMs"].as_u64().unwrap() > 0);
    status(&mut client, "down").await;
    assert_eq!(client.ask("ping", json!("here")).await, "here");
    assert_eq!(client.ask("job:get", json!({ "id": id })).await["job"]["state"], "succeeded");
    assert_eq!(gateway.client().await.welcome().await["status"]["pubsub"], "down");
    let ready = reqwest::get(gateway.url("/readyz")).await.unwrap();
    assert_eq!(ready.status(), 200);
    assert_eq!(ready.json::<Value>().await.unwrap()["components"]["pubsub"], "down");

    installation.start_pubsub().await;
    let mut accepted = Value::Null;
    eventually("a submit is accepted", async || {
        accepted = client.ask("job:submit", echo(json!("after"))).await;
        accepted["ok"] == true
    })
    .await;
    client.job_event(accepted["id"].as_str().unwrap(), "succeeded").await;
    status(&mut client, "up").await;
    assert!(!client.heard.contains(&Heard::Closed));
}

#[tokio::test]
async fn what_may_have_been_missed_is_not_called_recovered() {
    let mut installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let (done, open) = (client.submit(json!("done")).await, client.submit(json!("open")).await);
    let job = worker.job_of(&done).await;
    worker.finish(&job).await;
    client.job_event(&done, "succeeded").await;
    let resume = json!({ "jobs": [{ "id": done, "seq": 0 }, { "id": open, "seq": 0 }] });
    let recovered = |ack: &Value| [0, 1].map(|index| ack["jobs"][index]["recovered"].clone());
    assert_eq!(recovered(&client.ask("job:resume", resume.clone()).await), [true, true]);

    installation.stop_pubsub().await;
    status(&mut client, "down").await;
    installation.start_pubsub().await;
    eventually("it is noticed", async || recovered(&client.ask("job:resume", resume.clone()).await) == [true, false]).await;
    let later = client.submit(json!("later")).await;
    let ack = client.ask("job:resume", json!({ "jobs": [{ "id": later, "seq": 0 }] })).await;
    assert_eq!(ack["jobs"][0]["recovered"], true);
}

#[tokio::test]
async fn a_gateway_starts_without_pubsub_and_needs_no_restart_when_it_comes() {
    let mut installation = Installation::start().await;
    installation.stop_pubsub().await;
    let gateway = installation.gateway(&["--warm-up", "1"]).await;
    let mut client = gateway.client().await;
    let refusal = client.ask("job:submit", echo(json!("early"))).await;
    assert_eq!(refusal["error"]["code"], "queue_unavailable");
    assert_eq!(client.ask("ping", json!(1)).await, 1);

    installation.start_pubsub().await;
    installation.worker().await.finish_all();
    let mut accepted = Value::Null;
    eventually("a submit is accepted", async || {
        accepted = client.ask("job:submit", echo(json!("late"))).await;
        accepted["ok"] == true
    })
    .await;
    client.job_event(accepted["id"].as_str().unwrap(), "succeeded").await;
}
