//! Tells subscriptions whose process lives from those whose process is gone.

use std::{sync::Arc, time::Duration};

use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_pubsub::model::Subscription;
use google_cloud_wkt::FieldMask;
use shared::Timestamp;
use tokio::time::sleep;

use crate::{SubscriptionName, admin::Admin, error::is_outage, link::Link};

/// On instance subscriptions and nowhere else: when their process was last known to be alive, in minutes since 1970.
///
/// It is not set when they are created, but from then on. A server that cannot change labels, as Google's emulator, would keep the first
/// one for ever, and the living would be taken for dead; so there are none, and what is left behind there expires.
const LABEL: &str = "mayfly-alive-minute";

/// How soon it is tried again when the server was away.
const RETRY: Duration = Duration::from_secs(10);

/// When the process of an instance subscription was last known to be alive; none if nothing says so.
pub(crate) fn last_alive(subscription: &Subscription) -> Option<Timestamp> {
    let minute: i64 = subscription.labels.get(LABEL)?.parse().ok()?;
    Timestamp::from_second(minute.checked_mul(60)?).ok()
}

/// Keeps the label fresh for as long as it is polled.
pub(crate) async fn keep(link: Arc<Link>, name: SubscriptionName, interval: Duration) {
    loop {
        let alive = Subscription::new().set_name(name.path()).set_labels([label()]);
        let mask = FieldMask::default().set_paths(["labels"]);
        let clients = link.clients();
        let request = clients.subscriptions.update_subscription().set_subscription(alive).set_update_mask(mask);
        let Err(error) = request.with_attempt_timeout(Admin::ATTEMPT).send().await else {
            sleep(interval).await;
            continue;
        };
        tracing::debug!(subscription = %name, error = &error as &dyn std::error::Error, "cannot say that this process is alive");
        // Whoever collects never finds what has never been labelled; a server that does not label at all need not be asked often.
        sleep(if is_outage(&error) { interval.min(RETRY) } else { interval }).await;
    }
}

/// The label, as of now.
pub(crate) fn label() -> (String, String) {
    (LABEL.to_owned(), (Timestamp::now().as_second() / 60).to_string())
}
