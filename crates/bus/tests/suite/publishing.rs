use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use bus::{BusSettings, Message, PublishError, Topology};
use futures::future::join_all;
use shared::Attributes;

use crate::{
    on_both_servers,
    proxy::Network,
    server::{Server, body, connect, next, text, within},
};

on_both_servers! {
    a_message_arrives_as_it_was_published,
    many_at_once_all_arrive,
    a_message_of_nothing_is_rejected_by_name,
    a_topic_that_was_never_declared_is_missing,
    a_full_queue_says_so_at_once,
    a_flush_waits_for_what_is_in_flight,
}

async fn a_message_arrives_as_it_was_published(server: &Server) {
    let queue = server.queue().await;
    let mut consumer = queue.consume();
    let message = Message::new(
        Attributes::from([("audience".to_owned(), "user:ångström".to_owned()), ("empty".to_owned(), String::new())]),
        (0..=255).collect::<Vec<u8>>(),
    );

    let id = queue.bus.publish(&queue.topic, message.clone()).await.unwrap();

    let delivery = next(&mut consumer).await;
    assert_eq!(delivery.message, message);
    assert_eq!(delivery.message_id, id);
    assert!(delivery.published_at.duration_since(jiff::Timestamp::now()).abs().as_secs() < 60);
    assert_eq!(delivery.delivery_attempt, 1);
    delivery.ack();
}

async fn many_at_once_all_arrive(server: &Server) {
    let queue = server.queue().await;
    let mut consumer = queue.consume();

    let published: HashSet<_> = join_all((0..500).map(|n| queue.publish(n.to_string()))).await.into_iter().collect();
    assert_eq!(published.len(), 500);

    let mut received = HashSet::new();
    while received.len() < published.len() {
        let delivery = next(&mut consumer).await;
        received.insert(delivery.message_id.clone());
        delivery.ack();
    }
    assert_eq!(received, published);
}

async fn a_message_of_nothing_is_rejected_by_name(server: &Server) {
    let queue = server.queue().await;
    let good = queue.publish("in the same breath");
    let rejection = queue.bus.publish(&queue.topic, Message::default());
    let (_, rejection) = tokio::join!(good, rejection);
    let rejection = rejection.unwrap_err();
    assert!(matches!(rejection, PublishError::Rejected(_)), "{rejection:?}");
    assert!(!rejection.is_outage());
}

async fn a_topic_that_was_never_declared_is_missing(server: &Server) {
    let bus = server.bus().await;
    assert_eq!(bus.publish(&bus.names().topic("nowhere"), text("?")).await, Err(PublishError::TopicMissing));
}

async fn a_full_queue_says_so_at_once(server: &Server) {
    let bus = connect(&BusSettings { publish_queue: 3, ..server.settings() }).await;
    bus.ensure(Topology::new(bus.names()).events()).await.unwrap();
    let topic = bus.names().events();
    server.network.set(Network::Frozen);

    let waiting = join_all((0..3).map(|n| {
        let (bus, topic) = (bus.clone(), topic.clone());
        tokio::spawn(async move { bus.publish(&topic, text(n.to_string())).await })
    }));
    let refused = async {
        // The three above are started, but not finished, by the time that this is polled again.
        tokio::task::yield_now().await;
        let asked = Instant::now();
        (bus.publish(&topic, text("one too many")).await, asked.elapsed())
    };
    let (waited, (refusal, after)) = tokio::join!(waiting, refused);

    assert_eq!(refusal, Err(PublishError::Full));
    assert!(after < Duration::from_millis(500), "{after:?}");
    assert!(waited.into_iter().all(|result| result.unwrap().unwrap_err().is_outage()));
}

async fn a_flush_waits_for_what_is_in_flight(server: &Server) {
    let queue = server.queue().await;
    let mut consumer = queue.consume();
    let (bus, topic) = (queue.bus.clone(), queue.topic.clone());
    let publish = tokio::spawn(async move { bus.publish(&topic, text("last words")).await });
    tokio::task::yield_now().await;
    // Whoever waited is gone; the message is not.
    publish.abort();

    assert!(queue.bus.flush(Duration::from_secs(5)).await);

    let delivery = within(Duration::from_secs(10), "the last words", next(&mut consumer)).await;
    assert_eq!(body(&delivery), "last words");
    delivery.ack();
}
