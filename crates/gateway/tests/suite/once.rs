//! Whichever way an event comes, and however often, each client is told of it once.

use serde_json::{Value, json};
use shared::{EventType, JobEvent, JobId, JobMessage, seq::seq};

use crate::support::{Client, FakeWorker, Installation, Redis, Serving, eventually};

/// Hears everything that was sent so far: a later job comes back after all of it.
async fn settle(client: &mut Client, worker: &mut FakeWorker) {
    let id = client.submit(json!("later")).await;
    let job = worker.job_of(&id).await;
    worker.finish(&job).await;
    client.job_event(&id, "succeeded").await;
    client.catch_up().await;
}

fn ends(client: &Client, id: &str) -> usize {
    client.job_events(id).filter(|event| event["type"] == "succeeded" || event["type"] == "failed").count()
}

fn submit_of(id: JobId) -> Value {
    json!({ "id": id, "kind": "echo", "payload": "once" })
}

async fn job_of(gateway: &Serving, client: &mut Client, worker: &mut FakeWorker) -> (String, JobMessage) {
    assert!(gateway.process.health.is_ready());
    let id = client.submit(json!(1)).await;
    let job = worker.job_of(&id).await;
    (id, job)
}

fn end_of(job: &JobMessage, step: u32) -> JobEvent {
    FakeWorker::event(job, EventType::Succeeded, seq(1, step), job.payload.clone().into())
}

/// A job of a client at one gateway, the end of which only Redis knows, and two sockets of that client at another gateway.
async fn recorded(installation: &Installation, redis: &Redis) -> (FakeWorker, JobEvent, [Client; 2]) {
    let (here, there) = (installation.gateway(&[]).await, redis.gateway(installation).await);
    let mut worker = installation.worker().await;
    let mut submitter = here.client().await;
    let (_, job) = job_of(&here, &mut submitter, &mut worker).await;
    let (records, end) = (redis.cache().await, end_of(&job, 4));
    records.record(&end);
    eventually("it is recorded", async || records.history(job.id, 0).await.is_some_and(|events| !events.is_empty())).await;
    (worker, end, [there.client_again(&submitter).await, there.client_again(&submitter).await])
}

#[tokio::test]
async fn an_end_found_in_redis_just_before_it_arrives_is_told_once() {
    let (installation, redis) = (Installation::start().await, Redis::start());
    let (mut worker, end, [mut asking, mut listening]) = recorded(&installation, &redis).await;
    let id = end.job_id.to_string();
    let ack = asking.ask("job:resume", json!({ "jobs": [{ "id": id, "seq": 0 }] })).await;
    assert_eq!(ack["jobs"][0], json!({ "id": id, "state": "succeeded", "recovered": true }));
    asking.job_event(&id, "succeeded").await;
    assert_eq!(ends(&listening, &id), 0);
    worker.publish(end).await;

    for client in [&mut listening, &mut asking] {
        client.job_event(&id, "succeeded").await;
        settle(client, &mut worker).await;
        assert_eq!(ends(client, &id), 1);
    }
}

#[tokio::test]
async fn an_end_found_in_redis_by_a_repeated_submit_is_told_to_the_submitter_only() {
    let (installation, redis) = (Installation::start().await, Redis::start());
    let (mut worker, end, [mut asking, mut other]) = recorded(&installation, &redis).await;
    let id = end.job_id.to_string();
    assert_eq!(asking.ask("job:submit", submit_of(end.job_id)).await["duplicate"], true);
    asking.job_event(&id, "succeeded").await;
    settle(&mut other, &mut worker).await;
    assert_eq!((ends(&asking, &id), ends(&other, &id)), (1, 0));
}

#[tokio::test]
async fn what_came_while_a_resume_was_on_its_way_is_not_told_again() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let (id, job) = job_of(&gateway, &mut client, &mut worker).await;
    worker.finish(&job).await;
    client.job_event(&id, "succeeded").await;
    let ack = client.ask("job:resume", json!({ "jobs": [{ "id": id, "seq": 0 }] })).await;
    assert_eq!(ack["jobs"][0], json!({ "id": id, "state": "succeeded", "recovered": true }));
    client.catch_up().await;
    assert_eq!(ends(&client, &id), 1);
}

#[tokio::test]
async fn a_job_submitted_from_two_sockets_ends_once_for_each_in_any_order() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut first = gateway.client().await;
    let mut second = gateway.client_again(&first).await;
    let (id, other) = (JobId::new(), JobId::new());

    // Both before the end,
    let (one, two) = (first.send("job:submit", submit_of(id)).await, second.send("job:submit", submit_of(id)).await);
    let (one, two) = (first.ack(one).await, second.ack(two).await);
    assert_eq!([&one, &two].iter().filter(|ack| ack["duplicate"] == true).count(), 1, "{one} {two}");
    // or one of them after it,
    assert_eq!(first.ask("job:submit", submit_of(other)).await["ok"], true);
    for id in [id, other] {
        let job = worker.job_of(&id.to_string()).await;
        worker.finish(&job).await;
        second.job_event(&id.to_string(), "succeeded").await;
    }
    assert_eq!(second.ask("job:submit", submit_of(other)).await["duplicate"], true);
    // or with a socket that was not there before.
    let mut late = gateway.client_again(&first).await;
    assert_eq!(late.ask("job:submit", submit_of(other)).await["duplicate"], true);
    late.job_event(&other.to_string(), "succeeded").await;

    settle(&mut late, &mut worker).await;
    assert_eq!(ends(&late, &other.to_string()), 1);
    for client in [&mut first, &mut second] {
        settle(client, &mut worker).await;
        for id in [id, other] {
            assert_eq!(ends(client, &id.to_string()), 1);
        }
    }
}

