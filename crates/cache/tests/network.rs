//! What a busy process and a bad network make of a healthy Redis: a Redis that is up.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use std::time::{Duration, Instant};

use cache::{Cache, Claim, PerishableEvents};
use common::{DEADLINE, Redis, connect, event, process, proxy::Proxy, state, until};
use futures::future::join_all;
use service::State;
use shared::{EventMessage, EventType, JobId};

async fn lookups(cache: &Cache, number: usize) -> usize {
    let answers = join_all((0..number).map(|_| cache.history(JobId::new(), 0))).await;
    answers.iter().filter(|answer| answer.is_some()).count()
}

/// Waits until commands are answered again, on every connection; Redis is up all the time.
async fn are_replaced(cache: &Cache) {
    until("commands are answered", async || {
        assert_eq!(cache.state(), State::Up);
        cache.claim(JobId::new(), "one", DEADLINE).await == Claim::Won
    })
    .await;
    until("on every connection", async || lookups(cache, 100).await == 100).await;
}

/// Waits until what is said now is heard.
async fn hears(events: &mut PerishableEvents, speaker: &Cache) {
    let said = event(JobId::new(), 1, EventType::Progress);
    let resend = async {
        loop {
            speaker.publish_event(&said).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let hear = async { while events.next().await != EventMessage::Job(said.clone()) {} };
    tokio::select! {
        heard = tokio::time::timeout(DEADLINE, hear) => heard.expect("it hears"),
        () = resend => unreachable!("it never ends"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_lookups_at_once_are_all_answered_and_redis_stays_up() {
    let redis = Redis::started();
    // One at a time on each connection these would take several seconds; together they take a few round trips.
    let proxy = Proxy::before(redis.port, Duration::from_millis(10)).await;
    let cache = connect(&[&format!("--redis-url=redis://127.0.0.1:{}", proxy.port), "--redis-deadline", "1000"]);
    state(&cache, State::Up).await;
    let began = Instant::now();
    // Redis is looked at several times meanwhile, and if it were taken for down, nothing would be answered.
    while began.elapsed() < Duration::from_secs(2) {
        assert_eq!(lookups(&cache, 400).await, 400);
        assert_eq!(cache.state(), State::Up);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_frozen_redis_owes_is_bounded_and_being_full_has_a_name() {
    let redis = Redis::started();
    let (cache, process) = process(&[&format!("--redis-url=redis://127.0.0.1:{}", redis.port)]);
    state(&cache, State::Up).await;
    redis.signal("STOP");
    assert_eq!(lookups(&cache, 5000).await, 0);
    let figures = process.metrics.encode();
    assert!(figures.contains(r#"mayfly_redis_commands_total{command="ReadHistory",outcome="Full"}"#), "{figures}");
    redis.signal("CONT");
    until("every connection has room again", async || lookups(&cache, 400).await == 400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_redis_closed_are_replaced_and_redis_stays_up() {
    let redis = Redis::started();
    let cache = redis.cache();
    state(&cache, State::Up).await;
    redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    are_replaced(&cache).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_died_silently_are_replaced_and_redis_stays_up() {
    let redis = Redis::started();
    let proxy = Proxy::before(redis.port, Duration::ZERO).await;
    let cache = connect(&[&format!("--redis-url=redis://127.0.0.1:{}", proxy.port)]);
    state(&cache, State::Up).await;
    proxy.silence();
    are_replaced(&cache).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_whose_connection_died_silently_hears_again() {
    let redis = Redis::started();
    let proxy = Proxy::before(redis.port, Duration::ZERO).await;
    let (speaker, listener) = (redis.cache(), connect(&[&format!("--redis-url=redis://127.0.0.1:{}", proxy.port)]));
    let mut events = listener.events();
    hears(&mut events, &speaker).await;
    proxy.silence();
    // New connections are fine, so commands go on and Redis is up.
    hears(&mut events, &speaker).await;
}
