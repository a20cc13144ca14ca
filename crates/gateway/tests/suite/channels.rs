//! What clients say to each other in channels.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use service::State;

use crate::support::{Client, Heard, Installation, Redis, Serving, eventually, user_token};

const LOBBY: &str = "public:lobby";

async fn member(gateway: &Serving, channel: &str) -> Client {
    let mut client = gateway.client().await;
    assert_eq!(client.ask("channel:join", json!({ "channel": channel })).await, json!({ "ok": true }));
    client
}

async fn say(client: &mut Client, channel: &str, data: Value) -> Value {
    let ack = client.ask("channel:publish", json!({ "channel": channel, "event": "said", "data": data })).await;
    assert_eq!(ack["ok"], true, "{ack}");
    ack
}

async fn hears(client: &mut Client, data: Value) {
    client.until(|heard| matches!(heard, Heard::Event { name, data: of, .. } if name == "channel:event" && of["data"] == data)).await;
}

/// What was said so far, in order.
fn said(client: &Client) -> Vec<Value> {
    let events = client.heard.iter().filter_map(|heard| match heard {
        Heard::Event { name, data, .. } if name == "channel:event" => Some(data["data"].clone()),
        _ => None,
    });
    events.collect()
}

async fn state_of(gateway: &Serving, component: &'static str, state: State) {
    let components = gateway.process.health.watch();
    eventually(&format!("{component} is {state}"), async || components.borrow().get(component) == Some(&state)).await;
}

#[tokio::test]
async fn members_hear_what_is_said_and_nobody_else_does() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let (mut ann, mut bob) = (member(&gateway, LOBBY).await, member(&gateway, LOBBY).await);
    let (mut other, mut stranger) = (member(&gateway, "public:other").await, gateway.client().await);
    let ack = say(&mut ann, LOBBY, json!({ "text": "hi" })).await;
    // The publisher is a member like any other.
    for client in [&mut ann, &mut bob] {
        hears(client, json!({ "text": "hi" })).await;
        let event = client.event("channel:event").await;
        assert_eq!(event, json!({ "channel": LOBBY, "event": "said", "data": { "text": "hi" }, "id": ack["id"] }));
    }
    // Whoever may publish need not be a member.
    assert_eq!(stranger.ask("channel:publish", json!({ "channel": LOBBY })).await["ok"], true);
    hears(&mut bob, json!(null)).await;

    assert_eq!(bob.ask("channel:leave", json!({ "channel": LOBBY })).await, json!({ "ok": true }));
    assert_eq!(bob.ask("channel:leave", json!({ "channel": "public:never-joined" })).await, json!({ "ok": true }));
    say(&mut ann, LOBBY, json!("after bob")).await;
    hears(&mut ann, json!("after bob")).await;
    for client in [&mut bob, &mut other, &mut stranger] {
        client.catch_up().await;
    }
    assert_eq!((said(&bob).len(), said(&other).len(), said(&stranger).len()), (2, 0, 0));
}

#[tokio::test]
async fn bytes_are_said_as_bytes() {
    let installation = Installation::start().await;
    let (here, there) = (installation.gateway(&[]).await, installation.gateway(&[]).await);
    let (mut ann, mut bob) = (member(&here, LOBBY).await, member(&there, LOBBY).await);
    for data in [json!({ "_placeholder": true, "num": 0 }), json!({ "image": { "_placeholder": true, "num": 0 }, "width": 2 })] {
        let publish = json!({ "channel": LOBBY, "event": "drawn", "data": data });
        let (ack, _) = ann.ask_binary("channel:publish", publish, &[&[0, 255, 7]]).await;
        for client in [&mut ann, &mut bob] {
            let is_it = |heard: &Heard| matches!(heard, Heard::Event { data, .. } if data["id"] == ack["id"]);
            let Heard::Event { data: event, attachments, .. } = client.until(is_it).await else { unreachable!() };
            assert_eq!((&event["data"], attachments), (&data, vec![vec![0, 255, 7]]));
        }
    }
}

#[tokio::test]
async fn other_gateways_hear_it_by_pubsub_when_there_is_no_redis() {
    let installation = Installation::start().await;
    let (here, there) = (installation.gateway(&[]).await, installation.gateway(&[]).await);
    let (mut ann, mut bob) = (member(&here, LOBBY).await, member(&there, LOBBY).await);
    let ack = say(&mut ann, LOBBY, json!("far")).await;
    assert_eq!(ack["local"], json!(null));
    hears(&mut bob, json!("far")).await;
    // By now its own words have come back to the first gateway too.
    say(&mut ann, LOBBY, json!("last")).await;
    for client in [&mut ann, &mut bob] {
        hears(client, json!("last")).await;
        client.catch_up().await;
        assert_eq!(said(client), [json!("far"), json!("last")]);
    }
}

