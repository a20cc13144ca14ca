use bus::ConsumeOptions;
use shared::{EventType::Succeeded, JobEvent, JobMessage, Payload, Timestamp, seq::seq};

use crate::{
    probe::Act,
    world::{World, job, kind, soon, until},
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

/// Plays a worker that said how the job ended, and died before it could acknowledge it.
pub async fn died_before_the_ack(world: &World, job: &JobMessage) -> JobEvent {
    let (names, mut dying) =
        (world.bus.names(), world.bus.consume(&world.bus.names().job_subscription(&kind()), ConsumeOptions::default()));
    world.send(job).await;
    let delivery = soon("the job", dying.next()).await.unwrap();
    let end = JobEvent {
        job_id: job.id,
        kind: job.kind.clone(),
        audience: job.audience.clone(),
        seq: seq(delivery.delivery_attempt, 3),
        attempt: 1,
        event_type: Succeeded,
        at: Timestamp::now(),
        data: Some(Payload::encode(&"told before").unwrap()),
        error: None,
    };
    world.bus.publish(&names.events(), end.to_message().into()).await.unwrap();
    dying.stop_pulling().await;
    // Its lease ends.
    delivery.nack();
    end
}

#[tokio::test]
async fn what_a_second_worker_says_of_a_job_that_had_ended_is_newer_and_an_end_so_gateways_can_tell() {
    let world = World::new().await;
    let job = job([Act::Return("again".into())]);
    let first = died_before_the_ack(&world, &job).await;
    let _worker = world.worker().await;
    world.runs(1).await;
    until("the second end", || world.said(job.id).iter().filter(|event| event.event_type.is_terminal()).count() == 2).await;
    let said = world.said(job.id);
    assert_eq!(said[0], first, "nothing is older than the end that was told: {said:?}");
}
