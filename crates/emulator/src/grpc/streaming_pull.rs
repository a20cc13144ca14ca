//! `StreamingPull`: one subscriber's stream of messages.
//!
//! The response headers go out before the first request has been read, errors included: some clients wait for them.
//! Responses are made when the transport asks for them, so a message is leased only when it can be sent, and dropping
//! the response stream (which is what a reset does) ends the deliveries at once.
//! Leases outlive the stream, as at Google: a subscriber that shuts down closes its stream first, then finishes what it
//! holds and acknowledges it by other calls.

mod requests;

use self::requests::Incoming;
use crate::{
    broker::{Broker, Seat},
    clock::Time,
    error::Error,
    proto::{StreamingPullRequest, streaming_pull_response::SubscriptionProperties},
    queue::Limits,
    wire::{ReceivedMessage, StreamingPullResponse},
};
use futures::{Stream, TryStreamExt as _, stream};
use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinHandle;
use tonic::{Status, Streaming};

/// A client that knows heartbeats hears something at least this often. Google's Java client gives up after 45 s.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The response stream of one call.
pub(super) type Responses = Pin<Box<dyn Stream<Item = Result<StreamingPullResponse, Status>> + Send>>;

/// Answers one call.
pub(super) fn serve(broker: Arc<Broker>, requests: Streaming<StreamingPullRequest>) -> Responses {
    Box::pin(stream::once(Session::open(broker, requests)).map_ok(Session::responses).try_flatten())
}

struct Session {
    broker: Arc<Broker>,
    seat: Seat,
    incoming: Arc<Incoming>,
    reader: JoinHandle<Result<(), Status>>,
    /// Whether the client knows what an empty response means.
    heartbeats: bool,
    last_response: Time,
}

impl Session {
    async fn open(broker: Arc<Broker>, mut requests: Streaming<StreamingPullRequest>) -> Result<Self, Status> {
        let first = tokio::select! {
            () = broker.shutdown.cancelled() => return Err(Error::ShuttingDown.into()),
            first = requests.message() => first?,
        };
        let first = first.ok_or_else(|| Error::invalid("The stream ended before its first request."))?;
        let subscription = broker.active_subscription(&first.subscription)?;
        let limits = Limits::from_wire(first.max_outstanding_messages, first.max_outstanding_bytes);
        let incoming = Arc::new(Incoming::new(Arc::clone(&subscription), &first)?);
        incoming.settle(&broker, &first)?;
        tracing::debug!(subscription = subscription.name, client = first.client_id, "a stream has opened");
        Ok(Self {
            seat: Seat::take(subscription, limits),
            // Not aborted with the stream: acknowledgements that were sent before a reset still count.
            reader: tokio::spawn(Arc::clone(&incoming).read(Arc::clone(&broker), requests)),
            incoming,
            heartbeats: first.protocol_version >= 1,
            last_response: broker.clock.now(),
            broker,
        })
    }

    fn responses(self) -> impl Stream<Item = Result<StreamingPullResponse, Status>> {
        stream::unfold(Some(self), |session| async {
            let mut session = session?;
            match session.next().await {
                Ok(Some(messages)) => Some((Ok(session.response(messages)), Some(session))),
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        })
    }

    /// The next messages, none for a heartbeat; `None` when the client has finished.
    async fn next(&mut self) -> Result<Option<Vec<ReceivedMessage>>, Status> {
        loop {
            self.seat.subscription.check_active()?;
            if self.broker.shutdown.is_cancelled() {
                return Err(Error::ShuttingDown.into());
            }
            let mut deliverable = pin!(self.seat.subscription.deliverable());
            deliverable.as_mut().enable();
            if !self.reader.is_finished() {
                let batch = self.seat.lease(self.incoming.deadline());
                if !batch.is_empty() {
                    return Ok(Some(batch));
                }
            }
            tokio::select! {
                () = self.broker.shutdown.cancelled() => {}
                () = self.seat.subscription.ended() => {}
                outcome = &mut self.reader => {
                    return outcome.unwrap_or_else(|failure| Err(Status::internal(failure.to_string()))).map(|()| None);
                }
                () = deliverable => {}
                () = self.incoming.pinged(), if self.heartbeats => return Ok(Some(Vec::new())),
                () = self.broker.clock.sleep_until(self.last_response + HEARTBEAT), if self.heartbeats => {
                    return Ok(Some(Vec::new()));
                }
            }
        }
    }

    fn response(&mut self, received_messages: Vec<ReceivedMessage>) -> StreamingPullResponse {
        self.last_response = self.broker.clock.now();
        StreamingPullResponse { received_messages, subscription_properties: Some(SubscriptionProperties::default()) }
    }
}
