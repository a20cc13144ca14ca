//! Addresses that are nobody's business.

use std::{collections::HashMap, io, net::IpAddr, sync::Arc};

use axum::http::{HeaderName, StatusCode, header::LOCATION};
use futures::future::BoxFuture;

use super::{delivered, failure, ip, limited_to, local, receiver::Receiver, settings, to, webhook};
use crate::{Sender, WebhookSettings, dns::Lookup};

fn redirect(status: StatusCode, to: &str) -> (StatusCode, [(HeaderName, String); 1]) {
    (status, [(LOCATION, to.to_owned())])
}

/// Names and what they stand for.
struct Names(HashMap<&'static str, IpAddr>);

impl Lookup for Names {
    fn lookup(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let found = self.0.get(host.as_str()).map(|address| vec![*address]).ok_or_else(|| io::Error::other("no such name"));
        Box::pin(async { found })
    }
}

#[tokio::test]
async fn loopback_is_refused_by_number_and_by_name() {
    let receiver = Receiver::answering([StatusCode::OK]).await;
    let sender = Sender::new(&settings()).unwrap();
    let port = receiver.address.port();
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "0x7f000001", "127.1"] {
        let (code, again, message) = failure(to(&format!("http://{host}:{port}/")), &sender).await;
        assert_eq!((code.as_str(), again), ("target_refused", false), "{host}: {message}");
        assert!(message.ends_with("is not an address of the public internet"), "{message}");
    }
    assert!(receiver.got().is_empty());
}

#[tokio::test]
async fn a_name_is_what_it_resolves_to() {
    let (good, bad) = (Receiver::at("127.0.0.2", [StatusCode::OK]).await, Receiver::answering([StatusCode::OK]).await);
    let names = Names(HashMap::from([("good.example", ip("127.0.0.2")), ("bad.example", ip("127.0.0.1"))]));
    let sender = Sender::with_lookup(&limited_to(&["127.0.0.2"]), Arc::new(names)).unwrap();
    delivered(to(&format!("http://good.example:{}/", good.address.port())), &sender).await;
    let (code, again, message) = failure(to(&format!("http://bad.example:{}/", bad.address.port())), &sender).await;
    assert_eq!((code.as_str(), again), ("target_refused", false));
    assert_eq!(message, "`bad.example` is not an address of the public internet");
    assert!(bad.got().is_empty());
    // A name may be there tomorrow.
    let (code, again, message) = failure(to("http://unknown.example/"), &sender).await;
    assert_eq!((code.as_str(), again, message.as_str()), ("webhook_unavailable", true, "the receiver cannot be reached: no such name"));
}

#[tokio::test]
async fn a_redirect_leads_nowhere_that_the_url_could_not() {
    let inside = Receiver::answering([StatusCode::OK]).await;
    let port = inside.address.port();
    let sender = Sender::new(&limited_to(&["127.0.0.2"])).unwrap();
    for place in [inside.url(), format!("http://localhost:{port}/"), "http://169.254.169.254/".to_owned(), format!("//127.0.0.1:{port}/")] {
        let first = Receiver::at("127.0.0.2", [redirect(StatusCode::PERMANENT_REDIRECT, &place)]).await;
        let (code, again, _) = failure(to(&first.url()), &sender).await;
        assert_eq!((code.as_str(), again, first.got().len()), ("target_refused", false, 1), "{place}");
    }
    let first = Receiver::at("127.0.0.2", [redirect(StatusCode::TEMPORARY_REDIRECT, "file:///etc/passwd")]).await;
    assert_eq!(failure(to(&first.url()), &sender).await.0, "target_refused");
    assert!(inside.got().is_empty());
}

#[tokio::test]
async fn a_receiver_that_moved_is_followed_with_the_same_webhook_but_not_with_its_password() {
    let second = Receiver::at("127.0.0.3", [StatusCode::OK]).await;
    let first = Receiver::at("127.0.0.2", [redirect(StatusCode::PERMANENT_REDIRECT, &second.url())]).await;
    let sender = Sender::new(&limited_to(&["127.0.0.2/31"])).unwrap();
    let job = serde_json::json!({"url": first.url(), "body": {"n": 1}, "headers": {"authorization": "Bearer x"}});
    delivered(webhook(job), &sender).await;
    let ((first_headers, first_body), (headers, body)) = (first.got()[0].clone(), second.got()[0].clone());
    assert_eq!((first_body, &first_headers["webhook-signature"]), (body, &headers["webhook-signature"]));
    assert!(first_headers.contains_key("authorization") && !headers.contains_key("authorization"));
}

#[tokio::test]
async fn redirects_that_lose_the_body_or_never_end_are_refused() {
    let second = Receiver::answering([StatusCode::OK]).await;
    for status in [StatusCode::MOVED_PERMANENTLY, StatusCode::FOUND, StatusCode::SEE_OTHER] {
        let first = Receiver::answering([redirect(status, &second.url())]).await;
        assert_eq!(failure(to(&first.url()), &local()).await.0, "webhook_refused");
    }
    assert!(second.got().is_empty());
    let circle = Receiver::answering([redirect(StatusCode::TEMPORARY_REDIRECT, "/again")]).await;
    assert_eq!(failure(to(&circle.url()), &local()).await.0, "webhook_refused");
    assert_eq!(circle.got().len(), 4);
    let nowhere = Receiver::answering([StatusCode::TEMPORARY_REDIRECT]).await;
    assert_eq!(failure(to(&nowhere.url()), &local()).await.0, "webhook_refused");
}

#[tokio::test]
async fn plain_http_can_be_forbidden() {
    let receiver = Receiver::answering([StatusCode::OK]).await;
    let sender = Sender::new(&WebhookSettings { webhook_allow_private: true, webhook_https_only: true, ..settings() }).unwrap();
    assert_eq!(failure(to(&receiver.url()), &sender).await.0, "target_refused");
    assert!(receiver.got().is_empty());
}
