use std::{collections::BTreeSet, time::Duration};

use bus::{BusError, BusSettings, ConsumeOptions, PublishError, Rewound, SeekBack, SubscriptionSpec, Topology};
use futures::future::{join_all, try_join_all};

use crate::{
    on_both_servers,
    proxy::{Network, SLOW},
    server::{Server, body, connect, next, next_like, soon, text, within},
};

on_both_servers! {
    ensuring_twice_or_by_many_at_once_is_fine,
    production_does_not_create_topics,
    without_a_server_ensuring_gives_up_at_its_deadline,
    a_server_that_is_late_is_waited_for,
    whoever_needs_the_topology_waits_for_it_beyond_any_deadline_and_then_finds_everything,
    nothing_is_published_to_a_topic_that_has_no_subscription_yet,
    creating_may_take_longer_than_a_publish,
    an_instance_hears_what_comes_and_leaves_nothing_behind,
    a_new_instance_hears_the_past,
    a_new_instance_hears_only_the_past_that_it_asks_for,
    a_deleted_topic_is_made_again,
    a_deleted_subscription_is_made_again,
    whoever_does_not_publish_hears_from_a_new_topic_too,
    nothing_is_lost_while_a_deleted_topic_is_made_again,
    what_cannot_be_created_keeps_nobody_from_hearing_of_what_was,
}

fn everything(bus: &bus::Bus) -> Topology {
    let kinds = ["echo", "thumbnail"].map(|kind| kind.parse().unwrap());
    kinds.iter().fold(Topology::new(bus.names()).events().control(), Topology::jobs)
}

async fn ensuring_twice_or_by_many_at_once_is_fine(server: &Server) {
    let bus = server.bus().await;
    try_join_all((0..8).map(|_| bus.ensure(everything(&bus)))).await.unwrap();
    bus.ensure(everything(&bus)).await.unwrap();

    let echo = "echo".parse().unwrap();
    let workers = server.subscriptions().await.get_subscription().set_subscription(bus.names().job_subscription(&echo).path());
    let workers = workers.send().await.unwrap();
    assert_eq!(workers.topic, bus.names().jobs(&echo).path());
    let dead_letter = workers.dead_letter_policy.unwrap();
    assert_eq!((dead_letter.dead_letter_topic.as_str(), dead_letter.max_delivery_attempts), (bus.names().dead_letter().path(), 20));
}

async fn production_does_not_create_topics(server: &Server) {
    let bus = connect(&BusSettings { pubsub_ensure_topology: Some(false), ..server.settings() }).await;
    bus.ensure(everything(&bus)).await.unwrap();
    assert_eq!(bus.publish(&bus.names().events(), text("?")).await, Err(PublishError::TopicMissing));
}

async fn without_a_server_ensuring_gives_up_at_its_deadline(server: &Server) {
    server.network.set(Network::Cut);
    let bus = connect(&BusSettings { pubsub_ensure_deadline: Duration::from_millis(700), ..server.settings() }).await;
    let error = within(Duration::from_secs(2), "giving up", bus.ensure(everything(&bus))).await.unwrap_err();
    assert!(matches!(error, BusError::Unreachable { .. }), "{error:?}");
}

async fn a_server_that_is_late_is_waited_for(server: &Server) {
    server.network.set(Network::Cut);
    let bus = server.bus().await;
    let ensured = tokio::spawn({
        let bus = bus.clone();
        async move { bus.ensure(everything(&bus)).await }
    });
    crate::server::becomes(&bus, service::State::Down).await;
    server.network.set(Network::Fine);
    soon("the topology", ensured).await.unwrap().unwrap();
}

async fn whoever_needs_the_topology_waits_for_it_beyond_any_deadline_and_then_finds_everything(server: &Server) {
    server.network.set(Network::Cut);
    let metrics = service::Metrics::default();
    let settings = BusSettings { pubsub_ensure_deadline: Duration::from_millis(100), ..server.settings() };
    let bus = bus::Bus::connect(&settings, &metrics).await.unwrap();
    let mut ensured = tokio::spawn({
        let bus = bus.clone();
        async move { bus.ensured(everything(&bus)).await }
    });
    assert!(tokio::time::timeout(Duration::from_millis(500), &mut ensured).await.is_err());
    server.network.set(Network::Fine);
    // On a machine where even a server that is there needs longer than this deadline, it takes several rounds.
    soon("the topology", ensured).await.unwrap();

    let mut consumer = bus.consume(&bus.names().job_subscription(&"echo".parse().unwrap()), ConsumeOptions::default());
    bus.publish(&bus.names().jobs(&"echo".parse().unwrap()), text("hello")).await.unwrap();
    next(&mut consumer).await.ack();
    assert!(!metrics.encode().contains("reason=\"missing\""), "a stream was opened too early");
}

