use std::{sync::Arc, time::Duration};

use bus::{ConsumeOptions, Consumer, Delivery, InstanceSubscription, SeekBack, Topology};
use shared::{ControlMessage, Timestamp};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::core::Core;

/// How far back a new worker hears of cancellations and trials: the control topic's retention.
const BACK: Duration = Topology::RETENTION;
/// Silence that long from the beginning means that nothing was said: the stream has to open first.
const NOTHING: Duration = Duration::from_millis(750);
/// Silence that long after something was heard means that all of it has been.
const QUIET: Duration = Duration::from_millis(250);

/// Obeys cancellations, and hears of trials, until `done`, that is, while jobs run here, also in a drain.
pub(crate) async fn listen(core: Arc<Core>, done: CancellationToken) {
    let Some(subscription) = done.run_until_cancelled(subscribe(&core)).await else { return };
    let mut consumer = core.bus.consume(subscription.name(), ConsumeOptions::default());
    done.run_until_cancelled(obey(&core, &mut consumer, subscription.may_have_backlog(), Timestamp::now())).await;
    consumer.close(core.closing_time()).await;
    if let Err(error) = subscription.delete(core.closing_time()).await {
        tracing::info!(%error, "the control subscription stays behind and will expire");
    }
}

async fn subscribe(core: &Core) -> InstanceSubscription {
    let mut attempt = 0;
    loop {
        match core.bus.instance_subscription(&core.bus.names().control(), &core.instance, SeekBack(Some(BACK))).await {
            Ok(subscription) => return subscription,
            Err(error) if attempt == 0 => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot hear of cancellations yet; trying until it works");
            }
            Err(_) => {}
        }
        attempt += 1;
        sleep(Core::INSIST.pause(attempt)).await;
    }
}

/// What was said since `began` is not the past: people go on cancelling jobs, and whoever takes jobs here must not wait for them to stop.
async fn obey(core: &Core, consumer: &mut Consumer, has_backlog: bool, began: Timestamp) {
    let mut quiet_at = Instant::now() + if has_backlog { NOTHING } else { Duration::ZERO };
    loop {
        tokio::select! {
            delivery = consumer.next() => {
                let Some(delivery) = delivery else { return };
                let is_past = delivery.published_at < began;
                hear(core, delivery).await;
                if is_past {
                    quiet_at = quiet_at.max(Instant::now() + QUIET);
                }
            }
            () = sleep_until(quiet_at), if !core.past.is_known() => core.past.learned(),
        }
    }
}

async fn hear(core: &Core, delivery: Delivery) {
    let Delivery { message, message_id, lease, .. } = delivery;
    match ControlMessage::parse(&message.attributes, &message.body) {
        Ok(ControlMessage::Cancellation(cancellation)) => core.cancel(cancellation).await,
        Ok(ControlMessage::Trial(trial)) => core.docket.hear(trial, Instant::now()),
        Ok(ControlMessage::Other) => {}
        Err(malformed) => tracing::warn!(message = message_id, %malformed, "a message on the control topic cannot be understood"),
    }
    lease.ack();
}
