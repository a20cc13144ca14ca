use std::time::Duration;

use shared::EventType::Succeeded;
use tokio::time::sleep;

use crate::{
    probe::Act,
    world::{World, soon},
};

#[tokio::test]
async fn a_job_whose_worker_is_killed_starts_elsewhere_when_its_lease_ends() {
    let world = World::new().await;
    let doomed = world.mortal_worker();
    let job = world.submit([Act::WaitDeaf]).await;
    world.runs(1).await;
    doomed.shutdown_background();
    let _next = world.worker().await;
    soon("the second worker to begin", async {
        while world.book.runs() < 2 {
            // As time goes by, quicker.
            world.clock.advance(Duration::from_secs(1));
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    world.book.open();
    assert_eq!(world.end(job.id).await.event_type, Succeeded);
    assert_eq!(world.ends_after_another_job().await.len(), 1);
}
