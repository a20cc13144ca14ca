//! The page and the client bundle.

use std::path::PathBuf;

use reqwest::{Client, StatusCode, header};

use crate::support::Installation;

fn bundle() -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("socket.io-client");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("socket.io.min.js"), "/* the minified client */").unwrap();
    std::fs::write(directory.join("socket.io.js.map"), "{}").unwrap();
    directory
}

#[tokio::test]
async fn the_page_comes_with_a_policy_that_lets_only_its_own_scripts_run() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--socketio-client-dir", bundle().to_str().unwrap()]).await;
    let response = reqwest::get(gateway.url("/")).await.unwrap();
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(response.headers()[header::REFERRER_POLICY], "no-referrer");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    let html = response.text().await.unwrap();
    assert!(html.contains(r#"<script src="/socket.io/socket.io.min.js"></script>"#));
    let style = reqwest::get(gateway.url("/page/style.css")).await.unwrap();
    assert_eq!(style.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
    assert_eq!(reqwest::get(gateway.url("/page/../Cargo.toml")).await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(reqwest::get(gateway.url("/page/%2e%2e/Cargo.toml")).await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_a_bundle_the_page_takes_the_client_from_a_cdn_with_an_integrity_hash() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let response = reqwest::get(gateway.url("/")).await.unwrap();
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    let html = response.text().await.unwrap();
    let cdn: serde_json::Value = serde_json::from_str(include_str!("../../page/client-cdn.json")).unwrap();
    let (url, integrity) = (cdn["url"].as_str().unwrap(), cdn["integrity"].as_str().unwrap());
    assert!(html.contains(&format!(r#"<script src="{url}" integrity="{integrity}" crossorigin="anonymous"></script>"#)));
    assert!(policy.contains(&format!("script-src 'self' {url};")), "{policy}");
    assert_eq!(reqwest::get(gateway.url("/socket.io/socket.io.js")).await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_browser_that_has_a_file_is_not_sent_it_again() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--socketio-client-dir", bundle().to_str().unwrap()]).await;
    for path in ["/", "/page/style.css", "/socket.io/socket.io.min.js", "/socket.io/socket.io.js.map"] {
        let first = reqwest::get(gateway.url(path)).await.unwrap();
        assert_eq!(first.status(), StatusCode::OK, "{path}");
        let etag = first.headers()[header::ETAG].clone();
        let again = Client::new().get(gateway.url(path)).header(header::IF_NONE_MATCH, etag).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(again.bytes().await.unwrap().len(), 0);
    }
}
