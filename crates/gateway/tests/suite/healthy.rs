//! Clients that keep up are not taken for slow ones, whatever they say and however they are connected.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use shared::EventType;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, FakeWorker, Installation, Polling, Serving};

const LOBBY: &str = "public:lobby";
/// With so many answers waiting, each of a hundred bytes or two, a client would be too far behind for progress.
const MANY: usize = 3_000;
const ARGUMENTS: [&str; 2] = ["--requests-per-second", "10000"];

/// What is answered at once, and briefly.
fn leave() -> Value {
    json!({ "channel": "public:never-joined" })
}

async fn hears_progress(gateway: &Serving, worker: &mut FakeWorker, client: &mut Client) {
    let id = client.submit(json!("long")).await;
    let job = worker.job_of(&id).await;
    worker.say(&job, EventType::Progress, 1, FakeWorker::data(json!({ "progress": 0.5 }))).await;
    client.job_event(&id, "progress").await;
    assert_eq!(gateway.figure("mayfly_gateway_messages_dropped_total"), 0.0);
}

#[tokio::test]
async fn a_client_that_never_asks_for_acks_keeps_its_progress() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&ARGUMENTS).await;
    let mut worker = installation.worker().await;
    for (event, data, times) in [("ping", json!("x".repeat(10_000)), 40), ("channel:leave", leave(), MANY)] {
        let mut client = gateway.client().await;
        for _ in 0..times {
            client.say(event, &data).await;
        }
        client.catch_up().await;
        hears_progress(&gateway, &mut worker, &mut client).await;
    }
}

#[tokio::test]
async fn acks_by_the_thousand_do_not_make_a_client_look_slow() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&ARGUMENTS).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    for _ in 0..MANY {
        client.send("channel:leave", leave()).await;
    }
    client.catch_up().await;
    hears_progress(&gateway, &mut worker, &mut client).await;
}

#[tokio::test]
async fn attachments_that_have_arrived_do_not_make_a_client_look_slow() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&ARGUMENTS).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let picture = vec![7; 100_000];
    for _ in 0..10 {
        let placeholders = json!([{ "_placeholder": true, "num": 0 }, { "_placeholder": true, "num": 1 }]);
        let (_, attachments) = client.ask_binary("ping", placeholders, &[&picture, &[]]).await;
        assert_eq!(attachments, [picture.clone(), vec![]]);
        hears_progress(&gateway, &mut worker, &mut client).await;
    }
}

#[tokio::test]
async fn a_client_that_polls_does_not_look_slow_either_nor_when_it_moves_to_a_websocket() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&ARGUMENTS).await;
    let mut friend = gateway.client().await;
    let mut polling = Polling::connect(gateway.url("/socket.io/?EIO=4&transport=polling")).await;
    let requests: Vec<_> = (0..MANY).map(|number| format!("42{number}{}", json!(["channel:leave", leave()]))).collect();
    polling.say(&[format!("42{}", json!(["channel:join", { "channel": LOBBY }]))]).await;
    polling.say(&requests).await;
    polling.hear_acks(MANY).await;
    friend.ask("channel:publish", json!({ "channel": LOBBY, "data": "polled" })).await;
    polling.hear("channel:event", 1).await;

    // What waited for the next request comes by the websocket instead.
    polling.say(&requests).await;
    let mut websocket = polling.upgrade().await;
    let mut acks = 0;
    while acks < MANY {
        match websocket.next().await.unwrap().unwrap() {
            Message::Text(text) if text.starts_with("43") => acks += 1,
            Message::Text(text) if text == "2" => websocket.send(Message::text("3")).await.unwrap(),
            other => panic!("{other:?}"),
        }
    }
    friend.ask("channel:publish", json!({ "channel": LOBBY, "data": "moved" })).await;
    let said = websocket.next().await.unwrap().unwrap();
    assert!(said.to_text().unwrap().contains("moved"), "{said:?}");
    assert_eq!(gateway.figure("mayfly_gateway_messages_dropped_total"), 0.0);
}
