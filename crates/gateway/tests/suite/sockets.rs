//! Coming in, and what every client is told.

use serde_json::json;

use crate::support::{Heard, Installation, Refused, user_token};

#[tokio::test]
async fn a_client_hears_the_hostname_first_and_then_who_it_is() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut client = gateway.client().await;
    let welcome = client.welcome().await;
    assert_eq!(client.heard[0], Heard::Event { name: "hostname".into(), data: json!("gateway-under-test"), attachments: vec![] });
    assert!(matches!(&client.heard[1], Heard::Event { name, .. } if name == "welcome"));
    assert_eq!(welcome["hostname"], "gateway-under-test");
    let kinds = welcome["kinds"].as_array().unwrap();
    assert!(kinds.contains(&json!("echo")) && !kinds.contains(&json!("webhook")), "webhooks are for those who are signed in: {kinds:?}");
    assert_eq!(welcome["status"], json!({ "redis": "off", "pubsub": "up", "history": "warm" }));
    assert_eq!(welcome["limits"]["maxPayloadBytes"], 9_000_000);
    assert!(welcome["session"]["expiresAt"].is_string() && welcome["version"].is_string());
}

#[tokio::test]
async fn a_session_lives_on_across_reconnects_and_gateways() {
    let installation = Installation::start().await;
    let (here, there) = (installation.gateway(&[]).await, installation.gateway(&[]).await);
    let mut first = here.client().await;
    let mut again = there.client_again(&first).await;
    assert_eq!(again.welcome().await["session"]["id"], first.welcome().await["session"]["id"]);
    let mut other = here.client_as(json!({ "session": "no longer good" })).await.unwrap();
    assert_ne!(other.welcome().await["session"]["id"], first.welcome().await["session"]["id"]);
}

#[tokio::test]
async fn a_bad_user_token_is_refused_and_a_good_one_narrows_the_kinds() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    for token in [json!("garbage"), json!(42)] {
        assert_eq!(gateway.client_as(json!({ "token": token })).await.err(), Some(Refused("unauthorized".into())));
    }
    let token = user_token("ann", json!({ "kinds": ["echo"] }));
    let mut ann = gateway.client_as(json!({ "token": token })).await.unwrap();
    assert_eq!(ann.welcome().await["kinds"], json!(["echo"]));
    let refusal = ann.ask("job:submit", json!({ "kind": "webhook", "payload": {} })).await;
    assert_eq!(refusal["error"]["code"], "unknown_kind");
}

#[tokio::test]
async fn a_ping_comes_back_as_it_was_sent() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut client = gateway.client().await;
    for probe in [json!({ "at": 17, "nested": ["é", null, 1.5] }), json!("text"), json!(0), json!(null)] {
        assert_eq!(client.ask("ping", probe.clone()).await, probe);
    }
    let (data, attachments) = client.ask_binary("ping", json!({ "_placeholder": true, "num": 0 }), &[&[0, 255, 7]]).await;
    assert_eq!((data, attachments), (json!({ "_placeholder": true, "num": 0 }), vec![vec![0, 255, 7]]));
}

#[tokio::test]
async fn nonsense_is_refused_by_name_and_the_socket_lives_on() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut client = gateway.client().await;
    for event in ["job:submit", "job:get", "job:resume", "job:cancel"] {
        for nonsense in [json!(null), json!(7), json!([]), json!({ "id": "no-uuid", "kind": 1, "jobs": {} })] {
            let ack = client.ask(event, nonsense.clone()).await;
            assert_eq!((&ack["ok"], &ack["error"]["code"]), (&json!(false), &json!("invalid_request")), "{event} {nonsense}");
        }
    }
    client.send_raw(r#"42["nobody:listens",1]"#).await;
    client.send_raw(r#"42["job:submit"]"#).await;
    assert_eq!(client.ask("ping", json!("still here")).await, "still here");
}

#[tokio::test]
async fn every_gateway_tells_of_a_notification_once() {
    let installation = Installation::start().await;
    let (here, there) = (installation.gateway(&[]).await, installation.gateway(&[]).await);
    let (mut first, mut second) = (here.client().await, there.client().await);
    let bus = installation.bus().await;
    for text in ["news", "news", "last"] {
        let attributes = [("audience", "all"), ("event", text), ("id", text)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let message = bus::Message::new(attributes.into(), format!(r#"{{ "text": "{text}" }}"#));
        bus.publish(&bus.names().events(), message).await.unwrap();
    }
    for client in [&mut first, &mut second] {
        client.until(|heard| matches!(heard, Heard::Event { data, .. } if data["event"] == "last")).await;
        client.catch_up().await;
        let told = client.heard.iter().filter(|heard| matches!(heard, Heard::Event { name, .. } if name == "channel:event"));
        assert_eq!(told.count(), 2);
        let news = client.event("channel:event").await;
        assert_eq!(news, json!({ "channel": "all", "event": news["event"], "data": { "text": news["event"] }, "id": news["event"] }));
    }
}
