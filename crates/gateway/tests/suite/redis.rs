//! What a Redis adds, and that its end takes nothing else along.

use cache::{Claim, Published};
use serde_json::{Value, json};
use shared::{Audience, Cancellation, EventType, JobEvent, JobId, Payload, Timestamp, seq::seq};

use crate::support::{Client, DEADLINE, FakeWorker, Heard, Installation, Redis, eventually};

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
async fn a_job_that_waits_is_known_at_every_gateway() {
    let (installation, redis) = (Installation::start().await, Redis::start());
    let (here, there) = (redis.gateway(&installation).await, redis.gateway(&installation).await);
    let mut worker = installation.worker().await;
    let mut client = here.client().await;
    let id = client.submit(json!("waits")).await;

    let url = there.url(&format!("/v1/jobs/{id}"));
    let found = async || reqwest::Client::new().get(&url).bearer_auth(client.session_token()).send().await.unwrap();
    eventually("it is found", async || found().await.status() == 200).await;
    assert_eq!(found().await.json::<Value>().await.unwrap()["job"]["state"], "queued");
    let mut back = there.client_again(&client).await;
    let view = back.ask("job:get", json!({ "id": id })).await["job"].clone();
    assert_eq!((&view["state"], &view["kind"], &view["seq"]), (&json!("queued"), &json!("echo"), &json!(0)));
    // That gateway has heard of everything since long before the job was submitted.
    let ack = back.ask("job:resume", json!({ "jobs": [{ "id": id, "seq": 0 }] })).await;
    assert_eq!(ack["jobs"][0], json!({ "id": id, "state": "queued", "recovered": true }));
    let mut stranger = there.client().await;
    assert_eq!(stranger.ask("job:get", json!({ "id": id })).await["error"]["code"], "not_found");

    let job = worker.job_of(&id).await;
    worker.finish(&job).await;
    for client in [&mut client, &mut back] {
        assert_eq!(client.job_event(&id, "succeeded").await["data"], "waits");
    }
}

#[tokio::test]
async fn a_job_that_waits_is_not_queued_again_by_another_gateway() {
    let (installation, redis) = (Installation::start().await, Redis::start());
    let (here, there) = (redis.gateway(&installation).await, redis.gateway(&installation).await);
    let mut worker = installation.worker().await;
    let mut client = here.client().await;
    let id = client.submit(json!("waits")).await;
    let records = redis.cache().await;
    let job = worker.job_of(&id).await;
    eventually("it is recorded", async || records.story(job.id).await.is_some_and(|story| story.submitted.is_some())).await;

    let submit = json!({ "id": id, "kind": "echo", "payload": "waits" });
    assert_eq!(there.client().await.ask("job:submit", submit.clone()).await["error"]["code"], "forbidden");
    let mut back = there.client_again(&client).await;
    assert_eq!(back.ask("job:submit", submit).await["duplicate"], true);
    worker.finish(&job).await;
    back.job_event(&id, "succeeded").await;
    let later = back.submit(json!("later")).await;
    worker.job_of(&later).await;
}

#[tokio::test]
async fn an_end_that_only_redis_has_is_found_when_a_gateway_has_lost_track() {
    let (mut installation, redis) = (Installation::start().await, Redis::start());
    let gateway = redis.gateway(&installation).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let id = client.submit(json!(1)).await;
    let job = worker.job_of(&id).await;
    worker.say(&job, EventType::Started, 0, None).await;
    client.job_event(&id, "started").await;
    installation.stop_pubsub().await;
    client.until(|heard| matches!(heard, Heard::Event { name, data, .. } if name == "status" && data["pubsub"] == "down")).await;
    installation.start_pubsub().await;
    let resume = json!({ "jobs": [{ "id": id, "seq": 0 }] });
    eventually("it is noticed", async || client.ask("job:resume", resume.clone()).await["jobs"][0]["recovered"] == false).await;

    let records = redis.cache().await;
    records.record(&FakeWorker::event(&job, EventType::Succeeded, seq(1, 5), FakeWorker::data(json!("from Redis"))));
    eventually("it is recorded", async || records.history(job.id, 0).await.is_some_and(|events| !events.is_empty())).await;
    let ack = client.ask("job:resume", resume).await;
    assert_eq!(ack["jobs"][0], json!({ "id": id, "state": "succeeded", "recovered": true }));
    assert_eq!(client.job_event(&id, "succeeded").await["data"], "from Redis");
}

#[tokio::test]
async fn a_cancellation_is_remembered_for_workers_that_start_much_later() {
    let (installation, redis) = (Installation::start().await, Redis::start());
    let gateway = redis.gateway(&installation).await;
    let mut client = gateway.client().await;
    let session = client.welcome().await["session"]["id"].as_str().unwrap().parse().unwrap();
    let id = client.submit(json!(1)).await;
    assert_eq!(client.ask("job:cancel", json!({ "id": id })).await, json!({ "ok": true }));
    let cancellation = Cancellation { job_id: id.parse().unwrap(), audiences: vec![Audience::Session(session)] };
    let claim = redis.cache().await.claim(cancellation.job_id, "worker", DEADLINE).await;
    assert_eq!(claim, Claim::Cancelled(vec![cancellation]));
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
