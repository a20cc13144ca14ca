//! `Pull`, and what becomes of messages that were delivered.

use super::Broker;
use crate::{
    config::subscription::ACK_DEADLINE,
    error::Error,
    proto::{AcknowledgeRequest, ModifyAckDeadlineRequest, PullRequest},
    queue::{AckId, ConsumerId, Delivery, Limits},
    subscription::Subscription,
    wire::ReceivedMessage,
};
use std::{pin::pin, sync::Arc, time::Duration};

/// How long a `Pull` waits for a message before it answers with none.
const PULL_PATIENCE: Duration = Duration::from_secs(10);

/// A consumer's place at a subscription, which it leaves when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) subscription: Arc<Subscription>,
    consumer: ConsumerId,
}

impl Seat {
    pub(crate) fn take(subscription: Arc<Subscription>, limits: Limits) -> Self {
        let consumer = subscription.join(limits);
        Self { subscription, consumer }
    }

    /// What there is for this consumer now; maybe nothing.
    pub(crate) fn lease(&self, deadline: Duration) -> Vec<ReceivedMessage> {
        self.subscription.lease(self.consumer, deadline).iter().map(received).collect()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.subscription.leave(self.consumer);
    }
}

impl Broker {
    /// Waits a while for the first message. Cancel-safe: nothing is leased unless it is returned.
    pub(crate) async fn pull(&self, request: &PullRequest) -> Result<Vec<ReceivedMessage>, Error> {
        let subscription = self.active_subscription(&request.subscription)?;
        let messages = i64::from(request.max_messages);
        if messages <= 0 {
            return Err(Error::invalid(format!("Invalid max_messages {messages}: it must be positive.")));
        }
        #[expect(deprecated, reason = "clients still send it")]
        let patience = if request.return_immediately { Duration::ZERO } else { PULL_PATIENCE };
        let until = self.clock.now() + patience;
        let seat = Seat::take(subscription, Limits::from_wire(messages, 0));
        let deadline = seat.subscription.ack_deadline();
        loop {
            let mut deliverable = pin!(seat.subscription.deliverable());
            deliverable.as_mut().enable();
            let batch = seat.lease(deadline);
            if !batch.is_empty() || self.clock.now() >= until {
                return Ok(batch);
            }
            tokio::select! {
                () = self.shutdown.cancelled() => return Err(Error::ShuttingDown),
                () = seat.subscription.ended() => return seat.subscription.check_active().map(|()| batch),
                () = deliverable => {}
                () = self.clock.sleep_until(until) => {}
            }
        }
    }

    pub(crate) fn acknowledge(&self, request: &AcknowledgeRequest) -> Result<(), Error> {
        let subscription = self.active_subscription(&request.subscription)?;
        subscription.acknowledge(&parse(&request.ack_ids)?);
        Ok(())
    }

    pub(crate) fn modify_ack_deadline(&self, request: &ModifyAckDeadlineRequest) -> Result<(), Error> {
        let subscription = self.active_subscription(&request.subscription)?;
        let deadline = modified_deadline(request.ack_deadline_seconds)?;
        let changes: Vec<_> = parse(&request.ack_ids)?.into_iter().map(|ack_id| (ack_id, deadline)).collect();
        self.modify_ack_deadlines(&subscription, &changes);
        Ok(())
    }

    pub(crate) fn modify_ack_deadlines(&self, subscription: &Subscription, changes: &[(AckId, Duration)]) {
        let dead = subscription.modify_ack_deadlines(changes);
        self.forward(subscription, dead);
    }
}

/// A deadline for one message: zero gives it back.
pub(crate) fn modified_deadline(seconds: i32) -> Result<Duration, Error> {
    let most = *ACK_DEADLINE.end();
    match u64::try_from(seconds) {
        Ok(valid) if seconds <= most => Ok(Duration::from_secs(valid)),
        _ => Err(Error::invalid(format!("Invalid ack deadline {seconds}: it must be between 0 and {most} seconds."))),
    }
}

pub(crate) fn parse(ack_ids: &[String]) -> Result<Vec<AckId>, Error> {
    ack_ids.iter().map(|ack_id| ack_id.parse()).collect()
}

fn received(delivery: &Delivery) -> ReceivedMessage {
    ReceivedMessage {
        ack_id: delivery.ack_id.to_string(),
        message: delivery.message.encoded.clone(),
        delivery_attempt: delivery.attempt.map_or(0, |attempt| i32::try_from(attempt).unwrap_or(i32::MAX)),
    }
}
