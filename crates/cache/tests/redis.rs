//! What Redis adds while it is there.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use std::time::Duration;

use cache::{Claim, Published};
use common::{DEADLINE, Redis, event, state, until};
use service::State;
use shared::{Audience, EventMessage, EventType, JobId, Notification};

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
    assert_eq!(worker.publish_notification(&chat).await, Published::Redis);
    let mut received = sent.clone();
    while received == sent {
        received = tokio::time::timeout(DEADLINE, events.next()).await.unwrap();
    }
    assert_eq!(received, EventMessage::Notification(chat));
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
