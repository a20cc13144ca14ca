//! A job that kills its worker's process, among others that do not: real processes against the embedded Pub/Sub.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bus::{Bus, BusSettings, ConsumeOptions, Consumer, Message, SubscriptionSpec, Topology};
use cache::Cache;
use emulator::{Clock, Emulator, Running};
use service::{LogFormat, Metrics, Process, ServiceSettings};
use shared::{Attributes, EventMessage, EventType, JobEvent, JobId, Kind, Timestamp};
use tokio::{process::Command, task::JoinSet, time::timeout};
use worker_dead_letter::DeadLetterWorker;

/// Longer than a lease: what a dead process held is delivered again.
const LEASE: Duration = Duration::from_secs(15);
/// Three deaths and three starts on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct World {
    bus: Bus,
    events: Consumer,
    clock: Clock,
    emulator: Running,
    deaths: Arc<AtomicU32>,
    tasks: JoinSet<()>,
}

impl World {
    async fn new() -> Self {
        let clock = Clock::new();
        let emulator = Emulator::default().with_clock(clock.clone()).bind("127.0.0.1:0").await.unwrap().spawn();
        let bus = Bus::connect(&BusSettings::emulator(emulator.host()), &Metrics::default()).await.unwrap();
        let (topic, heard) = (bus.names().events(), bus.names().subscription("heard"));
        let topology = Topology::new(bus.names()).jobs(&echo()).events().control();
        bus.ensure(topology.subscription(heard.clone(), SubscriptionSpec::shared(topic))).await.unwrap();
        let mut tasks = JoinSet::new();
        let process = Process::new(&ServiceSettings {
            log: "info".into(),
            log_format: LogFormat::Text,
            otlp_endpoint: None,
            drain_budget: Duration::from_secs(12),
            hostname: Some("test".into()),
        });
        tasks.spawn(DeadLetterWorker::new(&process, bus.clone(), Cache::absent()).run());
        Self { events: bus.consume(&heard, ConsumeOptions::default()), bus, clock, emulator, deaths: Arc::default(), tasks }
    }

    /// A worker that is started again whenever it has died, as a cluster does.
    fn worker(&mut self) {
        let (host, clock, deaths) = (self.emulator.host(), self.clock.clone(), Arc::clone(&self.deaths));
        self.tasks.spawn(async move {
            loop {
                let mut worker = Command::new(env!("CARGO_BIN_EXE_mayfly-worker-echo"));
                worker.env("PUBSUB_EMULATOR_HOST", &host).env("ECHO_MAY_ABORT", "true").env("LOG", "warn");
                let end = worker.stderr(Stdio::inherit()).kill_on_drop(true).status().await.unwrap();
                assert_eq!(end.code(), None, "killed by a signal");
                deaths.fetch_add(1, Ordering::SeqCst);
                clock.advance(LEASE);
            }
        });
    }

    async fn submit(&self, options: &str) -> JobId {
        let id = JobId::new();
        let attributes = Attributes::from([("id".into(), id.to_string()), ("audience".into(), "user:1".into())]);
        let message = Message::new(attributes, format!("{{\"echo\":{options}}}"));
        self.bus.publish(&self.bus.names().jobs(&echo()), message).await.unwrap();
        id
    }

    /// Submits a job that kills its worker after a moment, while ten that take longer than that run beside it; waits for all ends.
    async fn poison_among_innocents(&mut self) -> (JobEvent, Vec<JobEvent>) {
        let mut innocents = Vec::new();
        for _ in 0..10 {
            innocents.push(self.submit(r#"{"sleepMs":600}"#).await);
        }
        let poison = self.submit(r#"{"sleepMs":300,"abort":true}"#).await;
        let mut ends = BTreeMap::new();
        let all = async {
            while ends.len() < 11 {
                let delivery = self.events.next().await.unwrap();
                let message = delivery.message.clone();
                delivery.ack();
                let parsed = EventMessage::parse(&message.attributes, message.body, "", Timestamp::UNIX_EPOCH).unwrap();
                let EventMessage::Job(event) = parsed else { panic!("{:?}", message.attributes) };
                let newest = ends.get(&event.job_id).is_none_or(|known: &JobEvent| known.seq < event.seq);
                if event.event_type.is_terminal() && newest {
                    ends.insert(event.job_id, event);
                }
            }
        };
        timeout(PATIENCE, all).await.unwrap_or_else(|_| panic!("not in time; {} deaths", self.deaths.load(Ordering::SeqCst)));
        let poisoned = ends.remove(&poison).unwrap();
        assert!(innocents.iter().all(|id| ends.contains_key(id)));
        (poisoned, ends.into_values().collect())
    }

    async fn expect_three_deaths_and_ten_successes(&mut self) {
        let (poisoned, innocents) = self.poison_among_innocents().await;
        let error = poisoned.error.unwrap();
        assert_eq!((poisoned.event_type, error.code.as_ref()), (EventType::Failed, "dead_lettered"));
        assert!(error.message.contains("its worker died 3 times while running it"), "{error}");
        for innocent in innocents {
            assert_eq!(innocent.event_type, EventType::Succeeded, "{innocent:?}");
        }
        assert_eq!(self.deaths.load(Ordering::SeqCst), 3);
    }
}

fn echo() -> Kind {
    "echo".parse().unwrap()
}

#[tokio::test]
async fn a_lone_worker_dies_three_times_of_a_job_and_its_neighbours_all_succeed() {
    let mut world = World::new().await;
    world.worker();
    world.expect_three_deaths_and_ten_successes().await;
}

#[tokio::test]
async fn two_workers_die_three_times_in_all() {
    let mut world = World::new().await;
    world.worker();
    world.worker();
    world.expect_three_deaths_and_ten_successes().await;
}