#[tokio::test]
async fn a_job_submitted_at_two_gateways_ends_once_for_each_client_though_it_ran_twice() {
    let installation = Installation::start().await;
    let (here, there) = (installation.gateway(&[]).await, installation.gateway(&[]).await);
    let mut worker = installation.worker().await;
    let mut first = here.client().await;
    let mut second = there.client_again(&first).await;
    let id = JobId::new();
    let (one, two) = (first.send("job:submit", submit_of(id)).await, second.send("job:submit", submit_of(id)).await);
    assert_eq!((first.ack(one).await["ok"].clone(), second.ack(two).await["ok"].clone()), (json!(true), json!(true)));
    // Neither gateway could know of the other's, so two workers have the job.
    let (job, again) = (worker.job().await, worker.job().await);
    assert_eq!((job.id, again.id), (id, id));
    worker.say(&job, EventType::Started, 0, None).await;
    worker.say(&again, EventType::Started, 0, None).await;
    worker.say(&again, EventType::Succeeded, 3, Some(again.payload.clone())).await;
    worker.say(&job, EventType::Succeeded, 2, Some(job.payload.clone())).await;
    for client in [&mut first, &mut second] {
        client.job_event(&id.to_string(), "succeeded").await;
        settle(client, &mut worker).await;
        assert_eq!(ends(client, &id.to_string()), 1);
    }
}

#[tokio::test]
async fn events_out_of_order_never_go_back_and_never_follow_the_end() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let mut client = gateway.client().await;
    let (id, job) = job_of(&gateway, &mut client, &mut worker).await;
    let first_run = [(EventType::Progress, 3), (EventType::Started, 0), (EventType::Progress, 2), (EventType::Progress, 3)];
    for (event_type, step) in first_run {
        worker.say(&job, event_type, step, None).await;
    }
    client.job_event(&id, "progress").await;
    // A second delivery has begun when the first one's end comes: it counts, and nothing after it does.
    worker.publish(FakeWorker::event(&job, EventType::Started, seq(2, 0), None)).await;
    client.job_event(&id, "started").await;
    worker.publish(end_of(&job, 9)).await;
    client.job_event(&id, "succeeded").await;
    worker.publish(FakeWorker::event(&job, EventType::Progress, seq(2, 1), None)).await;
    worker.publish(FakeWorker::event(&job, EventType::Failed, seq(2, 2), None)).await;
    settle(&mut client, &mut worker).await;

    let seqs: Vec<_> = client.job_events(&id).map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(seqs.is_sorted_by(|earlier, later| earlier < later), "{seqs:?}");
    assert_eq!((ends(&client, &id), client.types_of(&id).last().unwrap().as_str()), (1, "succeeded"));
}

/// A job that ended at one gateway, and a second gateway that has forgotten it, where Pub/Sub will deliver its end once more.
async fn ended_elsewhere(installation: &Installation) -> (Serving, FakeWorker, Client, String) {
    let (here, there) = (installation.gateway(&[]).await, installation.gateway(&["--history-age", "1"]).await);
    let mut worker = installation.worker().await;
    let mut client = here.client().await;
    let (id, job) = job_of(&here, &mut client, &mut worker).await;
    worker.finish(&job).await;
    client.job_event(&id, "succeeded").await;
    let delivered = r#"mayfly_gateway_events_total{type="succeeded",outcome="delivered"}"#;
    eventually("the other gateway hears of it", async || there.figure(delivered) == 1.0).await;
    for (what, jobs) in [("and remembers it", 1.0), ("and forgets it", 0.0)] {
        eventually(what, async || there.figure("mayfly_gateway_history_jobs") == jobs).await;
    }
    (there, worker, client, id)
}

#[tokio::test]
async fn an_end_that_reaches_a_gateway_late_is_not_told_to_who_came_after_it() {
    let installation = Installation::start().await;
    let (there, mut worker, client, id) = ended_elsewhere(&installation).await;
    let mut moved = there.client_again(&client).await;
    installation.deliver_again(&there).await;
    settle(&mut moved, &mut worker).await;
    assert_eq!(ends(&moved, &id), 0, "it was told at the gateway it came from, or would ask");
}

#[tokio::test]
async fn an_end_that_reaches_a_gateway_late_is_told_to_who_asked_for_it() {
    let installation = Installation::start().await;
    let (there, mut worker, client, id) = ended_elsewhere(&installation).await;
    let mut moved = there.client_again(&client).await;
    let ack = moved.ask("job:resume", json!({ "jobs": [{ "id": id, "seq": 0 }] })).await;
    assert_eq!(ack["jobs"][0]["recovered"], false);
    installation.deliver_again(&there).await;
    moved.job_event(&id, "succeeded").await;
    settle(&mut moved, &mut worker).await;
    assert_eq!(ends(&moved, &id), 1);
}
