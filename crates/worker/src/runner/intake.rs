use std::sync::Arc;

use bus::Delivery;
use shared::{Envelope, JobEvent, JobMessage, MalformedMessage, limits::MAX_PAYLOAD};

use super::{
    execution::Execution,
    ledger::{Admission, Ending, ending},
    reject::reject,
    serve::Station,
};
use crate::metrics::Incident;

/// Deals with one delivery until it is settled or handed back.
pub(crate) async fn take_in(station: Arc<Station>, delivery: Delivery) {
    let core = Arc::clone(&station.core);
    let job = match read(&station, &delivery) {
        Ok(job) => job,
        Err(malformed) => return reject(&station, delivery, malformed).await,
    };
    let admission = core.ledger.admit(&job, &delivery.message_id);
    if !matches!(admission, Admission::Run(_)) {
        core.metrics.incident(&job.kind, Incident::duplicate);
    }
    match admission {
        Admission::Run(ticket) => Box::pin(Execution::new(station, job, delivery, ticket).run()).await,
        Admission::Running(running) => match ending(running).await {
            Ending::Settled => delivery.ack(),
            Ending::HandedBack => hand_back(&station, delivery).await,
        },
        Admission::Settled => delivery.ack(),
        Admission::Ended(event) => tell_again(&station, delivery, &event).await,
    }
}

/// Hands a delivery back so that it starts elsewhere at once: while draining, not before our own stream is closed,
/// into which it might be delivered again.
pub(crate) async fn hand_back(station: &Station, delivery: Delivery) {
    if station.core.lifecycle.is_draining() {
        station.stopped.cancelled().await;
    }
    delivery.nack();
}

fn read(station: &Station, delivery: &Delivery) -> Result<JobMessage, MalformedMessage> {
    let bytes = delivery.message.body.len();
    if bytes > MAX_PAYLOAD {
        return Err(MalformedMessage::new("body", format!("has {bytes} bytes of at most {MAX_PAYLOAD}")));
    }
    JobMessage::parse(&delivery.message.attributes, delivery.message.body.clone(), envelope(station, delivery))
}

pub(crate) fn envelope<'a>(station: &'a Station, delivery: &'a Delivery) -> Envelope<'a> {
    Envelope { kind: &station.registered.kind, message_id: &delivery.message_id, published_at: delivery.published_at }
}

/// Somebody submitted an ended job again, perhaps because they never heard of its end.
async fn tell_again(station: &Station, delivery: Delivery, event: &JobEvent) {
    let bus = &station.core.bus;
    match bus.publish(&bus.names().events(), event.to_message().into()).await {
        Ok(_) => delivery.ack(),
        Err(_) => hand_back(station, delivery).await,
    }
}
