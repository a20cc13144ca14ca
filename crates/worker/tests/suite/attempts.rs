use std::time::Duration;

use shared::EventType::{Failed, Retrying, Succeeded};

use crate::{
    probe::Act,
    world::{World, code, job, settings, text},
};

#[tokio::test]
async fn a_job_succeeds_and_its_audience_gets_the_result() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::Return("done".into())]).await;
    let end = world.end(job.id).await;
    assert_eq!((end.event_type, text(&end).as_str(), end.attempt), (Succeeded, "done", 1));
    assert_eq!((end.audience, end.kind), (job.audience, job.kind));
}

#[tokio::test]
async fn an_attempt_that_fails_is_followed_by_another() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::Retry, Act::Panic("oops".into()), Act::Succeed]).await;
    let end = world.end(job.id).await;
    assert_eq!((text(&end).as_str(), end.attempt, world.book.runs()), ("attempt 3", 3, 3));
}

#[tokio::test]
async fn a_handler_decides_when_to_try_again() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::RetryAfter(700), Act::Succeed]).await;
    let retrying = world.event(job.id, Retrying).await;
    assert_eq!(retrying.error.unwrap().retry_after_ms, Some(700));
    let end = world.end(job.id).await;
    let pause = end.at.duration_since(retrying.at);
    assert!(end.seq > retrying.seq && pause.as_millis() >= 300, "{pause}");
}

#[tokio::test]
async fn a_job_that_keeps_failing_ends_with_its_last_error() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::Retry]).await;
    let end = world.end(job.id).await;
    assert_eq!((end.event_type, code(&end).as_str(), end.attempt, world.book.runs()), (Failed, "busy", 3, 3));
}

#[tokio::test]
async fn a_job_that_fails_for_good_is_not_tried_again() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::Fail("no_paper".into()), Act::Succeed]).await;
    let end = world.end(job.id).await;
    assert_eq!((end.event_type, code(&end).as_str(), world.book.runs()), (Failed, "no_paper", 1));
}

#[tokio::test]
async fn a_message_may_ask_for_fewer_attempts_and_less_time() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let mut job = job([Act::Wait]);
    (job.max_attempts, job.timeout) = (Some(1), Some(Duration::from_millis(50)));
    world.send(&job).await;
    let end = world.end(job.id).await;
    assert_eq!((end.event_type, code(&end).as_str(), world.book.runs()), (Failed, "timeout", 1));
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt_not_a_dead_worker() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::Panic("out of paper".into())]).await;
    let end = world.end(job.id).await;
    assert_eq!((code(&end).as_str(), end.error.unwrap().message.as_str()), ("panicked", "out of paper"));
    let next = world.submit([Act::Succeed]).await;
    assert_eq!(world.end(next.id).await.event_type, Succeeded);
}

#[tokio::test]
async fn jobs_that_wait_for_their_next_attempt_do_not_keep_others_from_running() {
    let world = World::new().await;
    let settings = worker::WorkerSettings { worker_concurrency: Some("1".parse().unwrap()), ..settings() };
    let _worker = world.worker_with(settings, Duration::from_secs(12), world.address).await;
    let patient = world.submit([Act::RetryAfter(60_000)]).await;
    world.event(patient.id, Retrying).await;
    let quick = world.submit([Act::Succeed]).await;
    assert_eq!(world.end(quick.id).await.event_type, Succeeded);
}

#[tokio::test]
async fn a_job_that_waited_finds_its_place_again_though_nothing_else_comes() {
    let world = World::new().await;
    let settings = worker::WorkerSettings { worker_concurrency: Some("1".parse().unwrap()), ..settings() };
    let _worker = world.worker_with(settings, Duration::from_secs(12), world.address).await;
    let job = world.submit([Act::RetryAfter(50), Act::RetryAfter(50), Act::Succeed]).await;
    assert_eq!(world.end(job.id).await.event_type, Succeeded);
}
