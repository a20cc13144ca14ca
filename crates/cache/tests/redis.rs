//! What Redis adds while it is there.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use cache::{Allowed, Claim, Published, Story};
use common::{DEADLINE, Redis, event, state, until};
use service::State;
use shared::{Audience, Cancellation, EventMessage, EventType, JobId, Notification, Submitted, Timestamp, Trial};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_perishable_reaches_every_listener() {
    let redis = Redis::started();
    let (worker, gateway) = (redis.cache(), redis.cache());
    let mut events = gateway.events();
    state(&worker, State::Up).await;
    let sent = event(JobId::new(), 1, EventType::Progress);

    // The subscription is made in the background; what was said before it is gone, as perishable things are.
    let resend = async {
        loop {
            assert_eq!(worker.publish_event(&sent).await, Published::Redis);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let received = tokio::select! {
        received = tokio::time::timeout(DEADLINE, events.next()) => received.unwrap(),
        () = resend => unreachable!("it never ends"),
    };
    let sent = EventMessage::Job(sent);
    assert_eq!(received, sent);

    let chat = Notification { id: "1".into(), audience: Audience::Channel("news".into()), event: "said".into(), data: None };
    assert_eq!(worker.publish_notifications(&[&chat], Duration::ZERO).await, Published::Unsettled);
    let mut received = sent.clone();
    while received == sent {
        received = tokio::time::timeout(DEADLINE, events.next()).await.unwrap();
    }
    assert_eq!(received, EventMessage::Notification(chat.clone()));
    // Nobody can know who listens already, but there is a time after which everybody does.
    until("it has settled", async || worker.publish_notifications(&[&chat], Duration::ZERO).await == Published::Redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_told_in_order_from_where_one_left_off() {
    let redis = Redis::started();
    let cache = redis.cache();
    state(&cache, State::Up).await;
    let job = JobId::new();
    let (started, retrying, succeeded) =
        (event(job, 1, EventType::Started), event(job, 3, EventType::Retrying), event(job, 5, EventType::Succeeded));
    for event in [&succeeded, &started, &retrying, &started] {
        cache.record(event);
    }
    until("everything is written", async || cache.history(job, 0).await.is_some_and(|events| events.len() == 3)).await;
    assert_eq!(cache.history(job, 0).await.unwrap().iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 3, 5]);
    assert_eq!(cache.history(job, 3).await.unwrap(), [succeeded]);
    assert_eq!(cache.history(JobId::new(), 0).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_begins_when_a_gateway_first_took_the_job_whenever_that_is_written() {
    let redis = Redis::started();
    let cache = redis.cache();
    state(&cache, State::Up).await;
    let succeeded = event(JobId::new(), 5, EventType::Succeeded);
    let submitted = |at: &str| Submitted {
        job_id: succeeded.job_id,
        kind: succeeded.kind.clone(),
        audience: succeeded.audience.clone(),
        at: at.parse::<Timestamp>().unwrap(),
    };
    let [first, second] = ["2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"].map(submitted);
    cache.record(&succeeded);
    cache.record_submitted(second.clone());
    until("the end and a submit are written", async || {
        cache
            .story(succeeded.job_id)
            .await
            .is_some_and(|story| story.submitted.as_ref() == Some(&second) && story.events == [succeeded.clone()])
    })
    .await;
    cache.record_submitted(first.clone());
    until("the first submit counts", async || {
        cache.story(succeeded.job_id).await.is_some_and(|story| story.submitted.as_ref() == Some(&first))
    })
    .await;
    assert_eq!(cache.story(JobId::new()).await.unwrap(), Story::default());
    // It is no event.
    assert_eq!(cache.history(succeeded.job_id, 0).await.unwrap(), [succeeded]);
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_not_history() {
    let redis = Redis::started();
    let cache = redis.cache();
    state(&cache, State::Up).await;
    let job = JobId::new();
    cache.record(&event(job, 1, EventType::Progress));
    cache.record(&event(job, 2, EventType::Succeeded));
    until("the result is written", async || cache.history(job, 0).await.is_some_and(|events| !events.is_empty())).await;
    assert_eq!(cache.history(job, 0).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_owner_holds_a_claim_until_it_is_released_or_its_time_is_over() {
    let redis = Redis::started();
    let cache = redis.cache();
    state(&cache, State::Up).await;
    let (job, long, short) = (JobId::new(), Duration::from_secs(60), Duration::from_millis(100));
    assert_eq!(cache.claim(job, "one", long).await, Claim::Won);
    assert_eq!(cache.claim(job, "one", long).await, Claim::Won);
    assert_eq!(cache.claim(job, "two", long).await, Claim::Held);
    cache.release(job, "two").await;
    assert_eq!(cache.claim(job, "two", long).await, Claim::Held);
    cache.release(job, "one").await;
    assert_eq!(cache.claim(job, "two", short).await, Claim::Won);
    until("the claim's time is over", async || cache.claim(job, "one", long).await == Claim::Won).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_claims_a_job_is_told_who_has_cancelled_it() {
    let redis = Redis::started();
    let (gateway, worker) = (redis.cache(), redis.cache());
    state(&gateway, State::Up).await;
    state(&worker, State::Up).await;
    let (job, ttl) = (JobId::new(), Duration::from_secs(60));
    let of = |user: &str| Cancellation { job_id: job, audiences: vec![Audience::User(user.into())] };
    for cancellation in [of("1"), of("1")] {
        gateway.record_cancellation(&cancellation).await;
    }
    assert_eq!(worker.claim(job, "one", ttl).await, Claim::Cancelled(vec![of("1")]));
    assert_eq!(worker.claim(job, "two", ttl).await, Claim::Held, "who runs it knows, too");
    assert_eq!(worker.claim(JobId::new(), "one", ttl).await, Claim::Won);
    for user in 2..100 {
        gateway.record_cancellation(&of(&user.to_string())).await;
    }
    let Claim::Cancelled(known) = worker.claim(job, "one", ttl).await else { panic!("it is cancelled") };
    assert_eq!(known.len(), 8, "they do not pile up");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_worker_tried_another_knows_once() {
    let redis = Redis::started();
    let (one, other) = (redis.cache(), redis.cache());
    state(&one, State::Up).await;
    state(&other, State::Up).await;
    let kind = "echo".parse().unwrap();
    let trial = |worker: &str, alone| Trial { kind: "echo".parse().unwrap(), message_id: "17".into(), worker: worker.into(), alone };
    for trial in [trial("a", false), trial("b", true), trial("a", false)] {
        one.record_trial(&trial).await;
    }
    let mut known = other.trials(&kind, "17").await.unwrap();
    known.sort_by(|a, b| a.worker.cmp(&b.worker));
    assert_eq!(known, [trial("a", false), trial("b", true)]);
    assert_eq!(other.trials(&kind, "18").await.unwrap(), []);
}

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_processes_together_get_a_burst_and_then_so_many_a_second() {
    let redis = Redis::started();
    let caches = [redis.cache(), redis.cache()];
    for cache in &caches {
        state(cache, State::Up).await;
    }
    let (began, mut allowed) = (Instant::now(), 0);
    for cache in caches.iter().cycle() {
        if began.elapsed() > Duration::from_secs(2) {
            break;
        }
        if cache.allow("session:1", number(20), number(10)).await == Some(Allowed::Yes) {
            allowed += 1;
        }
    }
    // The upper bound is the promise; a busy machine may leave some of it unused.
    assert!((40..=52).contains(&allowed), "{allowed} of 10 at once and 20 a second for 2 s");
    assert_eq!(caches[0].allow("session:2", number(20), number(10)).await, Some(Allowed::Yes), "others are not concerned");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_is_told_when_to_come_again_and_refusals_cost_nothing() {
    let redis = Redis::started();
    let cache = redis.cache();
    state(&cache, State::Up).await;
    assert_eq!(cache.allow("one", number(4), number(1)).await, Some(Allowed::Yes));
    let mut waits = Vec::new();
    for _ in 0..5 {
        let Some(Allowed::After(wait)) = cache.allow("one", number(4), number(1)).await else { panic!("one at a time") };
        waits.push(wait);
    }
    assert!(waits[0] <= Duration::from_millis(250) && waits.is_sorted_by(|earlier, later| earlier >= later), "{waits:?}");
    tokio::time::sleep(waits[4]).await;
    assert_eq!(cache.allow("one", number(4), number(1)).await, Some(Allowed::Yes));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_nobody_uses_leaves_nothing_behind() {
    let redis = Redis::started();
    let cache = redis.cache();
    state(&cache, State::Up).await;
    cache.allow("passing", number(10), number(5)).await.unwrap();
    until("the key is gone", async || redis.keys("mayfly:rate:*").is_empty()).await;
}