/// Somebody else is creating the same, and has got no further than the topic.
async fn nothing_is_published_to_a_topic_that_has_no_subscription_yet(server: &Server) {
    let bus = server.bus().await;
    let echo = "echo".parse().unwrap();
    let jobs = bus.names().jobs(&echo);
    server.topics().await.create_topic().set_name(jobs.path()).send().await.unwrap();

    bus.ensure_eventually(&everything(&bus));
    bus.publish(&jobs, text("early")).await.unwrap();

    let mut consumer = bus.consume(&bus.names().job_subscription(&echo), ConsumeOptions::default());
    let delivery = next(&mut consumer).await;
    assert_eq!(body(&delivery), "early");
    delivery.ack();
}

/// Each of them waits no longer than its own deadline, and what they wait for goes on.
async fn creating_may_take_longer_than_a_publish(server: &Server) {
    server.network.set(Network::Slow);
    let bus = connect(&BusSettings { publish_deadline: SLOW * 4, ..server.settings() }).await;
    bus.ensure_eventually(&everything(&bus));
    let events = bus.names().events();
    let mut refusals = 0;
    let published = async {
        while let Err(error) = bus.publish(&events, text("at last")).await {
            assert!(error.is_outage(), "{error:?}");
            refusals += 1;
        }
    };
    soon("a publish", published).await;
    assert!(refusals > 0, "this network is not slow enough to show anything");
}

async fn an_instance_hears_what_comes_and_leaves_nothing_behind(server: &Server) {
    let bus = server.bus().await;
    bus.ensure(everything(&bus)).await.unwrap();
    let events = bus.names().events();
    bus.publish(&events, text("before")).await.unwrap();
    let mine = bus.instance_subscription(&events, "gateway-1", SeekBack(None)).await.unwrap();
    assert_eq!(mine.rewound(), Rewound::No);
    let mut consumer = bus.consume(mine.name(), ConsumeOptions::default());
    bus.publish(&events, text("after")).await.unwrap();
    if !server.is_googles {
        let delivery = next(&mut consumer).await;
        assert_eq!(body(&delivery), "after");
        delivery.ack();
    } else {
        next_like(&mut consumer, "after").await.ack();
    }
    consumer.close(Duration::from_secs(2)).await;

    let path = mine.name().path().to_owned();
    mine.delete(Duration::from_secs(2)).await.unwrap();
    let gone = server.subscriptions().await.get_subscription().set_subscription(path).send().await.unwrap_err();
    assert!(gone.to_string().contains("NOT_FOUND") || gone.http_status_code() == Some(404), "{gone:?}");
}

async fn a_new_instance_hears_the_past(server: &Server) {
    let bus = server.bus().await;
    bus.ensure(everything(&bus)).await.unwrap();
    let events = bus.names().events();
    bus.publish(&events, text("history")).await.unwrap();

    let mine = bus.instance_subscription(&events, "gateway-2", SeekBack(Some(Duration::from_mins(10)))).await.unwrap();

    assert!(matches!(mine.rewound(), Rewound::To(_)));
    assert!(!mine.may_have_backlog(), "this very process has made the topic");
    let later = server.bus().await;
    later.ensure(everything(&later)).await.unwrap();
    let theirs = later.instance_subscription(&events, "gateway-4", SeekBack(Some(Duration::from_mins(10)))).await.unwrap();
    assert!(theirs.may_have_backlog());
    let mut consumer = bus.consume(mine.name(), ConsumeOptions::default());
    let delivery = next(&mut consumer).await;
    assert_eq!(body(&delivery), "history");
    delivery.ack();
}

