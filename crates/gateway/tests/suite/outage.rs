//! Without Pub/Sub the sockets stay.

use std::time::{Duration, Instant};

use bus::Topology;
use serde_json::{Value, json};
use shared::EventType;

use crate::support::{Client, Heard, Installation, Serving, eventually, ten_minutes_pass};

async fn status(client: &mut Client, pubsub: &str) {
    client.until(|heard| matches!(heard, Heard::Event { name, data, .. } if name == "status" && data["pubsub"] == pubsub)).await;
}

fn echo(payload: Value) -> Value {
    json!({ "kind": "echo", "payload": payload })
}

/// What a gateway says of a job to a client that comes back.
async fn resumed(gateway: &Serving, client: &Client, id: &str) -> (String, bool) {
    let mut back = gateway.client_again(client).await;
    let ack = back.ask("job:resume", json!({ "jobs": [{ "id": id, "seq": 0 }] })).await;
    (ack["jobs"][0]["state"].as_str().unwrap_or_default().to_owned(), ack["jobs"][0]["recovered"] == true)
}

/// A job that runs, and the gateway at which it was submitted.
async fn running(installation: &Installation) -> (Serving, Client, String) {
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let id = client.submit(json!("runs")).await;
    let job = worker.job_of(&id).await;
    worker.say(&job, EventType::Started, 0, None).await;
    client.job_event(&id, "started").await;
    assert_eq!(resumed(&gateway, &client, &id).await, ("running".to_owned(), true));
    (gateway, client, id)
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
async fn a_gateway_that_stood_still_for_as_long_as_pubsub_keeps_events_does_not_vouch_for_what_it_knew() {
    let installation = Installation::start().await;
    let (gateway, client, id) = running(&installation).await;
    ten_minutes_pass().await;
    eventually("it is noticed", async || resumed(&gateway, &client, &id).await == ("running".to_owned(), false)).await;
    // It goes on as before with what comes now.
    let mut back = gateway.client_again(&client).await;
    let mut later = Value::Null;
    eventually("a submit is accepted", async || {
        later = back.ask("job:submit", echo(json!("later"))).await;
        later["ok"] == true
    })
    .await;
    assert_eq!(resumed(&gateway, &client, later["id"].as_str().unwrap()).await, ("queued".to_owned(), true));
}

#[tokio::test]
async fn a_gateway_that_is_cut_off_for_as_long_as_pubsub_keeps_events_does_not_vouch_for_what_it_knew() {
    let mut installation = Installation::start().await;
    let (gateway, mut client, id) = running(&installation).await;
    installation.stop_pubsub().await;
    status(&mut client, "down").await;
    assert_eq!(resumed(&gateway, &client, &id).await, ("running".to_owned(), true), "what happens now is kept for it");
    ten_minutes_pass().await;
    eventually("it is noticed", async || resumed(&gateway, &client, &id).await == ("running".to_owned(), false)).await;
}

#[tokio::test]
async fn a_gateway_that_does_not_listen_yet_vouches_for_nothing() {
    let installation = Installation::start().await;
    let bus = installation.bus().await;
    bus.ensure(Topology::new(bus.names()).jobs(&"echo".parse().unwrap())).await.unwrap();
    let gateway = installation.gateway_that_creates_nothing().await;
    let mut client = gateway.client().await;
    let id = client.submit(json!("early")).await;
    assert_eq!(resumed(&gateway, &client, &id).await, ("queued".to_owned(), false));

    // Now there is something to listen to, and the gateway looks back.
    installation.worker().await.finish_all();
    client.job_event(&id, "succeeded").await;
    assert_eq!(resumed(&gateway, &client, &id).await, ("succeeded".to_owned(), true));
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
