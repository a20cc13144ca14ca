#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use shared::{Audience, EventType, JobEvent, JobId, Payload, Submitted, Timestamp, client::JobState, seq::seq};

use super::*;

const ROOMY: Bounds = Bounds { bytes: 1 << 20, age: Duration::from_secs(60) };

fn event(id: JobId, event_type: EventType, seq: u64) -> JobEvent {
    JobEvent {
        job_id: id,
        kind: "echo".parse().unwrap(),
        audience: Audience::All,
        seq,
        attempt: 1,
        event_type,
        at: Timestamp::now(),
        data: Some(Payload::encode(&seq).unwrap()),
        error: None,
    }
}

fn begin(ring: &mut Ring, id: JobId) -> Begun {
    ring.begin(id, &"echo".parse().unwrap(), &Audience::All, None, Instant::now())
}

const SECOND: Duration = Duration::from_secs(1);

/// What Redis has of a job that was accepted.
fn submitted(id: JobId) -> Submitted {
    Submitted { job_id: id, kind: "echo".parse().unwrap(), audience: Audience::All, at: Timestamp::now() }
}

/// Whether nothing can have been missed of a job that is known.
fn is_certain(ring: &Ring, id: JobId) -> bool {
    ring.job(id).unwrap().is_certain
}

fn passed_on(taken: Taken) -> Option<(EventType, u64)> {
    match taken {
        Taken::New(event) => Some((event.event_type, event.seq)),
        _ => None,
    }
}

#[test]
fn only_newer_events_are_passed_on() {
    let (mut ring, id, now) = (Ring::new(ROOMY), JobId::new(), Instant::now());
    assert!(passed_on(ring.take(event(id, EventType::Progress, 2), Since::Now, now)).is_some());
    assert_eq!(ring.take(event(id, EventType::Progress, 2), Since::Now, now), Taken::Stale);
    assert_eq!(ring.take(event(id, EventType::Started, 1), Since::Now, now), Taken::Stale);
    assert!(passed_on(ring.take(event(id, EventType::Progress, 5), Since::Now, now)).is_some());
}

#[test]
fn a_job_ends_once() {
    let (mut ring, id, now) = (Ring::new(ROOMY), JobId::new(), Instant::now());
    ring.take(event(id, EventType::Succeeded, 3), Since::Now, now);
    assert_eq!(ring.take(event(id, EventType::Failed, 9), Since::Now, now), Taken::Stale);
    assert_eq!(ring.take(event(id, EventType::Progress, 10), Since::Now, now), Taken::Stale);
    assert_eq!(ring.job(id).unwrap().view.state, JobState::Succeeded);
}

#[test]
fn an_end_that_was_overtaken_by_a_second_delivery_is_not_lost() {
    let (mut ring, id, now) = (Ring::new(ROOMY), JobId::new(), Instant::now());
    ring.take(event(id, EventType::Started, seq(2, 0)), Since::Now, now);
    let end = passed_on(ring.take(event(id, EventType::Succeeded, seq(1, 7)), Since::Now, now));
    assert_eq!(end, Some((EventType::Succeeded, seq(2, 1))));
}

#[test]
fn nobody_hears_of_a_job_before_its_submit_is_answered() {
    let (mut ring, id, now) = (Ring::new(ROOMY), JobId::new(), Instant::now());
    assert!(matches!(begin(&mut ring, id), Begun::New));
    assert_eq!(ring.take(event(id, EventType::Started, 1), Since::Now, now), Taken::Held);
    assert_eq!(ring.take(event(id, EventType::Succeeded, 2), Since::Now, now), Taken::Held);
    assert!(ring.events_after(id, 0).is_empty());
    let held: Vec<_> = ring.settle(id, Outcome::Accepted).held.iter().map(|event| event.event_type).collect();
    assert_eq!(held, [EventType::Started, EventType::Succeeded]);
    assert_eq!(ring.events_after(id, 1).len(), 1);
}

