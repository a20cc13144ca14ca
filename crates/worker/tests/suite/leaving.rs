use std::time::{Duration, Instant};

use shared::EventType::{Cancelled, Retrying, Succeeded};

use crate::{
    probe::Act,
    proxy::Proxy,
    world::{World, owner, settings, text},
};

#[tokio::test]
async fn a_running_job_is_finished_and_the_worker_leaves() {
    let world = World::new().await;
    let worker = world.worker().await;
    let job = world.submit([Act::WaitDeaf]).await;
    world.runs(1).await;
    let open = tokio::spawn({
        let (book, draining) = (world.book.clone(), worker.process.lifecycle.draining().clone());
        async move {
            draining.cancelled().await;
            book.open();
        }
    });
    let took = worker.drain().await;
    open.await.unwrap();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(world.end(job.id).await.event_type, Succeeded);
    assert_eq!(world.book.runs(), 1);
}

#[tokio::test]
async fn a_job_that_takes_too_long_starts_elsewhere_at_once_and_keeps_its_attempts() {
    let world = World::new().await;
    let leaving = world.worker_with(settings(), Duration::from_secs(3), world.address).await;
    let job = world.submit([Act::Retry, Act::WaitDeaf]).await;
    world.runs(2).await;
    let took = leaving.drain().await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    let left = Instant::now();
    let _next = world.worker().await;
    world.runs(3).await;
    assert!(left.elapsed() < Duration::from_secs(2), "{:?}", left.elapsed());
    world.book.open();
    let end = world.end(job.id).await;
    assert_eq!((end.event_type, end.attempt), (Succeeded, 2), "a hand-back is not an attempt");
    let said = world.said(job.id);
    assert_eq!(said.last().unwrap().event_type, Succeeded, "numbers grow: {said:?}");
}

#[tokio::test]
async fn a_job_that_is_cancelled_late_in_a_drain_keeps_nobody_from_leaving_in_time_and_ends_as_cancelled() {
    let world = World::new().await;
    // Its handler may dawdle for longer than there is.
    let settings = worker::WorkerSettings { worker_cancel_grace: Duration::from_secs(60), ..settings() };
    let leaving = world.worker_with(settings, Duration::from_secs(3), world.address).await;
    let job = world.submit([Act::WaitDeaf]).await;
    world.runs(1).await;
    leaving.process.lifecycle.begin_drain();
    world.cancel(&job, [owner()]).await;
    let took = leaving.drain().await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(world.end(job.id).await.event_type, Cancelled);
    assert_eq!(world.bus.abandoned(Duration::ZERO).await.unwrap(), [], "nothing is left behind");
}

#[tokio::test]
async fn what_has_not_started_is_handed_back_at_once() {
    let world = World::new().await;
    let settings = worker::WorkerSettings { worker_concurrency: Some("1".parse().unwrap()), ..settings() };
    let leaving = world.worker_with(settings, Duration::from_secs(12), world.address).await;
    let running = world.submit([Act::WaitDeaf]).await;
    world.runs(1).await;
    let queued = world.submit([Act::Succeed]).await;
    let _next = world.worker().await;
    leaving.process.lifecycle.begin_drain();
    let began = Instant::now();
    assert_eq!(world.end(queued.id).await.event_type, Succeeded);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    world.book.open();
    leaving.drain().await;
    assert_eq!(world.end(running.id).await.event_type, Succeeded);
}

#[tokio::test]
async fn a_job_that_rests_is_handed_back_at_once_and_rests_on_elsewhere() {
    let world = World::new().await;
    let leaving = world.worker().await;
    let job = world.submit([Act::RetryAfter(4_000), Act::Succeed]).await;
    let retrying = world.event(job.id, Retrying).await;
    let took = leaving.drain().await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    let _next = world.worker().await;
    let end = world.end(job.id).await;
    assert_eq!((text(&end).as_str(), end.attempt), ("attempt 2", 2));
    let rested = end.at.duration_since(retrying.at);
    assert!(rested.as_millis() >= 2_500, "{rested}");
    assert!(end.seq > retrying.seq);
}

#[tokio::test]
async fn an_idle_worker_leaves_within_a_second() {
    let world = World::new().await;
    let worker = world.worker().await;
    let job = world.submit([Act::Succeed]).await;
    world.end(job.id).await;
    let took = worker.drain().await;
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_worker_leaves_in_time_though_pubsub_is_away_and_its_job_starts_elsewhere() {
    let world = World::new().await;
    let network = Proxy::before(world.address).await;
    let worker = world.worker_with(settings(), Duration::from_secs(3), network.address).await;
    let job = world.submit([Act::WaitDeaf]).await;
    world.runs(1).await;
    network.cut();
    let took = worker.drain().await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    let _next = world.worker().await;
    world.clock.advance(Duration::from_secs(15));
    world.runs(2).await;
    world.book.open();
    assert_eq!(world.end(job.id).await.event_type, Succeeded);
}
