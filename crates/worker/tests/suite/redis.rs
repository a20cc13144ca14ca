//! What a Redis adds.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use cache::{Cache, CacheSettings};
use service::State;
use shared::{
    Audience, Cancellation, EventMessage,
    EventType::{Cancelled, Progress, Succeeded},
    Trial,
};

use crate::{
    probe::Act,
    suspects::die_of_it,
    twice::died_before_the_ack,
    world::{TestWorker, World, job, kind, owner, process, soon, until},
};

struct Redis {
    port: u16,
    server: Child,
}

impl Redis {
    fn started() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let server = command.stdout(Stdio::null()).spawn().expect("redis-server is installed (apt-get install redis-server)");
        Self { port, server }
    }

    async fn cache(&self) -> Cache {
        let settings = CacheSettings {
            redis_url: None,
            redis_host: Some("127.0.0.1".into()),
            redis_port: self.port,
            redis_prefix: "test:".into(),
            // Far beyond what it takes, so that a busy machine does not look like an outage.
            redis_deadline: Duration::from_secs(2),
            redis_history: Duration::from_secs(60),
        };
        let cache = Cache::connect(&settings, &process(Duration::from_secs(12))).unwrap();
        until("Redis to be up", || cache.state() == State::Up).await;
        cache
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[tokio::test]
async fn progress_goes_by_redis_and_costs_pubsub_nothing() {
    let (world, redis) = (World::new().await, Redis::started());
    let cache = redis.cache().await;
    let mut hints = cache.events();
    let _worker = world.worker_with_cache(redis.cache().await).await;
    let (job, took) = loop {
        let began = std::time::Instant::now();
        // Until the listener listens, which nobody is told.
        let job = world.submit([Act::Chatter(60)]).await;
        world.end(job.id).await;
        let Ok(EventMessage::Job(first)) = tokio::time::timeout(Duration::from_millis(100), hints.next()).await else { continue };
        if first.job_id == job.id {
            break (job, began.elapsed());
        }
    };
    let mut heard = Vec::new();
    while let Ok(EventMessage::Job(hint)) = tokio::time::timeout(Duration::from_millis(100), hints.next()).await {
        heard.push(hint);
    }
    let progress = heard.iter().filter(|hint| hint.event_type == Progress).count();
    let most = took.as_secs_f64() * 20.0 + 1.0;
    assert!(progress >= 3 && progress as f64 <= most, "{progress} in {took:?}, at most 20 a second");
    assert!(heard.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert_eq!(world.said(job.id).iter().map(|event| event.event_type).collect::<Vec<_>>(), [Succeeded]);
}

#[tokio::test]
async fn two_workers_do_not_run_the_same_job_and_its_end_is_the_same_from_both() {
    let (world, redis) = (World::new().await, Redis::started());
    let workers = [world.worker_with_cache(redis.cache().await).await, world.worker_with_cache(redis.cache().await).await];
    let job = world.submit([Act::WaitDeaf]).await;
    world.runs(1).await;
    for _ in 0..6 {
        world.send(&job).await;
    }
    world.book.open();
    let end = world.end(job.id).await;
    // The other worker waits for the claim to end, by which time the history knows.
    until("the other six to be found out", || workers.iter().map(duplicates).sum::<u32>() == 6).await;
    let ends = world.ends_after_another_job().await;
    assert!(ends.iter().all(|other| *other == end), "{ends:?}");
    assert_eq!(world.book.runs(), 2, "the job, and the one that shows that nothing is left");
}

fn duplicates(worker: &TestWorker) -> u32 {
    let count = r#"mayfly_worker_incidents_total{kind="probe",incident="duplicate"} "#;
    let figures = worker.process.metrics.encode();
    figures.lines().find_map(|line| line.strip_prefix(count)?.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn a_job_that_had_ended_when_its_worker_died_is_not_run_again_and_its_end_is_the_same() {
    let (world, redis) = (World::new().await, Redis::started());
    let job = job([Act::Return("again".into())]);
    let first = died_before_the_ack(&world, &job).await;
    // As a gateway does, or a worker before it dies.
    let cache = redis.cache().await;
    cache.record(&first);
    soon("the history", async {
        while cache.history(job.id, 0).await.is_none_or(|known| known.is_empty()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let _worker = world.worker_with_cache(redis.cache().await).await;
    until("the end, again", || world.said(job.id).len() == 2).await;
    assert!(world.said(job.id).iter().all(|event| *event == first));
    assert_eq!(world.book.runs(), 0);
}

#[tokio::test]
async fn a_job_that_was_cancelled_longer_ago_than_the_control_topic_keeps_does_not_run() {
    let (world, redis) = (World::new().await, Redis::started());
    let cache = redis.cache().await;
    let (cancelled, other) = (world.submit([Act::Succeed]).await, world.submit([Act::Succeed]).await);
    for (job, audience) in [(&cancelled, owner()), (&other, Audience::User("stranger".into()))] {
        cache.record_cancellation(&Cancellation { job_id: job.id, audiences: vec![audience] }).await;
    }
    let _worker = world.worker_with_cache(cache).await;
    assert_eq!(world.end(cancelled.id).await.event_type, Cancelled);
    assert_eq!(world.end(other.id).await.event_type, Succeeded, "a stranger's wish is ignored");
    assert_eq!(world.book.runs(), 1);
}

#[tokio::test]
async fn what_redis_remembers_of_a_job_is_enough_to_put_it_aside() {
    let (world, redis) = (World::new().await, Redis::started());
    let (message, cache) = (job([Act::Succeed]).to_message().into(), redis.cache().await);
    let message_id = world.bus.publish(&world.bus.names().jobs(&kind()), message).await.unwrap();
    // Two workers tried it and are gone; the control topic, which keeps ten minutes, has forgotten.
    for (worker, alone) in [("gone-1", false), ("gone-2", true)] {
        cache.record_trial(&Trial { kind: kind(), message_id: message_id.clone(), worker: worker.into(), alone }).await;
    }
    die_of_it(&world).await;

    let _worker = world.worker_with_cache(cache).await;
    assert_eq!(world.dead_letter().await.attributes["dead-letter-reason"], "its worker died 3 times while running it");
    assert_eq!(world.book.runs(), 0);
}
