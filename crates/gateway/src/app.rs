//! What the gateway does, whichever way it was asked: sockets and HTTP both end here.

mod cancel;
mod channel;
mod lookup;
mod notify;
mod submit;

use std::{sync::Arc, time::Duration};

use bus::{Bus, PublishError};
use cache::Cache;
use service::Lifecycle;
use shared::{
    ErrorCode, Kind, WireError,
    client::{SessionInfo, Welcome},
};
use tokio_util::sync::CancellationToken;

use crate::{
    allowance::Allowances,
    identity::{Caller, Identities},
    metrics::GatewayMetrics,
    net::Transports,
    relay::{Courier, Ledger, Outbox, PubsubClock, WarmUp},
    status::StatusBoard,
};
pub(crate) use channel::{Said, Saying};
pub(crate) use submit::{Accepted, Confirmation, Submission};

/// The gateway itself.
pub(crate) struct App {
    pub(crate) identities: Identities,
    pub(crate) allowances: Allowances,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) outbox: Outbox,
    pub(crate) transports: Arc<Transports>,
    pub(crate) bus: Bus,
    pub(crate) cache: Cache,
    pub(crate) lifecycle: Lifecycle,
    /// Begins when the clients of a leaving gateway are gone: what came now could no longer be seen through.
    pub(crate) closed: CancellationToken,
    pub(crate) status: StatusBoard,
    pub(crate) warm_up: WarmUp,
    pub(crate) clock: Arc<PubsubClock>,
    pub(crate) metrics: GatewayMetrics,
    pub(crate) hostname: String,
}

/// How long a client should wait while Pub/Sub is away: it is looked for twice a second.
const OUTAGE_RETRY: Duration = Duration::from_secs(1);
/// How long when too much is under way at once.
const BUSY_RETRY: Duration = Duration::from_millis(250);
/// How long when this gateway is leaving: by then another one has the client.
const DRAIN_RETRY: Duration = Duration::from_secs(1);

impl App {
    /// What a client hears first.
    pub(crate) fn welcome(&self, caller: &Caller, session: SessionInfo) -> Welcome {
        Welcome {
            session,
            hostname: self.hostname.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kinds: caller.kinds.iter().map(Kind::to_string).collect(),
            limits: self.allowances.limits(),
            status: self.status.now(),
        }
    }

    fn check_closed(&self) -> Result<(), WireError> {
        if self.closed.is_cancelled() {
            return Err(ErrorCode::Draining.error("this gateway is leaving; another one takes over").retry_after(DRAIN_RETRY));
        }
        Ok(())
    }
}

/// What a client is told when nothing could be published.
fn not_published(error: &PublishError) -> WireError {
    match error {
        PublishError::Full => ErrorCode::QueueUnavailable.error("too much is under way; try again soon").retry_after(BUSY_RETRY),
        PublishError::Rejected(_) => ErrorCode::Internal.error("the queue does not take this message"),
        // The message may be there all the same; the id makes a second submit safe.
        PublishError::Deadline => {
            ErrorCode::QueueUnavailable.error("the queue did not confirm in time; submit again under the same id").retry_after(OUTAGE_RETRY)
        }
        _ => ErrorCode::QueueUnavailable.error("the queue cannot be reached; nothing was accepted").retry_after(OUTAGE_RETRY),
    }
}
