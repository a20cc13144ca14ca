//! What is left when Redis is not there: nothing fails, nothing waits, and nobody restarts anything.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use cache::{Cache, Claim, Published};
use common::{Redis, connect, event, state};
use service::State;
use shared::{Cancellation, EventType, JobId};

/// Twice the deadline of a command: the machine that runs the tests may be busy.
const AT_ONCE: Duration = Duration::from_millis(100);

async fn everything_says_so_at_once(cache: &Cache) {
    let began = Instant::now();
    assert_eq!(cache.publish_event(&event(JobId::new(), 1, EventType::Progress)).await, Published::Unavailable);
    assert!(cache.history(JobId::new(), 0).await.is_none());
    assert_eq!(cache.claim(JobId::new(), "one", Duration::from_secs(1)).await, Claim::Unknown);
    cache.release(JobId::new(), "one").await;
    cache.record(&event(JobId::new(), 1, EventType::Succeeded));
    cache.record_cancellation(&Cancellation { job_id: JobId::new(), audiences: Vec::new() }).await;
    assert_eq!(cache.allow("anybody", NonZeroU32::MIN, NonZeroU32::MIN).await, None);
    assert_eq!(cache.trials(&"echo".parse().unwrap(), "17").await, None);
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
}

async fn everything_works(cache: &Cache) {
    state(cache, State::Up).await;
    assert_eq!(cache.publish_event(&event(JobId::new(), 1, EventType::Progress)).await, Published::Redis);
    assert_eq!(cache.claim(JobId::new(), "one", Duration::from_secs(1)).await, Claim::Won);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_address_redis_is_off() {
    let cache = connect(&[]);
    assert_eq!(cache.state(), State::Off);
    everything_says_so_at_once(&cache).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_come_after_mayfly() {
    let mut redis = Redis::absent();
    let cache = redis.cache();
    everything_says_so_at_once(&cache).await;
    redis.start(&[]);
    everything_works(&cache).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_be_killed_and_come_back_empty() {
    let mut redis = Redis::started();
    let cache = redis.cache();
    everything_works(&cache).await;
    redis.kill();
    state(&cache, State::Down).await;
    everything_says_so_at_once(&cache).await;
    redis.start(&[]);
    everything_works(&cache).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_redis_makes_nobody_wait_longer_than_the_deadline() {
    let redis = Redis::started();
    let cache = redis.cache();
    everything_works(&cache).await;
    redis.signal("STOP");
    while cache.state() == State::Up {
        let began = Instant::now();
        assert_eq!(cache.claim(JobId::new(), "one", Duration::from_secs(1)).await, Claim::Unknown);
        assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    }
    everything_says_so_at_once(&cache).await;
    redis.signal("CONT");
    everything_works(&cache).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_redis_is_away_until_there_is_room() {
    let redis = Redis::started();
    let cache = redis.cache();
    everything_works(&cache).await;
    redis.cli(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    state(&cache, State::Down).await;
    everything_says_so_at_once(&cache).await;
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    everything_works(&cache).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_refuses_the_password_is_away() {
    let mut redis = Redis::absent();
    redis.start(&["--requirepass", "right"]);
    let wrong = connect(&[&format!("--redis-url=redis://:wrong@127.0.0.1:{}", redis.port)]);
    let right = connect(&[&format!("--redis-url=redis://:right@127.0.0.1:{}", redis.port)]);
    everything_works(&right).await;
    assert_eq!(wrong.state(), State::Down);
    everything_says_so_at_once(&wrong).await;
}
