//! An embedded Pub/Sub, workers, and somebody who listens to all events.

use std::{
    future::Future,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bus::{Bus, BusSettings, ConsumeOptions, Message, SubscriptionSpec, Topology};
use cache::Cache;
use emulator::{Clock, Emulator, Running};
use service::{LogFormat, Process, ServiceSettings};
use shared::{Attributes, Audience, Cancellation, EventMessage, EventType, JobEvent, JobId, JobMessage, Kind, Payload, Timestamp};
use tokio::{
    runtime::{Builder, Runtime},
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use worker::{Worker, WorkerSettings};

use crate::probe::{Act, Book, Probe};

/// More than anything here should take on a busy machine, less than anybody wants to wait for a failure.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct World {
    pub address: SocketAddr,
    pub bus: Bus,
    pub book: Book,
    pub clock: Clock,
    events: watch::Receiver<Vec<Heard>>,
    dead: watch::Receiver<Vec<Heard>>,
    _emulator: Running,
}

/// A message, and when it came.
#[derive(Debug, Clone)]
pub struct Heard {
    pub message: Message,
    pub at: Instant,
}

pub struct TestWorker {
    pub process: Process,
    task: JoinHandle<()>,
}

impl World {
    pub async fn new() -> Self {
        let clock = Clock::new();
        let emulator = Emulator::default().with_clock(clock.clone()).bind("127.0.0.1:0").await.unwrap().spawn();
        let address = emulator.local_addr();
        let bus = connect(address, &process(Duration::ZERO)).await;
        let names = bus.names().clone();
        bus.ensure(Topology::new(&names).jobs(&kind()).events().control()).await.unwrap();
        let events = hear(&bus, "events").await;
        let dead = hear(&bus, "dead-letter").await;
        Self { address, bus, book: Book::new(), clock, events, dead, _emulator: emulator }
    }

    pub async fn worker(&self) -> TestWorker {
        self.worker_with(settings(), Duration::from_secs(12), self.address).await
    }

    pub async fn worker_with(&self, settings: WorkerSettings, drain_budget: Duration, pubsub: SocketAddr) -> TestWorker {
        let process = process(drain_budget);
        let worker = Worker::builder(&process, connect(pubsub, &process).await, Cache::absent()).settings(settings);
        TestWorker { task: tokio::spawn(worker.register::<Probe>(self.book.clone()).build().run()), process }
    }

    pub async fn worker_with_cache(&self, cache: Cache) -> TestWorker {
        let process = process(Duration::from_secs(12));
        let worker = Worker::builder(&process, connect(self.address, &process).await, cache).settings(settings());
        TestWorker { task: tokio::spawn(worker.register::<Probe>(self.book.clone()).build().run()), process }
    }

    /// A worker that can be killed as if by `kill -9`: it has a runtime of its own, whose tasks and connections all end at once.
    pub fn mortal_worker(&self) -> Runtime {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (address, book) = (self.address, self.book.clone());
        runtime.spawn(async move {
            let process = process(Duration::from_secs(12));
            let worker = Worker::builder(&process, connect(address, &process).await, Cache::absent()).settings(settings());
            worker.register::<Probe>(book).build().run().await;
        });
        runtime
    }

    pub async fn submit(&self, acts: impl Into<Vec<Act>>) -> JobMessage {
        let job = job(acts);
        self.send(&job).await;
        job
    }

    pub async fn send(&self, job: &JobMessage) {
        self.publish(job.to_message().into()).await;
    }

    /// Anything at all on the jobs' topic.
    pub async fn publish(&self, message: Message) {
        self.bus.publish(&self.bus.names().jobs(&kind()), message).await.unwrap();
    }

    pub async fn cancel(&self, job: &JobMessage, audiences: impl Into<Vec<Audience>>) {
        let cancellation = Cancellation { job_id: job.id, audiences: audiences.into() };
        self.bus.publish(&self.bus.names().control(), cancellation.to_message().into()).await.unwrap();
    }

    /// What was said of a job so far, in the order of its numbers.
    pub fn said(&self, id: JobId) -> Vec<JobEvent> {
        said_of(&self.events.borrow(), id)
    }

    /// The same, with the times of arrival, in their order.
    pub fn heard(&self, id: JobId) -> Vec<(JobEvent, Instant)> {
        let events = self.events.borrow();
        let mut heard: Vec<_> = events.iter().filter_map(|heard| Some((event(heard)?, heard.at))).collect();
        heard.retain(|(event, _)| event.job_id == id);
        heard
    }

    /// Waits for an event of this type.
    pub async fn event(&self, id: JobId, event_type: EventType) -> JobEvent {
        let is_it = |event: &JobEvent| event.event_type == event_type;
        let mut events = self.events.clone();
        let heard = soon(&format!("{event_type}"), events.wait_for(|events| said_of(events, id).iter().any(is_it))).await;
        said_of(&heard.unwrap(), id).into_iter().find(is_it).unwrap()
    }

    /// Waits for the end of a job.
    pub async fn end(&self, id: JobId) -> JobEvent {
        let mut events = self.events.clone();
        let ended = |event: &JobEvent| event.event_type.is_terminal();
        let heard = soon("the end", events.wait_for(|events| said_of(events, id).iter().any(ended))).await;
        said_of(&heard.unwrap(), id).into_iter().find(ended).unwrap()
    }

    /// Waits for a dead letter.
    pub async fn dead_letter(&self) -> Message {
        let mut dead = self.dead.clone();
        soon("a dead letter", dead.wait_for(|dead| !dead.is_empty())).await.unwrap()[0].message.clone()
    }

    /// Waits until handlers began this many times.
    pub async fn runs(&self, runs: u32) {
        until("handlers to begin", || self.book.runs() >= runs).await;
    }

    /// All jobs' terminal events so far: a job that is run after this shows that nothing else is on its way.
    pub async fn ends_after_another_job(&self) -> Vec<JobEvent> {
        let marker = self.submit([Act::Succeed]).await;
        self.end(marker.id).await;
        let events = self.events.borrow();
        events.iter().filter_map(event).filter(|event| event.event_type.is_terminal() && event.job_id != marker.id).collect()
    }
}

impl TestWorker {
    /// Drains it and waits for its end; tells how long that took.
    pub async fn drain(self) -> Duration {
        let began = Instant::now();
        self.process.lifecycle.begin_drain();
        soon("the worker to leave", self.task).await.unwrap();
        began.elapsed()
    }
}

pub fn process(drain_budget: Duration) -> Process {
    Process::new(&ServiceSettings {
        log: "info".into(),
        log_format: LogFormat::Text,
        otlp_endpoint: None,
        drain_budget,
        hostname: Some("test".into()),
    })
}

pub fn kind() -> Kind {
    "probe".parse().unwrap()
}

pub fn owner() -> Audience {
    Audience::User("owner".into())
}

pub fn job(acts: impl Into<Vec<Act>>) -> JobMessage {
    JobMessage {
        id: JobId::new(),
        kind: kind(),
        audience: owner(),
        submitted_at: Timestamp::now(),
        max_attempts: None,
        timeout: None,
        payload: Payload::encode(&Probe { acts: acts.into() }).unwrap(),
    }
}

/// Quick where the defaults are patient.
pub fn settings() -> WorkerSettings {
    WorkerSettings {
        worker_retry_base: Duration::from_millis(20),
        worker_cancel_grace: Duration::from_millis(300),
        ..WorkerSettings::default()
    }
}

pub fn text(event: &JobEvent) -> String {
    event.data.as_ref().unwrap().decode().unwrap()
}

pub fn code(event: &JobEvent) -> String {
    event.error.as_ref().unwrap().code.to_string()
}

pub fn attributes<const N: usize>(pairs: [(&str, &str); N]) -> Attributes {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    soon(what, async {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

async fn connect(address: SocketAddr, process: &Process) -> Bus {
    Bus::connect(&BusSettings::emulator(address.to_string()), &process.metrics).await.unwrap()
}

/// Everything on a topic from now on.
pub async fn hear(bus: &Bus, topic: &str) -> watch::Receiver<Vec<Heard>> {
    let (topic, subscription) = (bus.names().topic(topic), bus.names().subscription(&format!("{topic}-heard")));
    let spec = SubscriptionSpec::shared(topic.clone());
    bus.ensure(Topology::new(bus.names()).topic(topic).subscription(subscription.clone(), spec)).await.unwrap();
    let (sender, heard) = watch::channel(Vec::new());
    let mut consumer = bus.consume(&subscription, ConsumeOptions::default());
    tokio::spawn(async move {
        while let Some(delivery) = consumer.next().await {
            sender.send_modify(|heard| heard.push(Heard { message: delivery.message.clone(), at: Instant::now() }));
            delivery.ack();
        }
    });
    heard
}

fn event(heard: &Heard) -> Option<JobEvent> {
    match EventMessage::parse(&heard.message.attributes, heard.message.body.clone(), "", Timestamp::UNIX_EPOCH).unwrap() {
        EventMessage::Job(event) => Some(event),
        EventMessage::Notification(_) => None,
    }
}

fn said_of(events: &[Heard], id: JobId) -> Vec<JobEvent> {
    let mut said: Vec<JobEvent> = events.iter().filter_map(event).filter(|event| event.job_id == id).collect();
    said.sort_by_key(|event| event.seq);
    said
}
