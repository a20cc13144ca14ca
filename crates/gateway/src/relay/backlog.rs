use std::time::Duration;

use shared::{Timestamp, client::HistoryState};
use tokio::sync::watch;

/// Whether this gateway has caught up with what happened before it began.
#[derive(Debug, Clone)]
pub(crate) struct WarmUp {
    history: watch::Sender<Option<HistoryState>>,
    began: Timestamp,
}

impl WarmUp {
    pub(crate) fn begin() -> Self {
        Self { history: watch::Sender::new(None), began: Timestamp::now() }
    }

    /// Whether something was published before this gateway began. Whoever is connected cannot have missed it here, and was told
    /// elsewhere or asks by `job:resume`: such events are for the history only.
    pub(crate) fn is_backlog(&self, published_at: Timestamp) -> bool {
        published_at < self.began
    }

    /// It is done, or was not possible. Only the first word counts, except that cold may turn warm.
    pub(crate) fn finish(&self, history: HistoryState) {
        self.history.send_if_modified(|current| {
            let changed = current.is_none() || (*current == Some(HistoryState::Cold) && history == HistoryState::Warm);
            if changed {
                *current = Some(history);
            }
            changed
        });
    }

    /// How far back the history goes; cold until known.
    pub(crate) fn history(&self) -> HistoryState {
        self.history.borrow().unwrap_or(HistoryState::Cold)
    }

    /// Tells of changes.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<HistoryState>> {
        self.history.subscribe()
    }

    /// Waits until it is done, but no longer than `patience`. Cancellation safe.
    pub(crate) async fn done(&self, patience: Duration) {
        let mut history = self.history.subscribe();
        // Late is as good as never; either way the caller goes on with what there is.
        let _ = tokio::time::timeout(patience, history.wait_for(Option::is_some)).await;
    }
}
