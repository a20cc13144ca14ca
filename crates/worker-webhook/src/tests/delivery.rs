//! Receivers that behave.

use axum::http::{HeaderName, StatusCode};
use jiff::Timestamp;
use shared::{Payload, limits::MAX_RETRY_AFTER};
use tokio_util::sync::CancellationToken;
use worker::{
    JobError,
    testing::{Testing, run, run_payload},
};

use super::{SECRET, delivered, failure, local, receiver::Receiver, settings, signature, to, webhook};
use crate::{Sender, Webhook, WebhookSettings};

const NEW_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test]
async fn a_webhook_arrives_byte_for_byte_and_signed() {
    let receiver = Receiver::answering([StatusCode::NO_CONTENT]).await;
    let body = r#"{ "amount" : 1.50,  "text":"é\u0000" }"#;
    let json = format!(r#"{{"url": "{}", "body": {body}, "headers": {{"X-Tenant": "7"}}}}"#, receiver.url());
    run_payload::<Webhook>(&Payload::from_message(Some("application/json"), json.into()).unwrap(), &local()).await.unwrap();

    let [(headers, got)] = &receiver.got()[..] else { panic!("one request") };
    let header = |name: &str| headers[name].to_str().unwrap();
    assert_eq!(got, body);
    assert_eq!((header("content-type"), header("x-tenant")), ("application/json", "7"));
    assert!(header("user-agent").starts_with("mayfly-webhook/"));
    assert!(header("webhook-id").parse::<shared::JobId>().is_ok());
    let age = Timestamp::now().as_second() - header("webhook-timestamp").parse::<i64>().unwrap();
    assert!((0..60).contains(&age), "{age}");
    assert_eq!(header("webhook-signature"), signature(SECRET, header("webhook-id"), header("webhook-timestamp"), got));
}

#[tokio::test]
async fn while_secrets_are_replaced_both_sign() {
    let receiver = Receiver::answering([StatusCode::OK]).await;
    let webhook_secret = format!("{NEW_SECRET} {SECRET}").parse().unwrap();
    let sender = Sender::new(&WebhookSettings { webhook_secret, webhook_allow_private: true, ..settings() }).unwrap();
    delivered(to(&receiver.url()), &sender).await;
    let (headers, body) = &receiver.got()[0];
    let header = |name: &str| headers[name].to_str().unwrap();
    let expected = [NEW_SECRET, SECRET].map(|secret| signature(secret, header("webhook-id"), header("webhook-timestamp"), body));
    assert_eq!(header("webhook-signature"), expected.join(" "));
}

#[tokio::test]
async fn the_result_says_what_the_receiver_did() {
    let receiver = Receiver::answering([(StatusCode::ACCEPTED, "queued")]).await;
    // The last answer is repeated without its body; this is the first of two.
    let receiver_with_text = Receiver::answering([(StatusCode::ACCEPTED, "queued"), (StatusCode::OK, "")]).await;
    let done = Testing::default().attempt(3).run(to(&receiver_with_text.url()), &local()).await.result.unwrap();
    assert_eq!((done.status, done.attempt, done.response_preview.as_deref()), (202, 3, Some("queued")));
    assert_eq!(delivered(to(&receiver.url()), &local()).await.response_preview, None);
}

#[tokio::test]
async fn a_receiver_that_cannot_now_is_asked_again_and_then_takes_it() {
    let receiver = Receiver::answering([StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK]).await;
    let sender = local();
    assert_eq!(failure(to(&receiver.url()), &sender).await, passing("the receiver answered 503 Service Unavailable"));
    assert_eq!(delivered(to(&receiver.url()), &sender).await.status, 200);
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_stays_is_not() {
    let sender = local();
    for (status, again) in [
        (408, true),
        (425, true),
        (429, true),
        (500, true),
        (502, true),
        (503, true),
        (504, true),
        (599, true),
        (300, false),
        (301, false),
        (302, false),
        (303, false),
        (304, false),
        (400, false),
        (401, false),
        (404, false),
        (410, false),
        (422, false),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let receiver = Receiver::answering([status]).await;
        let (code, retried, message) = failure(to(&receiver.url()), &sender).await;
        assert_eq!((code.as_str(), retried), if again { ("webhook_unavailable", true) } else { ("webhook_refused", false) }, "{status}");
        assert!(message.contains(status.as_str()), "{message}");
        assert_eq!(receiver.got().len(), 1);
    }
}

#[tokio::test]
async fn a_receiver_says_when_to_come_back() {
    let retry_after = async |value: &str| {
        let answer = (StatusCode::TOO_MANY_REQUESTS, [(HeaderName::from_static("retry-after"), value.to_owned())]);
        let receiver = Receiver::answering([answer]).await;
        run(to(&receiver.url()), &local()).await.result.unwrap_err()
    };
    let message = "the receiver answered 429 Too Many Requests";
    let expected = |pause| JobError::retry_after(pause, message).with_code("webhook_unavailable");
    assert_eq!(retry_after("7").await, expected(std::time::Duration::from_secs(7)));
    assert_eq!(retry_after("Fri, 31 Dec 2100 23:59:59 GMT").await, expected(MAX_RETRY_AFTER));
    assert_eq!(retry_after("whenever").await, JobError::retry(message).with_code("webhook_unavailable"));
}

#[tokio::test]
async fn without_a_secret_nothing_is_sent() {
    let receiver = Receiver::answering([StatusCode::OK]).await;
    let sender = Sender::new(&WebhookSettings { webhook_allow_private: true, ..WebhookSettings::default() }).unwrap();
    let (code, again, message) = failure(to(&receiver.url()), &sender).await;
    assert_eq!(
        (code.as_str(), again, message.as_str()),
        ("not_configured", false, "webhooks are not set up here: WEBHOOK_SECRET is not set")
    );
    assert!(receiver.got().is_empty());
}

#[tokio::test]
async fn a_wrong_secret_is_a_settings_error_that_does_not_show_it() {
    let error = Sender::new(&WebhookSettings { webhook_secret: "hunter2".parse().unwrap(), ..settings() }).unwrap_err();
    assert_eq!(error.to_string(), "WEBHOOK_SECRET cannot be used: secret 1 does not begin with `whsec_`");
}

#[tokio::test]
async fn a_job_that_makes_no_sense_fails_before_anything_is_sent() {
    let receiver = Receiver::answering([StatusCode::OK]).await;
    for job in [
        serde_json::json!({"url": "nowhere", "body": 1}),
        serde_json::json!({"url": receiver.url(), "body": 1, "timeoutMs": 0}),
        serde_json::json!({"url": receiver.url(), "body": 1, "headers": {"webhook-id": "mine"}}),
    ] {
        let (code, again, _) = failure(webhook(job), &local()).await;
        assert_eq!((code.as_str(), again), ("invalid_request", false));
    }
    assert!(receiver.got().is_empty());
}

#[tokio::test]
async fn a_cancelled_webhook_is_given_up() {
    let url = super::receiver::speaking(|stream| async move {
        let _held = stream;
        std::future::pending().await
    })
    .await;
    let cancelled = CancellationToken::new();
    let sender = local();
    let run = Testing::default().cancelled_by(cancelled.clone()).run(to(&url), &sender);
    let (done, ()) = futures::join!(run, async { cancelled.cancel() });
    assert!(done.result.is_err());
}

fn passing(message: &str) -> (String, bool, String) {
    ("webhook_unavailable".to_owned(), true, message.to_owned())
}
