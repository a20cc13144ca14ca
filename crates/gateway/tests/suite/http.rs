//! The same API over HTTP.

use reqwest::{Client, StatusCode, header};
use serde_json::{Value, json};
use shared::{Audience, JobId, Payload};

use crate::support::{Heard, Installation, Serving, user_token};

async fn post(gateway: &Serving, path: &str, bearer: Option<&str>, body: &Value) -> (StatusCode, header::HeaderMap, Value) {
    let mut request = Client::new().post(gateway.url(path)).json(body);
    if let Some(token) = bearer {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    (response.status(), response.headers().clone(), response.json().await.unwrap())
}

async fn get(gateway: &Serving, path: &str, bearer: &str) -> (StatusCode, Value) {
    let response = Client::new().get(gateway.url(path)).bearer_auth(bearer).send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_job_goes_in_and_its_result_comes_out() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let token = client.session_token().to_owned();
    let submit = json!({ "id": JobId::new(), "kind": "echo", "payload": { "text": "hi" } });
    let (status, headers, body) = post(&gateway, "/v1/jobs", Some(&token), &submit).await;
    assert_eq!((status, &body), (StatusCode::ACCEPTED, &json!({ "ok": true, "id": submit["id"] })));
    let path = headers[header::LOCATION].to_str().unwrap().to_owned();
    assert_eq!(get(&gateway, &path, &token).await.1["job"]["state"], "queued");

    let job = worker.job().await;
    worker.finish(&job).await;
    // The session's socket hears of it like of any other.
    client.job_event(submit["id"].as_str().unwrap(), "succeeded").await;
    let (status, found) = get(&gateway, &path, &token).await;
    assert_eq!((status, &found["job"]["state"], &found["job"]["data"]), (StatusCode::OK, &json!("succeeded"), &json!({ "text": "hi" })));
    let (status, _, body) = post(&gateway, "/v1/jobs", Some(&token), &submit).await;
    assert_eq!((status, &body["duplicate"]), (StatusCode::OK, &json!(true)));
    let (status, _, _) = post(&gateway, &format!("{path}/cancel"), Some(&token), &json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn any_bytes_may_be_the_payload_and_the_result() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let token = gateway.client().await.session_token().to_owned();
    let request = Client::new().post(gateway.url("/v1/jobs?kind=echo&maxAttempts=3")).bearer_auth(&token);
    let response = request.header(header::CONTENT_TYPE, "image/png").body(vec![137, 80, 78]).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let job = worker.job().await;
    assert_eq!(job.payload, Payload::Raw { content_type: "image/png".into(), bytes: vec![137, 80, 78].into() });
    assert_eq!(job.max_attempts, Some(3));
    worker.finish(&job).await;

    let path = format!("/v1/jobs/{}", job.id);
    crate::support::eventually("the job ends", async || get(&gateway, &path, &token).await.1["job"]["state"] == "succeeded").await;
    let (_, found) = get(&gateway, &path, &token).await;
    assert_eq!((&found["job"]["dataType"], &found["job"]["dataUrl"]), (&json!("image/png"), &json!(format!("{path}/data"))));
    let data = Client::new().get(gateway.url(&format!("{path}/data"))).bearer_auth(&token).send().await.unwrap();
    assert_eq!(
        (&data.headers()[header::CONTENT_TYPE], &data.headers()[header::X_CONTENT_TYPE_OPTIONS]),
        (&"image/png".parse().unwrap(), &"nosniff".parse().unwrap())
    );
    assert_eq!(data.bytes().await.unwrap().as_ref(), [137, 80, 78]);
}

#[tokio::test]
async fn refusals_have_a_status_a_code_and_a_time_to_come_back() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--submits-per-second", "1", "--max-payload-bytes", "1000"]).await;
    let token = gateway.client().await.session_token().to_owned();
    let job = json!({ "kind": "echo", "payload": 1 });
    let (status, headers, body) = post(&gateway, "/v1/jobs", Some("garbage"), &job).await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::UNAUTHORIZED, &json!("unauthorized")));
    assert_eq!(headers[header::WWW_AUTHENTICATE], "Bearer");
    for (body, status, code) in [
        (json!({ "kind": "no-such-kind" }), StatusCode::BAD_REQUEST, "unknown_kind"),
        (json!({ "payload": 1 }), StatusCode::BAD_REQUEST, "invalid_request"),
        (json!({ "kind": "echo", "payload": "x".repeat(1000) }), StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large"),
        (json!({ "kind": "echo", "payload": "x".repeat(100_000) }), StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large"),
    ] {
        let token = gateway.client().await.session_token().to_owned();
        let (got, _, answer) = post(&gateway, "/v1/jobs", Some(&token), &body).await;
        assert_eq!((got, &answer["ok"], &answer["error"]["code"]), (status, &json!(false), &json!(code)));
    }
    for _ in 0..2 {
        assert_eq!(post(&gateway, "/v1/jobs", Some(&token), &job).await.0, StatusCode::ACCEPTED);
    }
    let (status, headers, body) = post(&gateway, "/v1/jobs", Some(&token), &job).await;
    assert_eq!(
        (status, &body["error"]["code"], &headers[header::RETRY_AFTER]),
        (StatusCode::TOO_MANY_REQUESTS, &json!("rate_limited"), &"1".parse().unwrap())
    );
    assert_eq!(get(&gateway, &format!("/v1/jobs/{}", JobId::new()), &token).await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(&gateway, "/v1/jobs/17", &token).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_stranger_gets_a_session_with_its_first_job() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let (status, headers, body) = post(&gateway, "/v1/jobs", None, &json!({ "kind": "echo", "payload": 1 })).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let token = headers["mayfly-session"].to_str().unwrap();
    let path = format!("/v1/jobs/{}", body["id"].as_str().unwrap());
    assert_eq!(get(&gateway, &path, token).await.0, StatusCode::OK);
    assert_eq!(reqwest::get(gateway.url(&path)).await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_service_submits_for_anybody_and_a_user_hears_of_it() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--service-token", "let-me-in"]).await;
    let mut worker = installation.worker().await;
    let mut ann = gateway.client_as(json!({ "token": user_token("ann", json!({})) })).await.unwrap();
    let job = json!({ "kind": "echo", "payload": 1 });
    assert_eq!(post(&gateway, "/v1/jobs", Some("let-me-in"), &job).await.0, StatusCode::BAD_REQUEST);
    let job = json!({ "kind": "echo", "payload": 1, "audience": "user:ann" });
    let (status, _, body) = post(&gateway, "/v1/jobs", Some("let-me-in"), &job).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let job = worker.job().await;
    assert_eq!(job.audience, Audience::User("ann".into()));
    worker.finish(&job).await;
    ann.job_event(body["id"].as_str().unwrap(), "succeeded").await;
    let ann = user_token("ann", json!({}));
    assert_eq!(get(&gateway, &format!("/v1/jobs/{}", job.id), &ann).await.1["job"]["state"], "succeeded");
}

#[tokio::test]
async fn publishing_an_event_takes_a_permission_and_reaches_the_audience() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--service-token", "let-me-in"]).await;
    let mut client = gateway.client().await;
    let session = client.welcome().await["session"]["id"].as_str().unwrap().to_owned();
    let event = json!({ "audience": format!("session:{session}"), "event": "sale", "data": { "price": 3 } });
    let (status, _, body) = post(&gateway, "/v1/events", Some(&user_token("ann", json!({}))), &event).await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::FORBIDDEN, &json!("forbidden")));
    assert_eq!(post(&gateway, "/v1/events", Some(client.session_token()), &event).await.0, StatusCode::FORBIDDEN);
    for token in [user_token("cms", json!({ "permissions": ["publish"] })), "let-me-in".into()] {
        let (status, _, published) = post(&gateway, "/v1/events", Some(&token), &event).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        let told = client.until(|heard| matches!(heard, Heard::Event { data, .. } if data["id"] == published["id"])).await;
        let Heard::Event { name, data, .. } = told else { unreachable!() };
        assert_eq!((name.as_str(), &data["channel"], &data["event"]), ("channel:event", &event["audience"], &json!("sale")));
        assert_eq!(data["data"], json!({ "price": 3 }));
    }
    let nonsense = json!({ "audience": "everybody" });
    assert_eq!(post(&gateway, "/v1/events", Some("let-me-in"), &nonsense).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_checks_tell_who_serves_and_whether_to_send_clients() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let health: Value = reqwest::get(gateway.url("/health")).await.unwrap().json().await.unwrap();
    assert_eq!(health, json!({ "status": "ok", "hostname": "gateway-under-test" }));
    for path in ["/livez", "/readyz", "/lbz", "/metrics"] {
        assert_eq!(reqwest::get(gateway.url(path)).await.unwrap().status(), StatusCode::OK, "{path}");
    }
    let _client = gateway.client().await;
    assert_eq!(gateway.figure("mayfly_gateway_sockets"), 1.0);
}

#[tokio::test]
async fn only_pages_of_named_origins_may_read_answers() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--cors-origins", "https://app.example"]).await;
    let ask = async |origin: &str, path: &str| {
        let response = Client::new().get(gateway.url(path)).header(header::ORIGIN, origin).send().await.unwrap();
        response.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(|allowed| allowed.to_str().unwrap().to_owned())
    };
    for path in ["/v1/jobs/17", "/socket.io/?EIO=4&transport=polling"] {
        assert_eq!(ask("https://app.example", path).await.as_deref(), Some("https://app.example"), "{path}");
        assert_eq!(ask("https://evil.example", path).await, None, "{path}");
    }
}