#[test]
fn a_second_submit_of_the_same_job_shares_the_firsts_fate() {
    let (mut ring, id) = (Ring::new(ROOMY), JobId::new());
    begin(&mut ring, id);
    let Begun::InFlight { outcome, .. } = begin(&mut ring, id) else { panic!("the first submit is not answered yet") };
    assert_eq!(*outcome.borrow(), Outcome::Pending);
    ring.settle(id, Outcome::Accepted);
    assert_eq!(*outcome.borrow(), Outcome::Accepted);
    assert!(matches!(begin(&mut ring, id), Begun::Known(_)));
}

#[test]
fn a_refused_job_is_forgotten_unless_it_shows_signs_of_life() {
    let (mut ring, id, alive) = (Ring::new(ROOMY), JobId::new(), JobId::new());
    begin(&mut ring, id);
    begin(&mut ring, alive);
    ring.take(event(alive, EventType::Started, 1), Since::Now, Instant::now());
    assert!(ring.settle(id, Outcome::Refused).held.is_empty());
    assert_eq!(ring.settle(alive, Outcome::Refused).held.len(), 1);
    assert!(ring.job(id).is_none());
    assert!(ring.job(alive).is_some());
    assert_eq!(ring.size().0, 1);
}

#[test]
fn a_job_belongs_to_whom_the_worker_says() {
    let (mut ring, id) = (Ring::new(ROOMY), JobId::new());
    begin(&mut ring, id);
    ring.settle(id, Outcome::Accepted);
    let owner = Audience::User("owner".into());
    ring.take(JobEvent { audience: owner.clone(), ..event(id, EventType::Succeeded, 1) }, Since::Now, Instant::now());
    assert_eq!(ring.job(id).unwrap().audience, owner);
}

#[test]
fn a_returning_client_gets_what_it_missed() {
    let (mut ring, id, now) = (Ring::new(ROOMY), JobId::new(), Instant::now());
    for (event_type, seq) in [(EventType::Started, 1), (EventType::Progress, 2), (EventType::Progress, 3)] {
        ring.take(event(id, event_type, seq), Since::Now, now);
    }
    let missed = |ring: &mut Ring, seq| ring.events_after(id, seq).iter().map(|event| event.seq).collect::<Vec<_>>();
    assert_eq!(missed(&mut ring, 0), [3]);
    assert!(missed(&mut ring, 3).is_empty());
    ring.take(event(id, EventType::Succeeded, 4), Since::Now, now);
    assert_eq!(missed(&mut ring, 1), [4]);
    assert!(missed(&mut ring, 4).is_empty());
}

#[test]
fn a_client_that_saw_more_of_a_later_delivery_gets_the_end_of_an_earlier_one() {
    let (mut ring, id) = (Ring::new(ROOMY), JobId::new());
    ring.take(event(id, EventType::Succeeded, seq(1, 1)), Since::Now, Instant::now());
    let seen = seq(2, 1);
    let missed = ring.events_after(id, seen);
    assert_eq!(missed.iter().map(|event| (event.event_type, event.seq > seen)).collect::<Vec<_>>(), [(EventType::Succeeded, true)]);
    assert!(ring.events_after(id, missed[0].seq).is_empty());
}

#[test]
fn an_event_that_was_looked_up_elsewhere_first_is_still_news_once() {
    let (mut ring, id, now) = (Ring::new(ROOMY), JobId::new(), Instant::now());
    ring.take(event(id, EventType::Succeeded, 4), Since::Before, now);
    assert_eq!(ring.job(id).unwrap().view.state, JobState::Succeeded);
    assert_eq!(passed_on(ring.take(event(id, EventType::Succeeded, 4), Since::Now, now)), Some((EventType::Succeeded, 4)));
    assert_eq!(ring.take(event(id, EventType::Succeeded, 4), Since::Now, now), Taken::Stale);
}

