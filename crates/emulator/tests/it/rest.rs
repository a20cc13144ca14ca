//! REST, as curl speaks it.

use crate::harness::*;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

struct Curl {
    harness: Harness,
    http: reqwest::Client,
}

impl Curl {
    async fn start() -> Self {
        Self { harness: Harness::with_subscription().await, http: reqwest::Client::new() }
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = self.http.request(method, format!("{}{path}", self.harness.endpoint)).body(body);
        let response = in_time(request.send()).await.unwrap();
        let status = response.status();
        let text = in_time(response.text()).await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text:?}")))
    }

    async fn ok(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.send(method, path, body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    async fn post(&self, call: &str, body: Value) -> Value {
        self.ok(Method::POST, &format!("/v1/{call}"), body).await
    }

    /// The status in the error, which must have Google's form.
    async fn refused(&self, method: Method, path: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.send(method, path, body).await;
        assert_eq!(answer["error"]["code"], status.as_u16(), "{answer}");
        assert!(!answer["error"]["message"].as_str().unwrap().is_empty(), "{answer}");
        (status.as_u16(), answer["error"]["status"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn a_message_can_be_published_pulled_and_acknowledged() {
    let curl = Curl::start().await;
    let body = json!({ "messages": [{ "data": "aGVsbG8=", "attributes": { "a": "b" } }, { "attributes": { "c": "d" } }] });
    let published = curl.post(&format!("{TOPIC}:publish"), body).await;
    assert_eq!(published["messageIds"].as_array().unwrap().len(), 2);

    let pulled = curl.post(&format!("{SUBSCRIPTION}:pull"), json!({ "maxMessages": 10 })).await;
    let received = pulled["receivedMessages"].as_array().unwrap();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0]["message"]["data"], "aGVsbG8=");
    assert_eq!(received[0]["message"]["attributes"], json!({ "a": "b" }));
    assert_eq!(received[0]["message"]["messageId"], published["messageIds"][0]);
    assert!(received[0]["message"]["publishTime"].as_str().unwrap().ends_with('Z'));
    assert!(received[0].get("deliveryAttempt").is_none());
    assert!(received[1]["message"].get("data").is_none());

    let nacked = json!({ "ackIds": [received[0]["ackId"]], "ackDeadlineSeconds": 0 });
    curl.post(&format!("{SUBSCRIPTION}:modifyAckDeadline"), nacked).await;
    let again = curl.post(&format!("{SUBSCRIPTION}:pull"), json!({ "maxMessages": 10 })).await;
    assert_eq!(again["receivedMessages"][0]["message"]["messageId"], published["messageIds"][0]);

    let acks = json!({ "ackIds": [again["receivedMessages"][0]["ackId"], received[1]["ackId"]] });
    assert_eq!(curl.post(&format!("{SUBSCRIPTION}:acknowledge"), acks).await, json!({}));
    curl.harness.assert_drained().await;
}

#[tokio::test]
async fn a_subscription_is_shown_as_google_shows_it() {
    let curl = Curl::start().await;
    let shown = curl.ok(Method::GET, &format!("/v1/{SUBSCRIPTION}"), Value::Null).await;
    let expected = json!({
        "name": SUBSCRIPTION,
        "topic": TOPIC,
        "pushConfig": {},
        "ackDeadlineSeconds": 10,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": { "ttl": "2678400s" },
        "state": "ACTIVE",
    });
    assert_eq!(shown, expected);
    // What was read can be written, output fields and all.
    let copy = "/v1/projects/p/subscriptions/the-copy";
    assert_eq!(curl.ok(Method::PUT, copy, shown).await["name"], "projects/p/subscriptions/the-copy");
}

#[tokio::test]
async fn enums_may_be_numbers_and_a_body_may_be_missing() {
    let curl = Curl::start().await;
    let topic = "/v1/projects/p/topics/another-one";
    assert_eq!(curl.ok(Method::PUT, topic, Value::Null).await["state"], "ACTIVE");
    let numbered = json!({ "topic": TOPIC, "state": 1 });
    curl.ok(Method::PUT, "/v1/projects/p/subscriptions/another-one", numbered).await;
}

#[tokio::test]
async fn an_update_takes_a_mask() {
    let curl = Curl::start().await;
    let update = json!({ "subscription": { "labels": { "a": "b" }, "ackDeadlineSeconds": 60 }, "updateMask": "labels" });
    let updated = curl.ok(Method::PATCH, &format!("/v1/{SUBSCRIPTION}"), update).await;
    assert_eq!(updated["labels"], json!({ "a": "b" }));
    assert_eq!(updated["ackDeadlineSeconds"], 10);
    let update = json!({ "topic": { "messageRetentionDuration": "600s" }, "updateMask": "messageRetentionDuration" });
    let updated = curl.ok(Method::PATCH, &format!("/v1/{TOPIC}"), update).await;
    assert_eq!(updated["messageRetentionDuration"], "600s");
    let shown = curl.ok(Method::GET, &format!("/v1/{SUBSCRIPTION}"), Value::Null).await;
    assert_eq!(shown["topicMessageRetentionDuration"], "600s");
}

#[tokio::test]
async fn lists_page_and_schemas_are_none() {
    let curl = Curl::start().await;
    curl.ok(Method::PUT, "/v1/projects/p/topics/another-one", Value::Null).await;
    let first = curl.ok(Method::GET, "/v1/projects/p/topics?pageSize=1", Value::Null).await;
    assert_eq!(first["topics"].as_array().unwrap().len(), 1);
    let token = first["nextPageToken"].as_str().unwrap();
    let second = curl.ok(Method::GET, &format!("/v1/projects/p/topics?pageSize=1&pageToken={token}"), Value::Null).await;
    assert_eq!(second["topics"][0]["name"], TOPIC);
    assert_eq!(second["nextPageToken"], "");
    let subscriptions = curl.ok(Method::GET, &format!("/v1/{TOPIC}/subscriptions"), Value::Null).await;
    assert_eq!(subscriptions["subscriptions"], json!([SUBSCRIPTION]));
    assert_eq!(curl.ok(Method::GET, "/v1/projects/p/schemas", Value::Null).await, json!({}));
}

#[tokio::test]
async fn a_subscription_can_be_sought_and_detached() {
    let curl = Curl::start().await;
    let publish = || curl.post(TOPIC_PUBLISH, json!({ "messages": [{ "data": "eA==" }] }));
    publish().await;
    curl.post(&format!("{SUBSCRIPTION}:seek"), json!({ "time": "2100-01-01T00:00:00Z" })).await;
    curl.harness.assert_drained().await;
    curl.post(&format!("{SUBSCRIPTION}:modifyPushConfig"), json!({ "pushConfig": {} })).await;
    curl.post(&format!("{SUBSCRIPTION}:detach"), Value::Null).await;
    let shown = curl.ok(Method::GET, &format!("/v1/{SUBSCRIPTION}"), Value::Null).await;
    assert_eq!(shown["detached"], true);
    curl.ok(Method::DELETE, &format!("/v1/{SUBSCRIPTION}"), Value::Null).await;
    curl.ok(Method::DELETE, &format!("/v1/{TOPIC}"), Value::Null).await;
}

const TOPIC_PUBLISH: &str = "projects/p/topics/the-topic:publish";

#[tokio::test]
async fn errors_have_googles_form() {
    let curl = Curl::start().await;
    let topic = format!("/v1/{TOPIC}");
    let subscription = format!("/v1/{SUBSCRIPTION}");
    let new = "/v1/projects/p/subscriptions/new-one";
    let call = |verb: &str| format!("{subscription}:{verb}");
    for (method, path, body, expected) in [
        (Method::GET, "/v1/projects/p/topics/missing".into(), Value::Null, (404, "NOT_FOUND")),
        (Method::GET, "/nowhere".into(), Value::Null, (404, "NOT_FOUND")),
        (Method::POST, "/".into(), Value::Null, (404, "NOT_FOUND")),
        (Method::PUT, topic.clone(), Value::Null, (409, "ALREADY_EXISTS")),
        (Method::PUT, "/v1/projects/p/topics/x".into(), Value::Null, (400, "INVALID_ARGUMENT")),
        (Method::PATCH, topic.clone(), json!({ "topic": {} }), (400, "INVALID_ARGUMENT")),
        (Method::PUT, new.into(), json!({ "topic": TOPIC, "nonsense": 1 }), (400, "INVALID_ARGUMENT")),
        (Method::PUT, new.into(), json!({ "topic": TOPIC, "messageRetentionDuration": 600 }), (400, "INVALID_ARGUMENT")),
        (Method::PUT, new.into(), json!({ "topic": TOPIC, "filter": "attributes:a" }), (501, "UNIMPLEMENTED")),
        (Method::PUT, new.into(), json!({ "topic": TOPIC, "bigqueryConfig": { "table": "t" } }), (501, "UNIMPLEMENTED")),
        (
            Method::PUT,
            new.into(),
            json!({ "topic": TOPIC, "pushConfig": { "pushEndpoint": "https://example.com" } }),
            (501, "UNIMPLEMENTED"),
        ),
        (Method::PUT, "/v1/projects/p/topics/new".into(), json!({ "schemaSettings": {} }), (501, "UNIMPLEMENTED")),
        (Method::GET, "/v1/projects/p/topics?pageSize=-1".into(), Value::Null, (400, "INVALID_ARGUMENT")),
        (Method::GET, "/v1/projects/p/topics?pageSize=many".into(), Value::Null, (400, "INVALID_ARGUMENT")),
        (Method::POST, topic.clone(), Value::Null, (400, "INVALID_ARGUMENT")),
        (Method::POST, format!("{topic}:shout"), Value::Null, (404, "NOT_FOUND")),
        (Method::POST, format!("{topic}:publish"), json!({}), (400, "INVALID_ARGUMENT")),
        (Method::POST, format!("{topic}:publish"), json!({ "messages": [{ "data": "?" }] }), (400, "INVALID_ARGUMENT")),
        (Method::POST, call("shout"), Value::Null, (404, "NOT_FOUND")),
        (Method::POST, call("pull"), Value::Null, (400, "INVALID_ARGUMENT")),
        (Method::POST, call("acknowledge"), json!({ "ackIds": ["nonsense"] }), (400, "INVALID_ARGUMENT")),
        (Method::POST, call("modifyAckDeadline"), json!({ "ackDeadlineSeconds": 601 }), (400, "INVALID_ARGUMENT")),
        (Method::POST, call("seek"), json!({}), (400, "INVALID_ARGUMENT")),
        (Method::POST, call("seek"), json!({ "snapshot": "projects/p/snapshots/abc" }), (501, "UNIMPLEMENTED")),
        (Method::GET, format!("{topic}/snapshots"), Value::Null, (501, "UNIMPLEMENTED")),
        (Method::GET, "/v1/projects/p/snapshots".into(), Value::Null, (501, "UNIMPLEMENTED")),
        (Method::PUT, "/v1/projects/p/snapshots/abc".into(), Value::Null, (501, "UNIMPLEMENTED")),
        (Method::GET, "/v1/projects/p/schemas/abc".into(), Value::Null, (501, "UNIMPLEMENTED")),
    ] {
        let (code, status) = curl.refused(method.clone(), &path, body.clone()).await;
        assert_eq!((code, status.as_str()), expected, "{method} {path} {body}");
    }
    curl.post(&format!("{SUBSCRIPTION}:detach"), Value::Null).await;
    let pull = curl.refused(Method::POST, &call("pull"), json!({ "maxMessages": 1 })).await;
    assert_eq!(pull, (400, "FAILED_PRECONDITION".into()));
}
