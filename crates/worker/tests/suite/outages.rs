use std::time::Duration;

use shared::EventType::Succeeded;

use crate::{
    probe::Act,
    proxy::Proxy,
    world::{World, settings, until},
};

#[tokio::test]
async fn an_end_that_cannot_be_told_is_told_when_pubsub_is_back() {
    let world = World::new().await;
    let network = Proxy::before(world.address).await;
    let worker = world.worker_with(settings(), Duration::from_secs(12), network.address).await;
    let job = world.submit([Act::WaitDeaf]).await;
    world.runs(1).await;
    network.cut();
    world.book.open();
    let repeated = r#"mayfly_worker_incidents_total{kind="probe",incident="publish_repeated"}"#;
    until("a first attempt at telling", || worker.process.metrics.encode().contains(repeated)).await;
    assert!(!world.said(job.id).iter().any(|event| event.event_type.is_terminal()));
    network.heal();
    assert_eq!(world.end(job.id).await.event_type, Succeeded);
    assert_eq!(world.ends_after_another_job().await.len(), 1);
}

#[tokio::test]
async fn a_worker_that_starts_while_pubsub_is_away_takes_jobs_when_it_is_back() {
    let world = World::new().await;
    let network = Proxy::before(world.address).await;
    network.cut();
    let worker = world.worker_with(settings(), Duration::from_secs(12), network.address).await;
    let job = world.submit([Act::Succeed]).await;
    until("the worker to notice", || worker.process.metrics.encode().contains("bus_up 0")).await;
    network.heal();
    assert_eq!(world.end(job.id).await.event_type, Succeeded);
}
