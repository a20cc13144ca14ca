use shared::EventType::Succeeded;

use crate::{
    probe::Act,
    world::{World, until},
};

#[tokio::test]
async fn a_job_that_is_submitted_twice_runs_once() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::Wait]).await;
    world.runs(1).await;
    world.send(&job).await;
    world.send(&job).await;
    world.book.open();
    world.end(job.id).await;
    let ends = world.ends_after_another_job().await;
    assert_eq!(world.book.runs(), 2, "the job, and the one that shows that nothing is left");
    assert!(ends.iter().all(|end| end.seq == ends[0].seq), "whoever hears of it twice can tell: {ends:?}");
}

#[tokio::test]
async fn whoever_submits_an_ended_job_again_hears_of_its_end_again() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::Return("once".into())]).await;
    let first = world.end(job.id).await;
    world.send(&job).await;
    until("the end again", || world.said(job.id).iter().filter(|event| event.event_type == Succeeded).count() == 2).await;
    assert!(world.said(job.id).iter().filter(|event| event.event_type == Succeeded).all(|event| *event == first));
    assert_eq!(world.book.runs(), 1);
}
