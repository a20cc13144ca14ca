#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use clap::Parser;
use serde_json::Value;
use tokio::{sync::oneshot, time::timeout};

use super::*;

/// Longest wait for anything; a healthy run needs a fraction.
const DEADLINE: Duration = Duration::from_secs(20);

/// A red pixel.
const PNG: [u8; 69] = [
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 144, 119, 83, 222, 0, 0, 0, 12,
    73, 68, 65, 84, 120, 156, 99, 248, 207, 192, 0, 0, 3, 1, 1, 0, 201, 254, 146, 239, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130,
];

/// Submits over HTTP and asks until the job has ended.
async fn done(url: &str, job: reqwest::RequestBuilder) -> Value {
    let accepted = job.send().await.unwrap();
    let session = accepted.headers()["mayfly-session"].to_str().unwrap().to_owned();
    let accepted: Value = accepted.json().await.unwrap();
    let job = format!("{url}/v1/jobs/{}", accepted["id"].as_str().unwrap());
    loop {
        let answer: Value = reqwest::Client::new().get(&job).bearer_auth(&session).send().await.unwrap().json().await.unwrap();
        if !matches!(answer["job"]["state"].as_str(), Some("queued" | "running")) {
            return answer["job"].clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_system_does_its_jobs_in_one_process_on_free_ports() {
    let settings = Settings::parse_from(["mayfly", "--port", "0", "--pubsub-emulator-listen", "127.0.0.1:0"]);
    let process = Process::new(&settings.service);
    let lifecycle = process.lifecycle.clone();
    let (ready, running) = oneshot::channel();
    let system = tokio::spawn(run(settings, process, |running| ready.send(running).unwrap()));
    let running = timeout(DEADLINE, running).await.unwrap().unwrap();
    let http = reqwest::Client::new();

    let echo = http.post(format!("{}/v1/jobs", running.url)).header("content-type", "application/json");
    let echo = timeout(DEADLINE, done(&running.url, echo.body(r#"{"kind":"echo","payload":{"text":"hi"}}"#))).await.unwrap();
    assert_eq!((echo["state"].as_str(), echo["data"]["text"].as_str()), (Some("succeeded"), Some("hi")), "{echo}");

    let picture = http.post(format!("{}/v1/jobs?kind=thumbnail", running.url)).header("content-type", "image/png").body(PNG.to_vec());
    let picture = timeout(DEADLINE, done(&running.url, picture)).await.unwrap();
    assert_eq!(picture["state"], "succeeded", "{picture}");

    lifecycle.begin_drain();
    timeout(lifecycle.budget(), system).await.unwrap().unwrap().unwrap();
}
