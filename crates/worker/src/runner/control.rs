use std::{sync::Arc, time::Duration};

use bus::{ConsumeOptions, Consumer, Delivery, InstanceSubscription, SeekBack};
use shared::Cancellation;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::core::Core;

/// How far back a new worker hears of cancellations: the control topic's retention.
const BACK: Duration = Duration::from_mins(10);

/// Obeys cancellations until `done`, that is, while jobs run here, also in a drain.
pub(crate) async fn listen(core: Arc<Core>, done: CancellationToken) {
    let Some(subscription) = done.run_until_cancelled(subscribe(&core)).await else { return };
    let mut consumer = core.bus.consume(subscription.name(), ConsumeOptions::default());
    done.run_until_cancelled(obey(&core, &mut consumer)).await;
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

async fn obey(core: &Core, consumer: &mut Consumer) {
    while let Some(delivery) = consumer.next().await {
        let Delivery { message, message_id, lease, .. } = delivery;
        match Cancellation::parse(&message.attributes, &message.body) {
            Ok(cancellation) => core.cancel(cancellation).await,
            Err(malformed) => tracing::warn!(message = message_id, %malformed, "this message is no cancellation"),
        }
        lease.ack();
    }
}