#[test]
fn an_end_that_got_another_number_meanwhile_is_still_news_to_those_who_were_not_told() {
    let (mut ring, id, now) = (Ring::new(ROOMY), JobId::new(), Instant::now());
    ring.take(event(id, EventType::Succeeded, 8), Since::Before, now);
    assert_eq!(ring.events_after(id, 9).len(), 1);
    assert_eq!(passed_on(ring.take(event(id, EventType::Succeeded, 8), Since::Now, now)), Some((EventType::Succeeded, 10)));
    assert_eq!(ring.take(event(id, EventType::Succeeded, 8), Since::Now, now), Taken::Stale);
}

#[test]
fn what_was_looked_up_elsewhere_waits_for_the_answer_to_a_submit_too() {
    let (mut ring, id, now) = (Ring::new(ROOMY), JobId::new(), Instant::now());
    begin(&mut ring, id);
    ring.take(event(id, EventType::Succeeded, 4), Since::Before, now);
    assert_eq!(ring.take(event(id, EventType::Succeeded, 4), Since::Now, now), Taken::Held);
    assert_eq!(ring.settle(id, Outcome::Accepted).since, Since::Now);
}

#[test]
fn what_has_not_moved_for_long_is_forgotten() {
    let (mut ring, old, young, start) = (Ring::new(ROOMY), JobId::new(), JobId::new(), Instant::now());
    ring.take(event(old, EventType::Succeeded, 1), Since::Now, start);
    ring.take(event(young, EventType::Started, 1), Since::Now, start);
    ring.take(event(young, EventType::Progress, 2), Since::Now, start + Duration::from_secs(59));
    ring.evict(start + Duration::from_secs(61));
    assert!(ring.job(old).is_none());
    assert!(ring.job(young).is_some());
}

#[test]
fn what_was_accepted_before_the_gateway_listened_is_certain_only_if_it_can_look_back() {
    for (looks_back, is_known) in [(SECOND * 5, true), (Duration::ZERO, false)] {
        let (mut ring, id, start) = (Ring::new(ROOMY), JobId::new(), Instant::now());
        ring.begin(id, &"echo".parse().unwrap(), &Audience::All, None, start);
        ring.settle(id, Outcome::Accepted);
        assert!(!is_certain(&ring, id), "nobody listens yet");
        ring.listen_since(start + SECOND * 2 - looks_back);
        assert_eq!(is_certain(&ring, id), is_known);
        ring.take(event(id, EventType::Started, 1), Since::Now, start + SECOND * 3);
        assert!(is_certain(&ring, id), "its end comes later");
    }
}

#[test]
fn a_gateway_that_lost_track_is_certain_of_what_has_ended_and_of_what_moves_again() {
    let (mut ring, start) = (Ring::new(ROOMY), Instant::now());
    ring.listen_since(start);
    let [ended, moving, silent, looked_up] = [(); 4].map(|()| JobId::new());
    ring.take(event(ended, EventType::Succeeded, 1), Since::Now, start);
    for id in [moving, silent, looked_up] {
        ring.take(event(id, EventType::Started, 1), Since::Now, start);
    }
    ring.listen_since(start + SECOND);
    ring.listen_since(start);
    ring.take(event(moving, EventType::Progress, 2), Since::Now, start + SECOND * 2);
    // That an attempt failed once says nothing about now.
    ring.take(event(looked_up, EventType::Retrying, 2), Since::Before, start + SECOND * 2);
    assert_eq!([ended, moving, silent, looked_up].map(|id| is_certain(&ring, id)), [true, true, false, false]);
    ring.take(event(silent, EventType::Failed, 5), Since::Before, start + SECOND * 3);
    assert!(is_certain(&ring, silent));
}

