//! Dead letters against the embedded Pub/Sub.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::{future::Future, time::Duration};

use bus::{Bus, BusSettings, ConsumeOptions, Consumer, Message, SubscriptionSpec, Topology};
use cache::Cache;
use emulator::{Clock, Emulator, Running};
use service::{LogFormat, Metrics, Process, ServiceSettings};
use shared::{Attributes, EventMessage, EventType, JobEvent, JobId, Kind, Timestamp};
use tokio::{task::JoinHandle, time::timeout};
use worker_dead_letter::{Archive, DeadLetterWorker};

struct World {
    bus: Bus,
    events: Consumer,
    process: Process,
    worker: JoinHandle<()>,
    clock: Clock,
    _emulator: Running,
}

impl World {
    async fn new() -> Self {
        let clock = Clock::new();
        let emulator = Emulator::default().with_clock(clock.clone()).bind("127.0.0.1:0").await.unwrap().spawn();
        let bus = Bus::connect(&BusSettings::emulator(emulator.host()), &Metrics::default()).await.unwrap();
        let (topic, heard) = (bus.names().events(), bus.names().subscription("heard"));
        let topology = Topology::new(bus.names()).jobs(&echo()).events();
        bus.ensure(topology.subscription(heard.clone(), SubscriptionSpec::shared(topic))).await.unwrap();
        let process = Process::new(&ServiceSettings {
            log: "info".into(),
            log_format: LogFormat::Text,
            otlp_endpoint: None,
            drain_budget: Duration::from_secs(12),
            hostname: Some("test".into()),
        });
        let worker = tokio::spawn(DeadLetterWorker::new(&process, bus.clone(), Cache::absent()).run());
        Self { events: bus.consume(&heard, ConsumeOptions::default()), bus, process, worker, clock, _emulator: emulator }
    }

    /// A job that nobody can process: every delivery is handed back until Pub/Sub gives up.
    async fn poison(&self) -> JobId {
        let id = JobId::new();
        let attributes = Attributes::from([("id".into(), id.to_string()), ("audience".into(), "user:1".into())]);
        self.bus.publish(&self.bus.names().jobs(&echo()), Message::new(attributes, "{\"poison\":true}")).await.unwrap();
        let mut consumer = self.bus.consume(&self.bus.names().job_subscription(&echo()), ConsumeOptions::default());
        let mut deliveries = 0;
        while deliveries < 20 {
            let Ok(delivery) = timeout(Duration::from_millis(50), consumer.next()).await else {
                // It rests for a while, longer each time.
                self.clock.advance(Duration::from_secs(1));
                continue;
            };
            deliveries = delivery.unwrap().delivery_attempt;
        }
        consumer.close(Duration::from_secs(5)).await;
        id
    }

    async fn event(&mut self) -> JobEvent {
        let delivery = soon("an event", self.events.next()).await.unwrap();
        let message = delivery.message.clone();
        delivery.ack();
        match EventMessage::parse(&message.attributes, message.body, "", Timestamp::UNIX_EPOCH).unwrap() {
            EventMessage::Job(event) => event,
            EventMessage::Notification(_) => panic!("{:?}", message.attributes),
        }
    }
}

fn echo() -> Kind {
    "echo".parse().unwrap()
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(40), future).await.unwrap_or_else(|_| panic!("{what}: not in time"))
}

#[tokio::test]
async fn a_poisoned_job_fails_at_its_client_can_be_looked_at_and_sent_again() {
    let mut world = World::new().await;
    let id = world.poison().await;
    let event = world.event().await;
    assert_eq!((event.job_id, event.event_type), (id, EventType::Failed));
    assert_eq!(event.error.as_ref().unwrap().code, "dead_lettered");

    let archive = Archive::new(world.bus.clone());
    for _ in 0..2 {
        let letters = archive.list().await.unwrap();
        assert_eq!(letters.len(), 1, "looking does not take it away");
        assert_eq!((letters[0].job_id, letters[0].body.as_ref()), (Some(id), &b"{\"poison\":true}"[..]));
    }

    assert!(archive.replay(|letter| letter.job_id != Some(id)).await.unwrap().sent.is_empty());
    assert_eq!(archive.replay(|letter| letter.job_id == Some(id)).await.unwrap().sent.len(), 1);
    let mut worker = world.bus.consume(&world.bus.names().job_subscription(&echo()), ConsumeOptions::default());
    let again = soon("the job, again", worker.next()).await.unwrap();
    assert_eq!(
        (again.message.attributes["id"].as_str(), again.message.body.as_ref()),
        (id.to_string().as_str(), &b"{\"poison\":true}"[..])
    );
    again.ack();
    assert!(archive.list().await.unwrap().is_empty(), "what was sent again is no longer in the archive");
}

#[tokio::test]
async fn a_letter_that_nobody_waits_for_is_kept_and_does_not_hold_up_the_next() {
    let mut world = World::new().await;
    let dead = world.bus.names().dead_letter();
    world.bus.publish(&dead, Message::new(Attributes::new(), "nobody's")).await.unwrap();
    let id = JobId::new();
    let attributes = [("id", id.to_string()), ("audience", "user:1".to_owned()), ("kind", "echo".to_owned())];
    let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    world.bus.publish(&dead, Message::new(attributes, "somebody's")).await.unwrap();
    assert_eq!(world.event().await.job_id, id);
    let replayed = Archive::new(world.bus.clone()).replay(|_| true).await.unwrap();
    assert_eq!((replayed.sent.len(), replayed.kept.len()), (1, 1));
    assert_eq!(replayed.kept[0].0.body, "nobody's");
    world.process.lifecycle.begin_drain();
    soon("the worker to leave", world.worker).await.unwrap();
}
