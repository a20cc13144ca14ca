use std::time::{Duration, Instant};

use bus::{Bus, ConsumeOptions, Consumer, PublishError, SubscriptionSpec, TopicName, Topology};
use emulator::Emulator;
use service::State;
use tokio::time::{sleep, timeout};

use crate::{
    on_both_servers,
    proxy::{Network, Proxy},
    server::{Server, becomes, body, connect, next, next_like, text, within},
};

on_both_servers! {
    without_a_server_publishes_are_refused_within_a_second_and_then_at_once,
    a_server_that_hangs_is_as_good_as_none,
    one_late_publish_is_no_outage,
    an_idle_consumer_notices_an_outage_and_heals_within_seconds_of_its_end,
    a_frozen_server_heals_likewise,
    a_process_that_starts_during_an_outage_serves_when_it_ends,
    what_vanished_in_an_outage_is_back_before_anything_is_published,
    what_was_running_during_an_outage_is_finished_after_it,
}

/// From the server's return to the consumer's.
const HEALED: Duration = Duration::from_secs(5);

/// Long enough for the client library to have lost its patience: it would look again seconds after the server's return.
const LONG: Duration = Duration::from_secs(4);

async fn without_a_server_publishes_are_refused_within_a_second_and_then_at_once(server: &Server) {
    refused(server, Network::Cut).await;
}

async fn a_server_that_hangs_is_as_good_as_none(server: &Server) {
    refused(server, Network::Frozen).await;
}

async fn refused(server: &Server, how: Network) {
    let queue = server.queue().await;
    queue.publish("fine").await;
    server.network.set(how);

    let first = within(Duration::from_secs(1), "the first refusal", queue.bus.publish(&queue.topic, text("?"))).await.unwrap_err();
    assert!(first.is_outage(), "{first:?}");
    match how {
        // Whoever hangs is asked before he is taken for lost.
        Network::Frozen => within(Duration::from_secs(2), "the end of all hope", becomes(&queue.bus, State::Down)).await,
        _ => assert_eq!(*queue.bus.status().borrow(), State::Down),
    }

    let asked = Instant::now();
    for _ in 0..100 {
        assert_eq!(queue.bus.publish(&queue.topic, text("?")).await, Err(PublishError::Unavailable));
    }
    assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());
    queue.counted("mayfly_bus_publishes_total{outcome=\"unavailable\"} 10").await;
    queue.counted("mayfly_bus_up 0").await;

    server.network.set(Network::Fine);
    becomes(&queue.bus, State::Up).await;
    queue.publish("fine again").await;
}

/// Giving the link up would cost every stream its leases.
async fn one_late_publish_is_no_outage(server: &Server) {
    let queue = server.queue().await;
    queue.publish("fine").await;
    let status = queue.bus.status();
    server.network.set(Network::Frozen);
    assert_eq!(queue.bus.publish(&queue.topic, text("late")).await, Err(PublishError::Deadline));
    server.network.set(Network::Fine);
    queue.publish("fine again").await;
    assert!(!status.has_changed().unwrap(), "the link was taken for lost");
}

async fn an_idle_consumer_notices_an_outage_and_heals_within_seconds_of_its_end(server: &Server) {
    survives(server, Network::Cut).await;
}

async fn a_frozen_server_heals_likewise(server: &Server) {
    survives(server, Network::Frozen).await;
}

async fn survives(server: &Server, how: Network) {
    let queue = server.queue().await;
    let mut consumer = queue.consume();
    queue.publish("before").await;
    next(&mut consumer).await.ack();

    server.network.set(how);
    becomes(&queue.bus, State::Down).await;
    sleep(LONG).await;
    server.network.set(Network::Fine);

    within(HEALED, "healing", published_and_heard(&queue.bus, &queue.topic, &mut consumer, "after")).await;
}

async fn a_process_that_starts_during_an_outage_serves_when_it_ends(server: &Server) {
    server.network.set(Network::Cut);
    let bus = server.bus().await;
    let (topic, topology) = queue(&bus);
    bus.ensure_eventually(&topology);
    let mut consumer = bus.consume(&bus.names().subscription("late"), ConsumeOptions::default());
    becomes(&bus, State::Down).await;

    server.network.set(Network::Fine);
    becomes(&bus, State::Up).await;

    within(HEALED, "the first delivery", published_and_heard(&bus, &topic, &mut consumer, "hello")).await;
}

/// Somebody else restores the same and has got no further than the topic: what it took would reach nobody.
async fn what_vanished_in_an_outage_is_back_before_anything_is_published(server: &Server) {
    let queue = server.queue().await;
    queue.publish("before").await;

    server.network.set(Network::Cut);
    becomes(&queue.bus, State::Down).await;
    server.subscriptions().await.delete_subscription().set_subscription(queue.subscription.path()).send().await.unwrap();
    server.network.set(Network::Fine);
    becomes(&queue.bus, State::Up).await;
    queue.publish("after").await;

    next_like(&mut queue.consume(), "after").await.ack();
}

async fn what_was_running_during_an_outage_is_finished_after_it(server: &Server) {
    let queue = server.queue().await;
    let mut consumer = queue.consume();
    queue.publish("patient").await;
    let running = next(&mut consumer).await;

    server.network.set(Network::Cut);
    becomes(&queue.bus, State::Down).await;
    server.network.set(Network::Fine);
    becomes(&queue.bus, State::Up).await;

    running.ack();
    assert_eq!(consumer.close(Duration::from_secs(5)).await, bus::Closed::Clean);
    let mut second = queue.consume();
    // Longer than the lease that the ack must have ended.
    crate::server::nothing_for(Duration::from_secs(12), &mut second).await;
}

/// Google's emulator is shared among stories, so only ours can be restarted.
#[tokio::test]
async fn embedded_a_server_that_comes_back_empty_is_filled_again() {
    let emulator = Emulator::default().bind("127.0.0.1:0").await.unwrap();
    let address = emulator.local_addr();
    let emulator = emulator.spawn();
    let network = Proxy::before(address.to_string()).await;
    let bus = connect(&bus::BusSettings::emulator(network.address.to_string())).await;
    let (topic, topology) = queue(&bus);
    bus.ensure(topology).await.unwrap();
    let mut consumer = bus.consume(&bus.names().subscription("late"), ConsumeOptions::default());
    published_and_heard(&bus, &topic, &mut consumer, "hello").await;

    emulator.stop().await;
    becomes(&bus, State::Down).await;
    let _emulator = Emulator::default().bind(address).await.unwrap().spawn();
    becomes(&bus, State::Up).await;

    within(HEALED, "healing", published_and_heard(&bus, &topic, &mut consumer, "after")).await;
}

fn queue(bus: &Bus) -> (TopicName, Topology) {
    let topic = bus.names().topic("late");
    let spec = SubscriptionSpec::shared(topic.clone());
    let topology = Topology::new(bus.names()).topic(topic.clone()).subscription(bus.names().subscription("late"), spec);
    (topic, topology)
}

/// Publishes until it is heard: before the subscription is there, a message reaches nobody, and Google's emulator also delivers to streams
/// that are closed.
async fn published_and_heard(bus: &Bus, topic: &TopicName, consumer: &mut Consumer, what: &str) {
    loop {
        let _ = bus.publish(topic, text(what)).await;
        while let Ok(delivery) = timeout(Duration::from_millis(130), consumer.next()).await {
            let delivery = delivery.unwrap();
            let heard = body(&delivery) == what;
            delivery.ack();
            if heard {
                return;
            }
        }
    }
}
