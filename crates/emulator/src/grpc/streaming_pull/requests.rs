//! What a client says on its stream.

use crate::{
    broker::{Broker, modified_deadline, parse},
    config::subscription::ACK_DEADLINE,
    error::Error,
    proto::StreamingPullRequest,
    subscription::Subscription,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use tonic::{Status, Streaming};

/// The requests of one stream, and what its responses need to know of them.
pub(super) struct Incoming {
    subscription: Arc<Subscription>,
    deadline_seconds: AtomicI32,
    ping: Notify,
}

impl Incoming {
    pub(super) fn new(subscription: Arc<Subscription>, first: &StreamingPullRequest) -> Result<Self, Error> {
        let deadline_seconds = AtomicI32::new(stream_deadline(first.stream_ack_deadline_seconds)?);
        Ok(Self { subscription, deadline_seconds, ping: Notify::new() })
    }

    /// How long the leases of this stream run.
    pub(super) fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_seconds.load(Ordering::Relaxed).unsigned_abs().into())
    }

    /// Returns when the client asks whether the stream is alive. Cancel-safe.
    pub(super) async fn pinged(&self) {
        self.ping.notified().await;
    }

    /// Acknowledgements and deadlines of one request.
    pub(super) fn settle(&self, broker: &Broker, request: &StreamingPullRequest) -> Result<(), Error> {
        if request.modify_deadline_ack_ids.len() != request.modify_deadline_seconds.len() {
            return Err(Error::invalid("modify_deadline_seconds and modify_deadline_ack_ids must have the same length."));
        }
        let deadlines = request.modify_deadline_seconds.iter().map(|seconds| modified_deadline(*seconds));
        let deadlines: Vec<Duration> = deadlines.collect::<Result<_, _>>()?;
        let changes: Vec<_> = parse(&request.modify_deadline_ack_ids)?.into_iter().zip(deadlines).collect();
        if !request.ack_ids.is_empty() {
            self.subscription.acknowledge(&parse(&request.ack_ids)?);
        }
        if !changes.is_empty() {
            broker.modify_ack_deadlines(&self.subscription, &changes);
        }
        Ok(())
    }

    /// Reads to the end of the stream.
    pub(super) async fn read(self: Arc<Self>, broker: Arc<Broker>, mut requests: Streaming<StreamingPullRequest>) -> Result<(), Status> {
        loop {
            let request = tokio::select! {
                () = broker.shutdown.cancelled() => return Err(Error::ShuttingDown.into()),
                request = requests.message() => request?,
            };
            match request {
                Some(request) => self.follow_up(&broker, &request)?,
                None => return Ok(()),
            }
        }
    }

    fn follow_up(&self, broker: &Broker, request: &StreamingPullRequest) -> Result<(), Error> {
        let opens = !request.subscription.is_empty()
            || request.max_outstanding_messages != 0
            || request.max_outstanding_bytes != 0
            || request.protocol_version != 0;
        if opens {
            return Err(Error::invalid(
                "subscription, max_outstanding_messages, max_outstanding_bytes and protocol_version can only be set in \
                 the first request of a stream.",
            ));
        }
        if request.stream_ack_deadline_seconds != 0 {
            self.deadline_seconds.store(stream_deadline(request.stream_ack_deadline_seconds)?, Ordering::Relaxed);
        }
        if request.ack_ids.is_empty() && request.modify_deadline_ack_ids.is_empty() {
            self.ping.notify_one();
        }
        self.settle(broker, request)
    }
}

fn stream_deadline(seconds: i32) -> Result<i32, Error> {
    if ACK_DEADLINE.contains(&seconds) {
        return Ok(seconds);
    }
    Err(Error::invalid(format!(
        "Invalid stream_ack_deadline_seconds {seconds}: it must be between {} and {}.",
        ACK_DEADLINE.start(),
        ACK_DEADLINE.end()
    )))
}
