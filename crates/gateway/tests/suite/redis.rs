//! What a Redis adds, and that its end takes nothing else along.

use cache::Published;
use serde_json::json;
use shared::{Audience, EventType, JobEvent, JobId, Payload, Timestamp};

use crate::support::{Client, FakeWorker, Heard, Installation, Redis, eventually};

async fn own_event(client: &mut Client, event_type: EventType, seq: u64) -> JobEvent {
    let session = client.welcome().await["session"]["id"].as_str().unwrap().parse().unwrap();
    JobEvent {
        job_id: JobId::new(),
        kind: "echo".parse().unwrap(),
        audience: Audience::Session(session),
        seq,
        attempt: 1,
        event_type,
        at: Timestamp::now(),
        data: Some(Payload::encode(&"from Redis").unwrap()),
        error: None,
    }
}

#[tokio::test]
async fn perishable_events_come_by_redis() {
    let (installation, redis) = (Installation::start().await, Redis::start());
    let gateway = redis.gateway(&installation).await;
    let mut client = gateway.client().await;
    assert_eq!(client.welcome().await["status"]["redis"], "up");
    let worker = redis.cache().await;
    let event = own_event(&mut client, EventType::Progress, 7).await;
    // The gateway's subscription may take a moment longer than its commands.
    eventually("progress arrives", async || {
        assert_eq!(worker.publish_event(&event).await, Published::Redis);
        client.catch_up().await;
        client.types_of(&event.job_id.to_string()) == ["progress"]
    })
    .await;
}

#[tokio::test]
async fn what_redis_remembers_is_recovered_and_not_done_twice() {
    let (installation, redis) = (Installation::start().await, Redis::start());
    let gateway = redis.gateway(&installation).await;
    let mut client = gateway.client().await;
    let worker = redis.cache().await;
    let mut ends = Vec::new();
    for _ in 0..3 {
        let event = own_event(&mut client, EventType::Succeeded, 9).await;
        worker.record(&event);
        eventually("it is recorded", async || worker.history(event.job_id, 0).await.is_some_and(|events| events.len() == 1)).await;
        ends.push(event.job_id.to_string());
    }
    let mut stranger = gateway.client().await;
    assert_eq!(stranger.ask("job:get", json!({ "id": ends[0] })).await["error"]["code"], "not_found");
    let ack = client.ask("job:resume", json!({ "jobs": [{ "id": ends[0], "seq": 3 }] })).await;
    assert_eq!(ack["jobs"][0], json!({ "id": ends[0], "state": "succeeded", "recovered": true }));
    assert_eq!(client.job_event(&ends[0], "succeeded").await["data"], "from Redis");
    assert_eq!(client.ask("job:get", json!({ "id": ends[1] })).await["job"]["state"], "succeeded");
    let submit = json!({ "id": ends[2], "kind": "echo", "payload": 1 });
    assert_eq!(stranger.ask("job:submit", submit.clone()).await["error"]["code"], "forbidden");
    assert_eq!(client.ask("job:submit", submit).await["duplicate"], true);
    assert_eq!(client.job_event(&ends[2], "succeeded").await["data"], "from Redis");
    client.catch_up().await;
    assert_eq!(client.types_of(&ends[2]), ["succeeded"]);
}

#[tokio::test]
async fn jobs_go_on_when_redis_goes() {
    let (installation, mut redis) = (Installation::start().await, Redis::start());
    let gateway = redis.gateway(&installation).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let id = client.submit(json!(1)).await;
    let job = worker.job().await;
    redis.kill();
    client.until(|heard| matches!(heard, Heard::Event { name, data, .. } if name == "status" && data["redis"] == "down")).await;
    worker.say(&job, EventType::Progress, 1, FakeWorker::data(json!({ "progress": 0.5 }))).await;
    worker.say(&job, EventType::Succeeded, 2, None).await;
    client.job_event(&id, "succeeded").await;
    assert_eq!(client.types_of(&id), ["progress", "succeeded"]);
    assert_eq!(reqwest::get(gateway.url("/readyz")).await.unwrap().status(), 200);
    installation.worker().await.finish_all();
    client.submit(json!(2)).await;
}
