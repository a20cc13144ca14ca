//! Jobs whose earlier deliveries came to nothing.

use std::time::Duration;

use bus::ConsumeOptions;
use shared::{
    EventType::{Cancelled, Succeeded},
    Trial,
};
use tokio::{runtime::Runtime, time::sleep};

use crate::{
    probe::Act,
    world::{World, hear, job, kind, owner, settings, soon},
};

/// Plays a worker that takes the only job there is, and dies of it.
pub async fn die_of_it(world: &World) {
    let mut dying = world.bus.consume(&world.bus.names().job_subscription(&kind()), ConsumeOptions::default());
    let delivery = soon("the job", dying.next()).await.unwrap();
    dying.stop_pulling().await;
    delivery.nack();
}

impl World {
    /// A worker that runs what there is and dies of it.
    async fn death(&self, runs: u32) {
        let doomed: Runtime = self.mortal_worker();
        soon(&format!("run {runs}"), async {
            while self.book.runs() < runs {
                // As time goes by, quicker: the dead one's leases end.
                self.clock.advance(Duration::from_secs(1));
                sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        doomed.shutdown_background();
        self.clock.advance(Duration::from_secs(15));
    }
}

#[tokio::test]
async fn a_job_of_which_three_workers_died_is_put_aside_for_its_client_to_hear_of() {
    let world = World::new().await;
    let job = world.submit([Act::WaitDeaf]).await;
    for runs in 1..=3 {
        world.death(runs).await;
    }
    let _worker = world.worker().await;
    let letter = world.dead_letter().await;
    assert_eq!(letter.attributes["dead-letter-reason"], "its worker died 3 times while running it");
    assert_eq!((letter.attributes["id"].as_str(), letter.attributes["audience"].as_str()), (job.id.to_string().as_str(), "user:owner"));
    assert!(letter.attributes["deliveries-done"].parse::<u32>().unwrap() >= 3, "what its client is told must be newer than all before");
    assert!(world.ends_after_another_job().await.is_empty());
    assert_eq!(world.book.runs(), 4, "three times, and the other job");
}

#[tokio::test]
async fn a_suspect_that_is_handed_back_alive_is_under_suspicion_no_more() {
    let world = World::new().await;
    let job = world.submit([Act::WaitDeaf]).await;
    world.death(1).await;
    world.death(2).await;
    let leaving = world.worker_with(settings(), Duration::from_secs(3), world.address).await;
    world.runs(3).await;
    leaving.drain().await;
    // Two more deaths would condemn it, had it not been handed back between.
    world.death(4).await;
    world.death(5).await;
    let _worker = world.worker().await;
    world.runs(6).await;
    world.book.open();
    assert_eq!(world.end(job.id).await.event_type, Succeeded);
}

#[tokio::test]
async fn suspects_that_were_tried_before_run_one_at_a_time_and_others_need_not_wait_for_them() {
    let world = World::new().await;
    let suspects = [world.submit([Act::Wait]).await, world.submit([Act::Wait]).await, world.submit([Act::Wait]).await];
    world.death(3).await;
    world.death(6).await;
    let _worker = world.worker().await;
    world.runs(7).await;
    // Four run at a time, and the dock keeps two suspects from it, but nobody else.
    let other = world.submit([Act::Succeed]).await;
    assert_eq!(world.end(other.id).await.event_type, Succeeded);
    assert_eq!(world.book.runs(), 8);
    for suspect in &suspects {
        world.cancel(suspect, [owner()]).await;
    }
    for suspect in &suspects {
        assert_eq!(world.end(suspect.id).await.event_type, Cancelled, "also while it waits for the dock");
    }
}

#[tokio::test]
async fn a_job_that_was_delivered_before_but_never_tried_waits_for_nobody() {
    let world = World::new().await;
    for _ in 0..3 {
        world.submit([Act::Wait]).await;
    }
    world.death(3).await;
    let _worker = world.worker().await;
    world.runs(6).await;
    world.book.open();
    assert_eq!(world.ends_after_another_job().await.len(), 3);
}

#[tokio::test]
async fn who_tries_a_suspect_repeats_what_is_known_of_it_for_those_who_cannot_look_back() {
    let world = World::new().await;
    let mut said = hear(&world.bus, "control").await;
    let message_id = world.bus.publish(&world.bus.names().jobs(&kind()), job([Act::Wait]).to_message().into()).await.unwrap();
    let trial = Trial { kind: kind(), message_id, worker: "gone".into(), alone: false };
    world.bus.publish(&world.bus.names().control(), trial.to_message().into()).await.unwrap();
    die_of_it(&world).await;
    let _worker = world.worker().await;
    world.runs(1).await;
    let workers = soon("three trials", said.wait_for(|said| said.len() == 3)).await.unwrap();
    let repeated = workers.iter().filter(|heard| heard.message.attributes["worker"] == "gone").count();
    assert_eq!(repeated, 2, "{workers:?}");
}