async fn a_new_instance_hears_only_the_past_that_it_asks_for(server: &Server) {
    let bus = server.bus().await;
    bus.ensure(everything(&bus)).await.unwrap();
    let events = bus.names().events();
    bus.publish(&events, text("long ago")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    bus.publish(&events, text("just now")).await.unwrap();

    let mine = bus.instance_subscription(&events, "gateway-3", SeekBack(Some(Duration::from_secs(1)))).await.unwrap();

    let mut consumer = bus.consume(mine.name(), ConsumeOptions::default());
    let delivery = next(&mut consumer).await;
    assert_eq!(body(&delivery), "just now");
    delivery.ack();
}

async fn a_deleted_topic_is_made_again(server: &Server) {
    let queue = server.queue().await;
    let mut consumer = queue.consume();
    queue.publish("before").await;
    next(&mut consumer).await.ack();

    server.topics().await.delete_topic().set_topic(queue.topic.path()).send().await.unwrap();
    queue.publish("after").await;

    let delivery = next(&mut consumer).await;
    assert_eq!(body(&delivery), "after");
    delivery.ack();
}

async fn a_deleted_subscription_is_made_again(server: &Server) {
    let queue = server.queue().await;
    let mut consumer = queue.consume();
    queue.publish("before").await;
    next(&mut consumer).await.ack();

    let admin = server.subscriptions().await;
    admin.delete_subscription().set_subscription(queue.subscription.path()).send().await.unwrap();
    let back = async {
        while admin.get_subscription().set_subscription(queue.subscription.path()).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("the subscription", back).await;

    queue.publish("after").await;
    next_like(&mut consumer, "after").await.ack();
}

/// Nobody tells it that the topic was another one for a while.
async fn whoever_does_not_publish_hears_from_a_new_topic_too(server: &Server) {
    let (publisher, listener) = (server.bus().await, server.bus().await);
    let events = publisher.names().events();
    publisher.ensured(everything(&publisher)).await;
    listener.ensured(everything(&listener)).await;
    let mine = listener.instance_subscription(&events, "gateway-6", SeekBack(None)).await.unwrap();
    let mut consumer = listener.consume(mine.name(), ConsumeOptions::default());
    publisher.publish(&events, text("before")).await.unwrap();
    next_like(&mut consumer, "before").await.ack();

    server.topics().await.delete_topic().set_topic(events.path()).send().await.unwrap();
    let mut restored = consumer.restored();
    publisher.publish(&events, text("in between")).await.unwrap();
    within(server.grants(Duration::from_secs(5)), "a new subscription", restored.changed()).await.unwrap();
    publisher.publish(&events, text("after")).await.unwrap();

    next_like(&mut consumer, "after").await.ack();
}

/// On a slow network there is plenty of time between the topic and its subscription.
async fn nothing_is_lost_while_a_deleted_topic_is_made_again(server: &Server) {
    const MESSAGES: u32 = 60;
    let queue = server.queue_with(&BusSettings { publish_deadline: Duration::from_secs(5), ..server.settings() }).await;
    queue.publish("before").await;
    server.subscriptions().await.delete_subscription().set_subscription(queue.subscription.path()).send().await.unwrap();
    server.topics().await.delete_topic().set_topic(queue.topic.path()).send().await.unwrap();
    server.network.set(Network::Slow);

    join_all((0..MESSAGES).map(async |number| {
        tokio::time::sleep(SLOW / 10 * number).await;
        queue.publish(number.to_string()).await;
    }))
    .await;

    server.network.set(Network::Fine);
    let mut consumer = queue.consume();
    let mut missing: BTreeSet<_> = (0..MESSAGES).map(|number| number.to_string()).collect();
    while !missing.is_empty() {
        let delivery = within(server.grants(Duration::from_secs(5)), &format!("{missing:?}"), consumer.next()).await.unwrap();
        missing.remove(&body(&delivery));
        delivery.ack();
    }
}

async fn what_cannot_be_created_keeps_nobody_from_hearing_of_what_was(server: &Server) {
    let bus = server.bus().await;
    let nowhere = SubscriptionSpec::shared(bus.names().topic("nobody-declares"));
    bus.ensure_eventually(&everything(&bus).subscription(bus.names().subscription("nowhere"), nowhere));
    let events = bus.names().events();
    bus.publish(&events, text("all the same")).await.unwrap();
    let mine = bus.instance_subscription(&events, "gateway-5", SeekBack(None)).await.unwrap();
    let consumer = bus.consume(mine.name(), ConsumeOptions::default());
    let mut restored = consumer.restored();

    server.subscriptions().await.delete_subscription().set_subscription(mine.name().path()).send().await.unwrap();

    soon("the news", restored.changed()).await.unwrap();
}
