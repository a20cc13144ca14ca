//! Coming back, to the same gateway or another.

use serde_json::json;
use shared::{EventType, JobId};

use crate::support::{FakeWorker, Heard, Installation, eventually};

#[tokio::test]
async fn what_was_missed_follows_on_any_gateway() {
    let installation = Installation::start().await;
    let (here, there) = (installation.gateway(&[]).await, installation.gateway(&[]).await);
    let mut worker = installation.worker().await;
    let mut client = here.client().await;
    let id = client.submit(json!("slow")).await;
    let job = worker.job().await;
    worker.say(&job, EventType::Started, 0, None).await;
    let seen = client.job_event(&id, "started").await["seq"].clone();
    let token = client.session_token().to_owned();
    drop(client);
    worker.say(&job, EventType::Progress, 1, FakeWorker::data(json!({ "progress": 0.5 }))).await;
    worker.say(&job, EventType::Succeeded, 2, Some(job.payload.clone())).await;

    for gateway in [&there, &here] {
        // The gateways hear of it in their own time; what comes later comes by itself.
        let mut back = gateway.client_as(json!({ "session": token })).await.unwrap();
        let ack = back.ask("job:resume", json!({ "jobs": [{ "id": id, "seq": seen }] })).await;
        assert_eq!(ack["jobs"][0]["recovered"], true);
        assert_eq!(back.job_event(&id, "succeeded").await["data"], "slow");
        let end = back.job_event(&id, "succeeded").await["seq"].clone();
        let ack = back.ask("job:resume", json!({ "jobs": [{ "id": id, "seq": end }] })).await;
        assert_eq!(ack["jobs"][0], json!({ "id": id, "state": "succeeded", "recovered": true }));
        back.catch_up().await;
        assert_eq!(back.types_of(&id).iter().filter(|of| *of == "succeeded").count(), 1);
    }
}

#[tokio::test]
async fn a_gateway_that_began_later_knows_what_happened_before() {
    let installation = Installation::start().await;
    let here = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut client = here.client().await;
    let id = client.submit(json!("early")).await;
    let job = worker.job().await;
    worker.finish(&job).await;
    client.job_event(&id, "succeeded").await;

    let there = installation.gateway(&[]).await;
    let mut back = there.client_again(&client).await;
    assert_eq!(back.welcome().await["status"]["history"], "warm");
    let ack = back.ask("job:resume", json!({ "jobs": [{ "id": id, "seq": 0 }] })).await;
    assert_eq!(ack["jobs"][0], json!({ "id": id, "state": "succeeded", "recovered": true }));
    assert_eq!(back.job_event(&id, "succeeded").await["data"], "early");
    assert_eq!(back.ask("job:get", json!({ "id": id })).await["job"]["data"], "early");
    back.catch_up().await;
    assert_eq!(back.types_of(&id), ["succeeded"]);
}

#[tokio::test]
async fn what_nobody_remembers_is_said_to_be_lost() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut client = gateway.client().await;
    let id = JobId::new();
    let ack = client.ask("job:resume", json!({ "jobs": [{ "id": id, "seq": 7 }] })).await;
    assert_eq!(ack, json!({ "ok": true, "jobs": [{ "id": id, "state": null, "recovered": false }] }));
}

#[tokio::test]
async fn what_was_pushed_out_of_the_history_is_said_to_be_lost() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--history-bytes", "100000"]).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let id = client.submit(json!("x".repeat(30_000))).await;
        let job = worker.job_of(&id).await;
        worker.finish(&job).await;
        client.job_event(&id, "succeeded").await;
        ids.push(id);
    }
    let asked: Vec<_> = ids.iter().map(|id| json!({ "id": id, "seq": 0 })).collect();
    let mut back = gateway.client_again(&client).await;
    let ack = back.ask("job:resume", json!({ "jobs": asked })).await;
    let recovered: Vec<_> = ack["jobs"].as_array().unwrap().iter().map(|job| job["recovered"] == true).collect();
    assert_eq!(recovered, [false, false, true, true, true]);
    eventually("it is counted", async || gateway.figure("mayfly_gateway_history_evicted_total") == 2.0).await;
    for id in &ids[2..] {
        back.job_event(id, "succeeded").await;
    }
}

#[tokio::test]
async fn what_is_too_old_is_said_to_be_lost() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&["--history-age", "1"]).await;
    let mut client = gateway.client().await;
    let id = client.submit(json!(1)).await;
    let resume = json!({ "jobs": [{ "id": id, "seq": 0 }] });
    assert_eq!(client.ask("job:resume", resume.clone()).await["jobs"][0]["recovered"], true);
    eventually("it is forgotten", async || client.ask("job:resume", resume.clone()).await["jobs"][0]["recovered"] == false).await;
}

#[tokio::test]
async fn a_notification_is_for_those_who_are_there() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut before = gateway.client().await;
    let session = before.welcome().await["session"]["id"].as_str().unwrap().to_owned();
    let again = json!({ "session": before.session_token() });
    drop(before);
    eventually("nobody is there", async || gateway.figure("mayfly_gateway_sockets") == 0.0).await;
    installation.flood_to(&format!("session:{session}"), 1, 10).await;
    eventually("it has come and gone", async || gateway.figure("mayfly_gateway_notifications_total") == 1.0).await;
    let mut back = gateway.client_as(again).await.unwrap();
    back.catch_up().await;
    assert!(back.heard.iter().all(|heard| !matches!(heard, Heard::Event { name, .. } if name == "channel:event")));
}