#[test]
fn a_job_that_another_gateway_took_is_certain_if_this_one_has_heard_everything_since() {
    let (mut ring, start) = (Ring::new(ROOMY), Instant::now());
    let [deaf, early, late, unknown] = [(); 4].map(|()| JobId::new());
    ring.take_submitted(&submitted(deaf), Some(start), start);
    ring.listen_since(start + SECOND);
    for (id, at) in [(early, Some(start)), (late, Some(start + SECOND)), (unknown, None)] {
        ring.take_submitted(&submitted(id), at, start + SECOND * 2);
    }
    assert_eq!([deaf, early, late, unknown].map(|id| is_certain(&ring, id)), [false, false, true, false]);
    let view = ring.job(late).unwrap().view;
    assert_eq!((view.state, view.seq), (JobState::Queued, 0));
    ring.listen_since(start + SECOND * 3);
    assert!(!is_certain(&ring, late));
}

#[test]
fn a_job_whose_end_may_have_been_forgotten_is_not_certain_to_wait() {
    let (mut ring, start) = (Ring::new(ROOMY), Instant::now());
    let [id, later] = [(); 2].map(|()| JobId::new());
    ring.listen_since(start);
    ring.take(event(id, EventType::Succeeded, 1), Since::Now, start + SECOND * 2);
    let now = start + SECOND * 2 + ROOMY.age * 2;
    ring.evict(now);
    ring.take_submitted(&submitted(id), Some(start + SECOND), now);
    ring.take_submitted(&submitted(later), Some(start + SECOND * 3), now);
    assert_eq!([id, later].map(|id| is_certain(&ring, id)), [false, true]);
}

#[test]
fn what_is_found_of_a_submit_never_hides_what_came_after_it() {
    let (mut ring, start) = (Ring::new(ROOMY), Instant::now());
    let [repeated, running, ended] = [(); 3].map(|()| JobId::new());
    ring.listen_since(start + SECOND);
    begin(&mut ring, repeated);
    ring.take(event(running, EventType::Started, 1), Since::Now, start + SECOND);
    ring.take(event(ended, EventType::Succeeded, 1), Since::Now, start + SECOND);
    for id in [repeated, running, ended] {
        ring.take_submitted(&submitted(id), Some(start), start + SECOND * 2);
    }
    let states = [repeated, running, ended].map(|id| (ring.job(id).unwrap().view.state, is_certain(&ring, id)));
    assert_eq!(states, [(JobState::Queued, false), (JobState::Running, true), (JobState::Succeeded, true)]);
}

proptest! {
    /// Whatever comes in whatever order: the bound holds, seqs grow, and nothing follows an end.
    #[test]
    fn the_bound_holds_and_every_client_sees_a_sane_story(
        steps in prop::collection::vec((0_usize..8, 0_usize..6, 1_u64..40, 0_usize..3000), 1..300),
    ) {
        let ids: Vec<_> = (0..8).map(|_| JobId::new()).collect();
        let bounds = Bounds { bytes: 12_000, age: Duration::from_secs(3600) };
        let (mut ring, now) = (Ring::new(bounds), Instant::now());
        let mut last: std::collections::HashMap<JobId, (u64, bool)> = Default::default();
        for (job, event_type, seq, size) in steps {
            let id = ids[job];
            // A forgotten job starts a new story.
            if ring.job(id).is_none() {
                last.remove(&id);
            }
            let mut event = event(id, EventType::ALL[event_type], seq);
            event.data = Some(Payload::encode(&"x".repeat(size)).unwrap());
            if let Taken::New(event) = ring.take(event, Since::Now, now) {
                let (before, ended) = last.get(&id).copied().unwrap_or_default();
                prop_assert!(event.seq > before && !ended);
                last.insert(id, (event.seq, event.event_type.is_terminal()));
            }
            let (jobs, bytes) = ring.size();
            prop_assert!(bytes <= bounds.bytes);
            prop_assert_eq!(bytes == 0, jobs == 0);
        }
    }
}
