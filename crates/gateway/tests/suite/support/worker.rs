use bus::{Bus, ConsumeOptions, Consumer, Topology};
use serde_json::Value;
use shared::{Envelope, EventMessage, EventType, JobEvent, JobMessage, Kind, Payload, Timestamp, seq::seq};
use tokio::time::timeout;

use super::DEADLINE;

/// Takes `echo` jobs and says about them what the story wants.
pub struct FakeWorker {
    bus: Bus,
    jobs: Consumer,
    kind: Kind,
}

impl FakeWorker {
    pub(super) async fn start(bus: Bus) -> Self {
        let kind: Kind = "echo".parse().unwrap();
        bus.ensure(Topology::new(bus.names()).jobs(&kind).events().control()).await.unwrap();
        let jobs = bus.consume(&bus.names().job_subscription(&kind), ConsumeOptions::default());
        Self { bus, jobs, kind }
    }

    /// The next job, taken for good.
    pub async fn job(&mut self) -> JobMessage {
        let delivery = timeout(DEADLINE, self.jobs.next()).await.expect("a job arrives").expect("the consumer lives");
        let envelope = Envelope { kind: &self.kind, message_id: &delivery.message_id, published_at: delivery.published_at };
        let job = JobMessage::parse(&delivery.message.attributes, delivery.message.body.clone(), envelope).unwrap();
        delivery.ack();
        job
    }

    /// The job of this id, taken for good; the next one must be it.
    pub async fn job_of(&mut self, id: &str) -> JobMessage {
        let job = self.job().await;
        assert_eq!(job.id.to_string(), id);
        job
    }

    /// Says something about a job; `step` orders what is said.
    pub async fn say(&self, job: &JobMessage, event_type: EventType, step: u32, data: Option<Payload>) {
        self.publish(Self::event(job, event_type, seq(1, step), data)).await;
    }

    /// What could be said about a job.
    pub fn event(job: &JobMessage, event_type: EventType, seq: u64, data: Option<Payload>) -> JobEvent {
        JobEvent {
            job_id: job.id,
            kind: job.kind.clone(),
            audience: job.audience.clone(),
            seq,
            attempt: 1,
            event_type,
            at: Timestamp::now(),
            data,
            error: None,
        }
    }

    pub async fn publish(&self, event: JobEvent) {
        self.bus.publish(&self.bus.names().events(), EventMessage::Job(event).to_message().into()).await.unwrap();
    }

    /// Started, and succeeded with the payload as result.
    pub async fn finish(&self, job: &JobMessage) {
        self.say(job, EventType::Started, 0, None).await;
        self.say(job, EventType::Succeeded, 1, Some(job.payload.clone())).await;
    }

    /// Finishes whatever comes, for ever.
    pub fn finish_all(mut self) {
        tokio::spawn(async move {
            loop {
                let job = self.job().await;
                self.finish(&job).await;
            }
        });
    }

    pub fn data(value: Value) -> Option<Payload> {
        Some(Payload::encode(&value).unwrap())
    }
}
