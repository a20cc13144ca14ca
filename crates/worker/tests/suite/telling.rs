use shared::EventType::{Progress, Started, Succeeded};

use crate::{probe::Act, world::World};

#[tokio::test]
async fn without_redis_progress_is_told_once_a_second_at_most() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::Chatter(260)]).await;
    world.end(job.id).await;
    let heard = world.heard(job.id);
    let perishable: Vec<_> = heard.iter().filter(|(event, _)| !event.event_type.is_terminal()).collect();
    assert!((2..=4).contains(&perishable.len()), "{} in 2.6 s or a little more", perishable.len());
    assert!(perishable.iter().any(|(event, _)| event.event_type == Progress));
    for pair in perishable.windows(2) {
        let between = pair[1].0.at.duration_since(pair[0].0.at);
        assert!(between.as_millis() >= 900, "{between}");
    }
}

#[tokio::test]
async fn a_quick_job_costs_one_event_without_redis() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::Chatter(3)]).await;
    world.end(job.id).await;
    assert_eq!(world.said(job.id).iter().map(|event| event.event_type).collect::<Vec<_>>(), [Succeeded]);
}

#[tokio::test]
async fn a_job_that_takes_longer_is_said_to_have_started() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let job = world.submit([Act::Wait]).await;
    let started = world.event(job.id, Started).await;
    world.book.open();
    let end = world.end(job.id).await;
    assert!(end.seq > started.seq);
}
