//! What a publisher may ask for.

use crate::harness::*;
use emulator::Emulator;
use google_cloud_gax::error::rpc::{Code, Status};
use google_cloud_pubsub::{error::PublishError, model::Message};

async fn refusal(harness: &Harness, message: Message) -> Status {
    match in_time(harness.publisher(TOPIC).await.publish(message)).await.unwrap_err() {
        PublishError::Rpc(error) => error.status().expect("the server should have refused it").clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn full_memory_refuses_and_says_what_to_do() {
    let harness = Harness::start_with(Emulator::default().with_memory_bytes(100_000)).await;
    harness.create_topic(TOPIC).await;
    harness.create_subscription(subscription().set_message_retention_duration(google_cloud_wkt::Duration::clamp(600, 0))).await;
    let large = || Message::new().set_data(vec![0; 60_000]);
    in_time(harness.publisher(TOPIC).await.publish(large())).await.unwrap();
    let status = refusal(&harness, large()).await;
    assert_eq!(status.code, Code::ResourceExhausted);
    assert!(status.message.contains("100000 bytes"), "{}", status.message);
    assert!(status.message.contains("PUBSUB_EMULATOR_MEMORY_MB"), "{}", status.message);

    // What is past its retention makes room.
    harness.clock.advance(std::time::Duration::from_secs(601));
    in_time(harness.publisher(TOPIC).await.publish(large())).await.unwrap();
}

#[tokio::test]
async fn messages_that_nobody_keeps_take_no_memory() {
    let harness = Harness::start_with(Emulator::default().with_memory_bytes(100_000)).await;
    harness.create_topic(TOPIC).await;
    let publisher = harness.publisher(TOPIC).await;
    for _ in 0..10 {
        in_time(publisher.publish(Message::new().set_data(vec![0; 60_000]))).await.unwrap();
    }
}

#[tokio::test]
async fn googles_limits_apply() {
    let harness = Harness::with_subscription().await;
    let many = (0..101).map(|n| (format!("key-{n}"), "value".to_owned()));
    for (message, limit) in [
        (Message::new(), "empty"),
        (message("x").set_attributes(many), "maximum value is 100"),
        (message("x").set_attributes([("k".repeat(257), "v".to_owned())]), "maximum value is 256"),
        (message("x").set_attributes([("k".to_owned(), "v".repeat(1025))]), "maximum value is 1024"),
        (message("x").set_attributes([("", "v")]), "must not be empty"),
        (Message::new().set_data(vec![0; 10_000_001]), "maximum value is 10000000"),
    ] {
        let status = refusal(&harness, message).await;
        assert_eq!(status.code, Code::InvalidArgument);
        assert!(status.message.contains(limit), "{}", status.message);
    }
    harness.assert_drained().await;
}

#[tokio::test]
async fn the_largest_message_passes() {
    let harness = Harness::with_subscription().await;
    let data = vec![7; 9_990_000];
    in_time(harness.publisher(TOPIC).await.publish(Message::new().set_data(data.clone()))).await.unwrap();
    let (received, _) = next(&mut harness.subscribe().await).await;
    assert!(received.data == data);
}

#[tokio::test]
async fn a_topic_must_exist() {
    let harness = Harness::start().await;
    assert_eq!(refusal(&harness, message("x")).await.code, Code::NotFound);
}
