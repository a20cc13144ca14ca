use std::time::{Duration, Instant};

use shared::{
    Audience,
    EventType::{Cancelled, Succeeded},
};
use tokio::time::interval;

use crate::{
    probe::Act,
    world::{self, World, owner, settings},
};

#[tokio::test]
async fn a_running_job_is_stopped() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::Wait]).await;
    world.runs(1).await;
    let wished = Instant::now();
    world.cancel(&job, [Audience::Channel("other".into()), owner()]).await;
    assert_eq!(world.end(job.id).await.event_type, Cancelled);
    assert!(wished.elapsed() < Duration::from_secs(1), "{:?}", wished.elapsed());
    assert_eq!(world.book.runs(), 1);
}

#[tokio::test]
async fn a_handler_that_ignores_it_is_stopped_all_the_same() {
    let world = World::new().await;
    let worker = world.worker().await;
    let job = world.submit([Act::WaitDeaf]).await;
    world.runs(1).await;
    let wished = Instant::now();
    world.cancel(&job, []).await;
    assert_eq!(world.end(job.id).await.event_type, Cancelled);
    let took = wished.elapsed();
    assert!(took >= settings().worker_cancel_grace && took < Duration::from_secs(2), "{took:?}");
    // Its handler is gone too: an idle worker leaves at once.
    assert!(worker.drain().await < Duration::from_secs(1));
}

#[tokio::test]
async fn whichever_worker_runs_the_job_hears_of_it() {
    let world = World::new().await;
    let _workers = [world.worker().await, world.worker().await, world.worker().await];
    let jobs = [world.submit([Act::Wait]).await, world.submit([Act::Wait]).await, world.submit([Act::Wait]).await];
    world.runs(3).await;
    for job in &jobs {
        world.cancel(job, [owner()]).await;
    }
    for job in &jobs {
        assert_eq!(world.end(job.id).await.event_type, Cancelled);
    }
}

#[tokio::test]
async fn asking_again_changes_nothing_while_it_stops_or_afterwards() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::WaitDeaf]).await;
    world.runs(1).await;
    for _ in 0..3 {
        world.cancel(&job, [owner()]).await;
    }
    assert_eq!(world.end(job.id).await.event_type, Cancelled);
    world.cancel(&job, [owner()]).await;
    let ends = world.ends_after_another_job().await;
    assert_eq!(ends.len(), 1, "{ends:?}");
}

#[tokio::test]
async fn a_job_that_has_ended_stays_as_it_ended() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::Succeed]).await;
    world.end(job.id).await;
    world.cancel(&job, [owner()]).await;
    let ends = world.ends_after_another_job().await;
    assert_eq!(ends.iter().map(|end| end.event_type).collect::<Vec<_>>(), [Succeeded]);
}

#[tokio::test]
async fn a_queued_job_ends_without_running() {
    let world = World::new().await;
    let settings = worker::WorkerSettings { worker_concurrency: Some("1".parse().unwrap()), ..settings() };
    let _worker = world.worker_with(settings, Duration::from_secs(12), world.address).await;
    let first = world.submit([Act::WaitDeaf]).await;
    world.runs(1).await;
    let queued = world.submit([Act::Succeed]).await;
    world.cancel(&queued, [owner()]).await;
    assert_eq!(world.end(queued.id).await.event_type, Cancelled);
    world.book.open();
    assert_eq!(world.end(first.id).await.event_type, Succeeded);
    assert_eq!(world.book.runs(), 1);
}

#[tokio::test]
async fn a_worker_that_starts_later_hears_of_it_too() {
    let world = World::new().await;
    let job = world.submit([Act::Wait]).await;
    world.cancel(&job, [owner()]).await;
    let _worker = world.worker().await;
    assert_eq!(world.end(job.id).await.event_type, Cancelled);
}

#[tokio::test]
async fn a_job_that_was_cancelled_while_no_worker_ran_does_not_run_however_quick_it_is() {
    let world = World::new().await;
    let job = world.submit([Act::Succeed]).await;
    world.cancel(&job, [owner()]).await;
    let _worker = world.worker().await;
    assert_eq!(world.end(job.id).await.event_type, Cancelled);
    assert_eq!(world.book.runs(), 0);
}

#[tokio::test]
async fn a_worker_is_quick_to_begin_though_others_keep_being_cancelled() {
    let world = World::new().await;
    let began = Instant::now();
    let _worker = world.worker().await;
    let job = world.submit([Act::Succeed]).await;
    let somebody = async {
        let mut often = interval(Duration::from_millis(50));
        loop {
            often.tick().await;
            world.cancel(&world::job([Act::Succeed]), [owner()]).await;
        }
    };
    tokio::select! {
        end = world.end(job.id) => assert_eq!(end.event_type, Succeeded),
        () = somebody => unreachable!("there is always somebody"),
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_job_that_waits_for_its_next_attempt_ends_at_once() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::RetryAfter(60_000)]).await;
    world.event(job.id, shared::EventType::Retrying).await;
    world.cancel(&job, [owner()]).await;
    assert_eq!(world.end(job.id).await.event_type, Cancelled);
    assert_eq!(world.book.runs(), 1);
}

#[tokio::test]
async fn a_strangers_wish_is_ignored() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::Wait]).await;
    world.runs(1).await;
    world.cancel(&job, [Audience::User("stranger".into())]).await;
    // Heard after the stranger's: so that one has been heard too.
    let other = world.submit([Act::Wait]).await;
    world.runs(2).await;
    world.cancel(&other, [owner()]).await;
    assert_eq!(world.end(other.id).await.event_type, Cancelled);
    world.book.open();
    assert_eq!(world.end(job.id).await.event_type, Succeeded);
}
