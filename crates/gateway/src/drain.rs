//! Leaving well: clients go one by one and come back elsewhere by themselves.

mod stagger;

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use crate::app::App;

/// How long connections may take to end once everybody was told to.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What is left to do when the process drains.
pub(crate) struct Drain {
    pub(crate) app: Arc<App>,
    pub(crate) relay: JoinHandle<()>,
    pub(crate) stop_relay: CancellationToken,
    /// Stops accepting and ends connections politely.
    pub(crate) leave: CancellationToken,
    /// Ends connections.
    pub(crate) abort: CancellationToken,
    /// What is open.
    pub(crate) open: TaskTracker,
    /// How long at least to go on listening.
    pub(crate) linger: Duration,
}

impl Drain {
    /// Waits for the drain, then sees it through. Checks know of it by themselves.
    ///
    /// The listener stays open to the last, and for as long as newcomers are to be expected: whoever still comes is served, and told
    /// to leave with the others.
    /// So are submits, until the last client has left: a load balancer takes seconds to notice that we are leaving,
    /// and whoever it sends here meanwhile would be refused time and again.
    pub(crate) async fn run(self) {
        let Self { app, relay, stop_relay, leave, abort, open, linger } = self;
        let lifecycle = app.lifecycle.clone();
        lifecycle.draining().cancelled().await;

        stagger::send_away(&app, linger).await;
        app.closed.cancel();
        if !app.bus.flush(lifecycle.remaining() / 2).await {
            warn!("some publishes were not confirmed in time");
        }
        stop_relay.cancel();
        if timeout(lifecycle.remaining().saturating_sub(LAST_WORDS), relay).await.is_err() {
            warn!("the events subscription could not be given back in time");
        }
        leave.cancel();
        stagger::close_all(&app);
        open.close();
        if timeout(LAST_WORDS.min(lifecycle.remaining()), open.wait()).await.is_err() {
            abort.cancel();
        }
        info!("drained");
    }
}