#[tokio::test]
async fn other_gateways_hear_it_by_redis_in_order_and_without_pubsub() {
    let (mut installation, redis) = (Installation::start().await, Redis::start());
    let (here, there) = (redis.gateway_with(&installation, &["--publishes-per-second", "1000"]).await, redis.gateway(&installation).await);
    let (mut ann, mut bob) = (member(&here, LOBBY).await, member(&there, LOBBY).await);
    // The subscription to Redis is made in the background.
    eventually("the gateways hear each other by Redis", async || {
        say(&mut ann, LOBBY, json!("there?")).await;
        bob.catch_up().await;
        there.figure("mayfly_gateway_notifications_total") > 0.0
    })
    .await;
    installation.stop_pubsub().await;
    let before = said(&bob).len();
    let mut acks = Vec::new();
    for number in 0..300 {
        acks.push(ann.send("channel:publish", json!({ "channel": LOBBY, "data": number })).await);
    }
    for ack in acks {
        assert_eq!(ann.ack(ack).await["local"], json!(null));
    }
    hears(&mut bob, json!(299)).await;
    assert_eq!(said(&bob)[before..], (0..300).map(|number| json!(number)).collect::<Vec<_>>());
}

/// With its deadline of two seconds here; one after another they would wait for a minute.
#[tokio::test]
async fn whatever_is_said_while_redis_hangs_waits_for_it_no_longer_than_one_deadline() {
    let (installation, redis) = (Installation::start().await, Redis::start());
    let gateway = redis.gateway_with(&installation, &["--publishes-per-second", "1000"]).await;
    let mut ann = member(&gateway, LOBBY).await;
    redis.freeze();
    let since = Instant::now();
    let mut acks = Vec::new();
    for number in 0..60 {
        acks.push(ann.send("channel:publish", json!({ "channel": LOBBY, "data": number })).await);
    }
    for ack in acks {
        assert_eq!(ann.ack(ack).await["ok"], true);
    }
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
    assert_eq!(said(&ann), (0..60).map(|number| json!(number)).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_redis_and_pubsub_this_gateways_members_hear_it_and_the_publisher_knows() {
    let mut installation = Installation::start().await;
    let (here, there) = (installation.gateway(&[]).await, installation.gateway(&[]).await);
    let (mut ann, mut bob, mut carol) = (member(&here, LOBBY).await, member(&here, LOBBY).await, member(&there, LOBBY).await);
    installation.stop_pubsub().await;
    state_of(&here, "pubsub", State::Down).await;
    assert_eq!(say(&mut ann, LOBBY, json!("near")).await["local"], true);
    hears(&mut bob, json!("near")).await;
    carol.catch_up().await;
    assert_eq!(said(&carol), Vec::<Value>::new());
}

#[tokio::test]
async fn nothing_is_heard_twice_when_the_way_changes_or_a_client_repeats_itself() {
    let (installation, mut redis) = (Installation::start().await, Redis::start());
    let (here, there) = (redis.gateway(&installation).await, redis.gateway(&installation).await);
    let (mut ann, mut bob) = (member(&here, LOBBY).await, member(&there, LOBBY).await);
    let mut repeated = json!({ "channel": LOBBY, "data": "once", "id": "mine" });
    let first = ann.ask("channel:publish", repeated.clone()).await;
    eventually("it is heard by Redis", async || {
        ann.ask("channel:publish", repeated.clone()).await;
        bob.catch_up().await;
        !said(&bob).is_empty()
    })
    .await;
    redis.kill();
    state_of(&here, "redis", State::Down).await;
    assert_eq!(ann.ask("channel:publish", repeated.clone()).await, first);
    // Somebody else's `mine` is another message.
    repeated["data"] = json!("another's");
    let other = bob.ask("channel:publish", repeated).await;
    assert_ne!(other["id"], first["id"]);
    say(&mut ann, LOBBY, json!("last")).await;
    for client in [&mut ann, &mut bob] {
        hears(client, json!("another's")).await;
        hears(client, json!("last")).await;
        client.catch_up().await;
        let mut all: Vec<_> = said(client).iter().map(ToString::to_string).collect();
        all.sort();
        assert_eq!(all, [r#""another's""#, r#""last""#, r#""once""#]);
    }
}

#[tokio::test]
async fn one_needs_the_right_to_join_and_to_publish() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--anonymous-channels", "public:*,news", "--anonymous-publish-channels", "none"]).await;
    let mut anybody = gateway.client().await;
    let claims = json!({ "channels": ["team:7:*", "not a name"], "publishChannels": ["team:7:chat"] });
    let mut ann = gateway.client_as(json!({ "token": user_token("ann", claims) })).await.unwrap();
    let mut cms = gateway.client_as(json!({ "token": user_token("cms", json!({ "permissions": ["publish"] })) })).await.unwrap();
    for (channel, anybody_may, ann_may) in
        [("news", true, true), (LOBBY, true, true), ("team:7:chat", false, true), ("team:70", false, false), ("newsroom", false, false)]
    {
        for (client, may) in [(&mut anybody, anybody_may), (&mut ann, ann_may)] {
            let ack = client.ask("channel:join", json!({ "channel": channel })).await;
            assert_eq!(ack["ok"], may, "{channel}: {ack}");
            assert!(may || ack["error"]["code"] == "forbidden");
        }
    }
    let publish = async |client: &mut Client, channel: &str| client.ask("channel:publish", json!({ "channel": channel, "data": 1 })).await;
    assert_eq!(publish(&mut anybody, "news").await["error"]["code"], "forbidden");
    assert_eq!(publish(&mut ann, "team:7:board").await["error"]["code"], "forbidden");
    assert_eq!(publish(&mut ann, "team:7:chat").await["ok"], true);
    assert_eq!(publish(&mut cms, "news").await["ok"], true);
    hears(&mut anybody, json!(1)).await;
}

#[tokio::test]
async fn names_numbers_and_sizes_are_bounded() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--max-channels", "2", "--max-publish-bytes", "100", "--publishes-per-second", "1"]).await;
    let mut client = gateway.client().await;
    let limits = client.welcome().await["limits"].clone();
    assert_eq!((&limits["maxChannels"], &limits["maxPublishBytes"], &limits["publishesPerSecond"]), (&json!(2), &json!(100), &json!(1)));
    for event in ["channel:join", "channel:leave", "channel:publish"] {
        for nonsense in [json!(null), json!(7), json!({ "channel": 7 }), json!({})] {
            assert_eq!(gateway.client().await.ask(event, nonsense.clone()).await["error"]["code"], "invalid_request", "{event} {nonsense}");
        }
    }
    for name in ["", "public:two words", "public:*", &format!("public:{}", "x".repeat(200))] {
        assert_eq!(client.ask("channel:join", json!({ "channel": name })).await["error"]["code"], "invalid_request", "{name}");
    }
    for (channel, may) in [("public:1", true), ("public:2", true), ("public:3", false), ("public:2", true)] {
        assert_eq!(client.ask("channel:join", json!({ "channel": channel })).await["ok"], may, "{channel}");
    }
    client.ask("channel:leave", json!({ "channel": "public:1" })).await;
    assert_eq!(client.ask("channel:join", json!({ "channel": "public:3" })).await["ok"], true);

    let publish = |data: &str| json!({ "channel": LOBBY, "data": data });
    assert_eq!(client.ask("channel:publish", publish(&"x".repeat(99))).await["error"]["code"], "payload_too_large");
    assert_eq!(client.ask("channel:publish", publish(&"x".repeat(98))).await["ok"], true);
    let refusal = client.ask("channel:publish", publish("soon again")).await;
    assert_eq!(refusal["error"]["code"], "rate_limited");
    assert!(refusal["error"]["retryAfterMs"].is_u64());
}

#[tokio::test]
async fn channels_end_with_the_socket_and_services_reach_them_too() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut before = member(&gateway, LOBBY).await;
    let mut again = gateway.client_again(&before).await;
    let bus = installation.bus().await;
    let attributes = [("audience", format!("channel:{LOBBY}")), ("event", "sale".into())].map(|(name, value)| (name.to_owned(), value));
    bus.publish(&bus.names().events(), bus::Message::new(attributes.into(), r#"{"price":3}"#)).await.unwrap();
    hears(&mut before, json!({ "price": 3 })).await;
    assert_eq!(before.event("channel:event").await["channel"], LOBBY);
    again.catch_up().await;
    assert_eq!(said(&again), Vec::<Value>::new());
}
