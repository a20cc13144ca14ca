use std::time::Duration;

use bus::{BusSettings, ConsumeOptions, DeadLetter, SubscriptionSpec, Topology};

use crate::{
    on_both_servers,
    server::{Server, body, next, next_like, nothing_for},
};

on_both_servers! {
    what_is_acked_does_not_come_again,
    a_nack_brings_it_again,
    dropping_hands_it_back,
    deliveries_are_counted_for_jobs,
    after_too_many_deliveries_it_is_a_dead_letter,
    no_more_is_delivered_than_asked_for,
}

async fn what_is_acked_does_not_come_again(server: &Server) {
    let queue = server.queue().await;
    let mut consumer = queue.consume();
    queue.publish("once").await;
    next(&mut consumer).await.ack();
    // Longer than the rest before a redelivery.
    nothing_for(Duration::from_millis(1500), &mut consumer).await;
}

async fn a_nack_brings_it_again(server: &Server) {
    let queue = server.queue().await;
    let mut consumer = queue.consume();
    let id = queue.publish("twice").await;
    next(&mut consumer).await.nack();
    let again = next(&mut consumer).await;
    assert_eq!(again.message_id, id);
    again.ack();
}

async fn dropping_hands_it_back(server: &Server) {
    let queue = server.queue().await;
    let mut consumer = queue.consume();
    queue.publish("twice").await;
    drop(next(&mut consumer).await);
    let again = next(&mut consumer).await;
    assert_eq!(body(&again), "twice");
    again.ack();
}

async fn deliveries_are_counted_for_jobs(server: &Server) {
    let bus = server.bus().await;
    let echo = "echo".parse().unwrap();
    bus.ensure(Topology::new(bus.names()).jobs(&echo)).await.unwrap();
    let mut consumer = bus.consume(&bus.names().job_subscription(&echo), ConsumeOptions::default());
    bus.publish(&bus.names().jobs(&echo), crate::server::text("again and again")).await.unwrap();
    for attempt in 1..=4 {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.delivery_attempt, attempt);
        if attempt == 4 { delivery.ack() } else { delivery.nack() }
    }
}

async fn after_too_many_deliveries_it_is_a_dead_letter(server: &Server) {
    let bus = server.bus().await;
    let (topic, subscription) = (bus.names().topic("poison"), bus.names().subscription("poison"));
    let spec = SubscriptionSpec {
        dead_letter: Some(DeadLetter { topic: bus.names().dead_letter(), attempts: 5 }),
        ..SubscriptionSpec::shared(topic.clone())
    };
    let topology = Topology::new(bus.names()).dead_letter().topic(topic.clone()).subscription(subscription.clone(), spec);
    bus.ensure(topology).await.unwrap();
    let mut workers = bus.consume(&subscription, ConsumeOptions::default());
    let mut undertaker = bus.consume(&bus.names().dead_letter_subscription(), ConsumeOptions::default());
    bus.publish(&topic, crate::server::text("poison")).await.unwrap();

    for _ in 0..5 {
        next(&mut workers).await.nack();
    }

    let dead = next(&mut undertaker).await;
    assert_eq!(body(&dead), "poison");
    assert_eq!(dead.message.attributes["CloudPubSubDeadLetterSourceSubscription"], subscription.id());
    dead.ack();
}

async fn no_more_is_delivered_than_asked_for(server: &Server) {
    let queue = server.queue().await;
    let options = ConsumeOptions { max_messages: 3, ..ConsumeOptions::default() };
    let mut consumer = queue.bus.consume(&queue.subscription, options);
    for n in 0..10 {
        queue.publish(n.to_string()).await;
    }
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(next(&mut consumer).await);
    }
    if !server.is_googles {
        nothing_for(Duration::from_millis(500), &mut consumer).await;
    }
    held.drain(..).for_each(bus::Delivery::ack);
    for _ in 3..10 {
        next(&mut consumer).await.ack();
    }
}

/// Google's emulator delivers into every closed stream once more, and each round here closes another.
#[tokio::test]
async fn embedded_a_silent_stream_is_replaced_and_nothing_is_lost() {
    let server = Server::embedded().await;
    let settings = BusSettings { pubsub_stream_silence: Some(Duration::from_millis(300)), ..server.settings() };
    let queue = server.queue_with(&settings).await;
    let mut consumer = queue.consume();
    for round in 1..=3 {
        let label = queue.subscription.id();
        queue.counted(&format!("mayfly_bus_stream_restarts_total{{subscription=\"{label}\",reason=\"silence\"}} {round}")).await;
        queue.publish(round.to_string()).await;
        next_like(&mut consumer, &round.to_string()).await.ack();
    }
}
