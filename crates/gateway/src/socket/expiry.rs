use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use shared::Timestamp;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use super::Client;

/// How long to sleep at most before looking at the clock again, which may have been set.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

/// Closes the transport of a client whose token has ended `grace` ago, so that it comes back with a new one or not at all.
/// Before that, [`Caller::check_expiry`](crate::identity::Caller::check_expiry) refuses its requests, except to refresh the token.
///
/// Does nothing for those who need no token.
pub(super) fn watch(client: &Arc<Client>, grace: Duration) -> Option<AbortOnDropHandle<()>> {
    client.caller().expires_at?;
    let client = Arc::downgrade(client);
    Some(AbortOnDropHandle::new(tokio::spawn(async move {
        while let Some(left) = time_left(&client, grace) {
            sleep(left.min(LOOK_AGAIN)).await;
        }
        if let Some(client) = client.upgrade() {
            debug!(session = ?client.caller().session, "closed a client whose token has ended");
            client.expire();
        }
    })))
}

fn time_left(client: &Weak<Client>, grace: Duration) -> Option<Duration> {
    let end = client.upgrade()?.caller().expires_at?.saturating_add(grace).ok()?;
    let left = end.duration_since(Timestamp::now());
    Duration::try_from(left).ok().filter(|left| !left.is_zero())
}
