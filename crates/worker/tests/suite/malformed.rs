use bus::Message;
use shared::{
    EventType::{Failed, Succeeded},
    JobId,
};

use crate::{
    probe::Act,
    world::{World, attributes, code, job},
};

#[tokio::test]
async fn a_payload_of_another_form_fails_the_job_for_good() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let mut wrong = job([]);
    wrong.payload = shared::Payload::encode(&"not a probe").unwrap();
    world.send(&wrong).await;
    let end = world.end(wrong.id).await;
    assert_eq!((end.event_type, code(&end).as_str(), world.book.runs()), (Failed, "invalid_payload", 0));
}

#[tokio::test]
async fn a_body_that_is_not_what_it_says_is_told_to_the_client() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let id = JobId::new();
    let attributes = attributes([("id", &id.to_string()), ("audience", "user:1"), ("content-type", "application/json")]);
    world.publish(Message::new(attributes, "{not json")).await;
    let end = world.end(id).await;
    assert_eq!((end.event_type, code(&end).as_str()), (Failed, "invalid_payload"));
}

#[tokio::test]
async fn a_payload_that_is_too_large_is_told_to_the_client() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let id = JobId::new();
    let attributes = attributes([("id", &id.to_string()), ("audience", "user:1"), ("content-type", "image/png")]);
    world.publish(Message::new(attributes, vec![0; shared::limits::MAX_PAYLOAD + 1])).await;
    let end = world.end(id).await;
    assert!(end.error.unwrap().message.contains("9000001 bytes"));
}

#[tokio::test]
async fn what_cannot_be_understood_is_put_aside_with_the_reason_and_work_goes_on() {
    let world = World::new().await;
    let _worker = world.worker().await;
    world.publish(Message::new(attributes([("audience", "everybody"), ("x-mine", "1")]), "hello")).await;
    let dead = world.dead_letter().await;
    assert_eq!(dead.body, "hello");
    assert_eq!((dead.attributes["audience"].as_str(), dead.attributes["x-mine"].as_str()), ("everybody", "1"));
    assert!(dead.attributes["dead-letter-reason"].contains("audience"), "{dead:?}");
    assert_eq!(dead.attributes["dead-letter-topic"], "mayfly-jobs-probe");
    let next = world.submit([Act::Succeed]).await;
    assert_eq!(world.end(next.id).await.event_type, Succeeded);
}

#[tokio::test]
async fn an_audience_is_all_that_a_publisher_must_give() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let body = job([Act::Succeed]).payload.body();
    world.publish(Message::new(attributes([("audience", "user:1")]), body)).await;
    world.runs(1).await;
    assert_eq!(world.ends_after_another_job().await[0].event_type, Succeeded);
}
