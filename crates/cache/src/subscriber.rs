use std::{future::pending, pin::pin, time::Duration};

use deadpool_redis::redis::{ErrorKind, RedisError, RedisResult, Value, aio::PubSubSink};
use futures::StreamExt;
use service::State;
use shared::EventMessage;
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::{sleep, timeout},
};
use tracing::{debug, info};

use crate::{frame, metrics::Queue, redis::Redis};

/// Perishable events from every worker and gateway, as long as Redis carries them.
pub struct PerishableEvents(Option<mpsc::Receiver<EventMessage>>);

/// A relay that is this far behind is better served by newer events.
const QUEUE: usize = 4096;
/// How long connecting and subscribing may take together.
const SUBSCRIBE_DEADLINE: Duration = Duration::from_secs(2);
/// The pause before trying again, and between looks at whether Redis is still up.
const PAUSE: Duration = Duration::from_millis(250);
/// How often the connection is asked for a sign of life, and how long it may take to give one.
const HEARTBEAT: Duration = Duration::from_secs(1);

impl PerishableEvents {
    /// Stands in without Redis: perishable events come by Pub/Sub, at most one per job per second.
    pub(crate) fn never() -> Self {
        Self(None)
    }

    /// Subscribes in the background, again whenever Redis comes back; ends when the receiver is dropped.
    pub(crate) fn subscribe(redis: Redis) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            while !sender.is_closed() {
                if redis.component.get() == State::Up
                    && let Err(error) = receive(&redis, &sender).await
                {
                    debug!(%error, "subscription to perishable events ended");
                }
                sleep(PAUSE).await;
            }
        });
        Self(Some(receiver))
    }

    /// The next event; waits for ever without Redis. Cancellation safe.
    pub async fn next(&mut self) -> EventMessage {
        match &mut self.0 {
            Some(receiver) => match receiver.recv().await {
                Some(event) => event,
                None => pending().await,
            },
            None => pending().await,
        }
    }
}

/// Passes events on until Redis or this connection to it goes away.
async fn receive(redis: &Redis, events: &mpsc::Sender<EventMessage>) -> RedisResult<()> {
    let subscribe = async {
        let mut subscription = redis.client.get_async_pubsub().await?;
        subscription.subscribe(channel(redis)).await?;
        RedisResult::Ok(subscription)
    };
    let Ok(subscription) = timeout(SUBSCRIBE_DEADLINE, subscribe).await else { return Ok(()) };
    let (sink, mut messages) = subscription?.split();
    let mut silence = pin!(silence(sink));
    info!("receiving perishable events from Redis");
    while redis.component.get() == State::Up && !events.is_closed() {
        tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { break };
                if let Some(event) = frame::decode(message.get_payload_bytes())
                    && let Err(TrySendError::Full(_)) = events.try_send(event)
                {
                    redis.metrics.full(Queue::Perishable);
                }
            }
            error = &mut silence => return Err(error),
            () = sleep(PAUSE) => {}
        }
    }
    Ok(())
}

/// Ends when the connection gives no sign of life. Commands go other ways, so Redis may be up while this one has died without a word.
async fn silence(mut connection: PubSubSink) -> RedisError {
    loop {
        sleep(HEARTBEAT).await;
        match timeout(HEARTBEAT, connection.ping::<Value>()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return error,
            Err(_) => return (ErrorKind::Io, "no sign of life").into(),
        }
    }
}

pub(crate) fn channel(redis: &Redis) -> String {
    redis.key("events")
}
