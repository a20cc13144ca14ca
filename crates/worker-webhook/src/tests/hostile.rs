//! Receivers that waste time and memory.

use std::time::{Duration, Instant};

use tokio::{io::AsyncWriteExt, net::TcpListener};

use super::{
    delivered, failure, local,
    receiver::{say, speaking},
    to, webhook,
};

/// More than any of these takes, less than a test that hangs.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn silence_ends_at_the_jobs_own_deadline() {
    let url = speaking(|stream| async move {
        let _held = stream;
        std::future::pending().await
    })
    .await;
    let begun = Instant::now();
    let (code, again, message) = failure(webhook(serde_json::json!({"url": url, "body": 1, "timeoutMs": 150})), &local()).await;
    assert_eq!((code.as_str(), again, message.as_str()), ("webhook_unavailable", true, "the receiver did not answer in time"));
    assert!((Duration::from_millis(150)..SOON).contains(&begun.elapsed()));
}

#[tokio::test]
async fn headers_that_drip_in_do_not_extend_it() {
    let url = speaking(|mut stream| async move {
        say(&mut stream, "HTTP/1.1 200 OK\r\n").await?;
        loop {
            say(&mut stream, "x-drop: 1\r\n").await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let begun = Instant::now();
    let (code, again, _) = failure(webhook(serde_json::json!({"url": url, "body": 1, "timeoutMs": 300})), &local()).await;
    assert_eq!((code.as_str(), again), ("webhook_unavailable", true));
    assert!(begun.elapsed() < SOON);
}

#[tokio::test]
async fn an_endless_answer_is_read_no_further_than_its_beginning() {
    let (report, mut hung_up) = tokio::sync::mpsc::channel(1);
    let url = speaking(move |mut stream| {
        let report = report.clone();
        async move {
            say(&mut stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await?;
            let mut sent = 0_usize;
            while stream.write_all(&[b'x'; 65_536]).await.is_ok() {
                sent += 65_536;
            }
            report.send(sent).await.map_err(std::io::Error::other)
        }
    })
    .await;
    let done = delivered(to(&url), &local()).await;
    assert_eq!(done.response_preview.map(|text| text.len()), Some(4096));
    let sent = tokio::time::timeout(SOON, hung_up.recv()).await.unwrap().unwrap();
    assert!(sent < 32 << 20, "{sent} bytes went into the sockets' buffers before the connection was closed");
}

#[tokio::test]
async fn an_answer_that_drips_in_counts_as_an_answer() {
    let url = speaking(|mut stream| async move {
        say(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nthanks").await?;
        loop {
            say(&mut stream, ".").await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let begun = Instant::now();
    let done = delivered(webhook(serde_json::json!({"url": url, "body": 1, "timeoutMs": 500})), &local()).await;
    assert!(done.response_preview.unwrap().starts_with("thanks"));
    assert!(begun.elapsed() < SOON);
}

#[tokio::test]
async fn a_broken_connection_is_tried_again() {
    let hangs_up = speaking(|_| async { Ok(()) }).await;
    let talks_nonsense = speaking(|mut stream| async move { say(&mut stream, "SSH-2.0-OpenSSH_9\r\n").await }).await;
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    for url in [hangs_up, talks_nonsense, nobody] {
        let (code, again, message) = failure(to(&url), &local()).await;
        assert_eq!((code.as_str(), again), ("webhook_unavailable", true), "{message}");
        assert!(!message.contains("127.0.0.1"), "{message}");
    }
}
