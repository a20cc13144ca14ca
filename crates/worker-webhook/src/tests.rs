//! Webhooks on their way to real servers.

#![allow(clippy::unwrap_used, reason = "tests")]

mod delivery;
mod hostile;
mod reach;
mod receiver;

use std::net::IpAddr;

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use shared::Payload;
use worker::testing::run;

use crate::{Delivered, Sender, Webhook, WebhookSettings};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn settings() -> WebhookSettings {
    WebhookSettings { webhook_secret: SECRET.parse().unwrap(), ..WebhookSettings::default() }
}

/// A sender that may reach the machine it runs on.
fn local() -> Sender {
    Sender::new(&WebhookSettings { webhook_allow_private: true, ..settings() }).unwrap()
}

/// A sender that may reach nothing private but these addresses.
fn limited_to(addresses: &[&str]) -> WebhookSettings {
    WebhookSettings { webhook_allow_nets: addresses.join(",").parse().unwrap(), ..settings() }
}

fn webhook(json: serde_json::Value) -> Webhook {
    Webhook::from_payload(&Payload::encode(&json).unwrap()).unwrap()
}

fn to(url: &str) -> Webhook {
    webhook(serde_json::json!({ "url": url, "body": {"hello": "world"} }))
}

/// The code, and whether it is tried again.
async fn failure(job: Webhook, sender: &Sender) -> (String, bool, String) {
    let error = run(job, sender).await.result.unwrap_err();
    (error.wire().code.to_string(), error.is_retryable(), error.wire().message.clone())
}

async fn delivered(job: Webhook, sender: &Sender) -> Delivered {
    run(job, sender).await.result.unwrap()
}

/// The signature by the letter of RFC 2104, without the library that the sender uses.
fn signature(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let padded = |pad: u8| (0..64).map(|at| key.get(at).unwrap_or(&0) ^ pad).collect::<Vec<_>>();
    let message = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    let inner = Sha256::digest([padded(0x36), message].concat());
    format!("v1,{}", BASE64_STANDARD.encode(Sha256::digest([padded(0x5c), inner.to_vec()].concat())))
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}
