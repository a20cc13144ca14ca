//! A user's token ends before the connection does.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared::Timestamp;

use crate::support::{Client, Installation, Refused, eventually, user_token, user_token_for};

async fn refresh(client: &mut Client, token: &str) -> Value {
    client.ask("auth:refresh", json!({ "token": token })).await
}

async fn submit(client: &mut Client) -> Value {
    client.ask("job:submit", json!({ "kind": "echo", "payload": 1 })).await
}

#[tokio::test]
async fn a_refreshed_token_keeps_the_user_in_without_a_reconnect() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--auth-grace", "1"]).await;
    let mut ann = gateway.client_as(json!({ "token": user_token_for("ann", 1, json!({})) })).await.unwrap();
    let ends = Timestamp::now().as_second() + 3;
    let ack = refresh(&mut ann, &user_token_for("ann", 3, json!({}))).await;
    assert_eq!(ack["ok"], true, "{ack}");
    let expires_at: Timestamp = ack["expiresAt"].as_str().unwrap().parse().unwrap();
    assert!((ends..=ends + 1).contains(&expires_at.as_second()), "{expires_at}");
    // Longer than the first token and its grace would have lasted, and no longer than the second's.
    ann.closed().await;
    assert!(Timestamp::now() > expires_at);
    assert_eq!(gateway.figure("mayfly_gateway_expired_clients_closed_total"), 1.0);
}

#[tokio::test]
async fn an_ended_token_allows_nothing_but_to_refresh_it() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--auth-grace", "60"]).await;
    let mut ann = gateway.client_as(json!({ "token": user_token_for("ann", 1, json!({})) })).await.unwrap();
    let channel = json!({ "channel": "public:lobby" });
    eventually("the token ends", async || submit(&mut ann).await["error"]["code"] == "unauthorized").await;
    for event in ["channel:join", "channel:publish"] {
        assert_eq!(ann.ask(event, channel.clone()).await["error"]["code"], "unauthorized");
    }
    assert_eq!(ann.ask("ping", json!("here")).await, "here");
    assert_eq!(refresh(&mut ann, &user_token("ann", json!({}))).await["ok"], true);
    assert_eq!(submit(&mut ann).await["ok"], true);
}

#[tokio::test]
async fn without_a_refresh_the_transport_is_closed_and_only_a_good_token_lets_the_client_in_again() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--auth-grace", "6"]).await;
    // Already over, but within what clocks may differ.
    let token = user_token_for("ann", -1, json!({}));
    let mut ann = gateway.client_as(json!({ "token": token })).await.unwrap();
    let began = Instant::now();
    ann.closed().await;
    assert!(began.elapsed() > Duration::from_secs(3), "{:?}", began.elapsed());
    let back = async |token: String| gateway.client_as(json!({ "token": token, "session": ann.session_token() })).await;
    assert_eq!(back(token).await.err(), Some(Refused("unauthorized".into())));
    let mut again = back(user_token("ann", json!({}))).await.unwrap();
    let session = ann.welcome().await["session"]["id"].clone();
    assert_eq!(again.welcome().await["session"]["id"], session);
}

#[tokio::test]
async fn a_token_that_is_no_good_or_not_the_users_changes_nothing() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut ann = gateway.client_as(json!({ "token": user_token("ann", json!({})) })).await.unwrap();
    for (token, code) in [
        ("garbage".to_owned(), "unauthorized"),
        (user_token_for("ann", -60, json!({})), "unauthorized"),
        (ann.session_token().to_owned(), "unauthorized"),
        (user_token("bob", json!({})), "forbidden"),
    ] {
        assert_eq!(refresh(&mut ann, &token).await["error"]["code"], code);
    }
    assert_eq!(ann.ask("auth:refresh", json!({})).await["error"]["code"], "invalid_request");
    assert_eq!(submit(&mut ann).await["ok"], true);
    let mut nobody = gateway.client().await;
    assert_eq!(refresh(&mut nobody, &user_token("ann", json!({}))).await["error"]["code"], "forbidden");
}

#[tokio::test]
async fn the_new_tokens_rights_replace_the_old_ones() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let rights =
        |channels: Value, kinds: Value| user_token("ann", json!({ "channels": channels, "publishChannels": channels, "kinds": kinds }));
    let mut ann = gateway.client_as(json!({ "token": rights(json!(["team:1", "team:2"]), json!(["echo"])) })).await.unwrap();
    for channel in ["team:1", "team:2"] {
        assert_eq!(ann.ask("channel:join", json!({ "channel": channel })).await["ok"], true);
    }
    assert_eq!(refresh(&mut ann, &rights(json!(["team:2"]), json!(["webhook"]))).await["ok"], true);
    assert_eq!(submit(&mut ann).await["error"]["code"], "unknown_kind");
    assert_eq!(ann.ask("channel:join", json!({ "channel": "team:1" })).await["error"]["code"], "forbidden");
    let bus = installation.bus().await;
    for channel in ["channel:team:1", "channel:team:2"] {
        let attributes = [("audience".to_owned(), channel.to_owned())].into();
        bus.publish(&bus.names().events(), bus::Message::new(attributes, format!("\"{channel}\""))).await.unwrap();
    }
    assert_eq!(ann.event("channel:event").await["channel"], "team:2");
    eventually("both were passed on", async || gateway.figure("mayfly_gateway_notifications_total") == 2.0).await;
    ann.catch_up().await;
    let told = ann.heard.iter().filter(|heard| matches!(heard, crate::support::Heard::Event { name, .. } if name == "channel:event"));
    assert_eq!(told.count(), 1);
}
