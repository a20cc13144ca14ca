use std::time::Duration;

use bus::{Abandoned, Bus, BusSettings, InstanceSubscription, SeekBack, SubscriptionSpec, Topology};
use google_cloud_pubsub::model::Subscription;
use google_cloud_wkt::FieldMask;
use tokio::time::sleep;

use crate::{
    on_both_servers,
    server::{Server, connect, soon},
};

on_both_servers! {
    what_a_killed_process_leaves_behind_is_found_and_can_be_deleted_twice,
    a_living_process_says_so_and_is_left_alone,
    shared_subscriptions_and_those_of_others_are_never_found,
    two_processes_of_one_name_do_not_share_a_subscription,
}

/// Google's emulator cannot change labels. There nobody is found, which is better than finding the living.
fn is_blind(server: &Server) -> bool {
    server.is_googles
}

const IDLE: Duration = Duration::from_mins(20);

async fn bus(server: &Server) -> Bus {
    let bus = server.bus().await;
    bus.ensure(Topology::new(bus.names()).jobs(&"echo".parse().unwrap()).events().control()).await.unwrap();
    bus
}

async fn own(bus: &Bus, instance: &str) -> InstanceSubscription {
    bus.instance_subscription(&bus.names().events(), instance, SeekBack(None)).await.unwrap()
}

/// As if the process had last said so an hour ago, once it has said anything.
async fn silence(server: &Server, subscription: &str) {
    if is_blind(server) {
        return;
    }
    let admin = server.subscriptions().await;
    let is_instance = !subscription.ends_with("-worker");
    let said = async {
        while is_instance && admin.get_subscription().set_subscription(subscription).send().await.unwrap().labels.is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    soon("the first sign of life", said).await;
    let hour_ago = jiff::Timestamp::now().as_second() / 60 - 60;
    let old = Subscription::new().set_name(subscription).set_labels([("mayfly-alive-minute", hour_ago.to_string())]);
    let mask = FieldMask::default().set_paths(["labels"]);
    admin.update_subscription().set_subscription(old).set_update_mask(mask).send().await.unwrap();
}

fn paths(abandoned: &[Abandoned]) -> Vec<&str> {
    abandoned.iter().map(|abandoned| abandoned.name.path()).collect()
}

async fn what_a_killed_process_leaves_behind_is_found_and_can_be_deleted_twice(server: &Server) {
    let bus = bus(server).await;
    let (killed, alive) = (own(&bus, "killed").await, own(&bus, "alive").await);
    let killed_path = killed.name().path().to_owned();
    assert_eq!(bus.abandoned(IDLE).await.unwrap(), [], "it is still alive");
    silence(server, &killed_path).await;
    drop(killed);
    if is_blind(server) {
        return assert_eq!(bus.abandoned(Duration::ZERO).await.unwrap(), []);
    }

    let abandoned = bus.abandoned(IDLE).await.unwrap();
    assert_eq!(paths(&abandoned), [&killed_path]);
    let silent = jiff::Timestamp::now().duration_since(abandoned[0].last_alive);
    assert!((3_600..3_800).contains(&silent.as_secs()), "{silent}");

    bus.delete_abandoned(&abandoned[0]).await.unwrap();
    bus.delete_abandoned(&abandoned[0]).await.unwrap();
    assert_eq!(bus.abandoned(IDLE).await.unwrap(), []);
    alive.delete(Duration::from_secs(5)).await.unwrap();
}

async fn a_living_process_says_so_and_is_left_alone(server: &Server) {
    bus(server).await;
    let settings = BusSettings { pubsub_alive_interval: Duration::from_millis(300), ..server.settings() };
    let bus = connect(&settings).await;
    let mine = own(&bus, "alive").await;
    silence(server, mine.name().path()).await;
    let forgotten = async {
        while !bus.abandoned(IDLE).await.unwrap().is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    soon("a sign of life", forgotten).await;
    let found = server.subscriptions().await.get_subscription().set_subscription(mine.name().path()).send().await.unwrap();
    assert_eq!(found.topic, bus.names().events().path(), "nothing else has changed");
    assert!(found.expiration_policy.is_some_and(|policy| policy.ttl.is_some()));
}

async fn shared_subscriptions_and_those_of_others_are_never_found(server: &Server) {
    let ours = bus(server).await;
    // What one installation's names begin with may begin another's.
    let settings = BusSettings { topic_prefix: format!("{}events-", server.settings().topic_prefix), ..server.settings() };
    let theirs = connect(&settings).await;
    theirs.ensure(Topology::new(theirs.names()).events().control()).await.unwrap();
    let their_own = own(&theirs, "killed").await;
    let path = their_own.name().path().to_owned();
    silence(server, &path).await;
    drop(their_own);
    // Somebody's own listener, and one that carries our label though it is on a topic of jobs.
    let listener = ours.names().subscription("events-listener");
    let jobs = ours.names().job_subscription(&"echo".parse().unwrap());
    let spec = SubscriptionSpec::shared(ours.names().events());
    ours.ensure(Topology::new(ours.names()).subscription(listener, spec)).await.unwrap();
    silence(server, jobs.path()).await;

    assert_eq!(ours.abandoned(IDLE).await.unwrap(), []);
    if !is_blind(server) {
        assert_eq!(paths(&theirs.abandoned(IDLE).await.unwrap()), [&path]);
    }
}

async fn two_processes_of_one_name_do_not_share_a_subscription(server: &Server) {
    let (one, other) = (bus(server).await, bus(server).await);
    let (first, second) = (own(&one, "twin").await, own(&other, "twin").await);
    assert_ne!(first.name(), second.name());
    assert!(second.name().id().starts_with(first.name().id()), "{} and {}", first.name(), second.name());
}
