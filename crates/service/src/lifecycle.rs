use std::{sync::Arc, sync::OnceLock, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Tells everybody in a process when to leave, and how long they have. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    draining: CancellationToken,
    began: Arc<OnceLock<Instant>>,
    budget: Duration,
}

impl Lifecycle {
    /// A life whose drain may take `budget`.
    #[must_use]
    pub fn new(budget: Duration) -> Self {
        Self { draining: CancellationToken::new(), began: Arc::default(), budget }
    }

    /// Begins the drain. Beginning it again changes nothing.
    pub fn begin_drain(&self) {
        self.began.get_or_init(Instant::now);
        self.draining.cancel();
    }

    /// Fires when the drain begins.
    #[must_use]
    pub fn draining(&self) -> &CancellationToken {
        &self.draining
    }

    /// Whether the drain has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// How long a whole drain may take.
    #[must_use]
    pub fn budget(&self) -> Duration {
        self.budget
    }

    /// What is left of the budget: all of it before the drain, nothing once it is over.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.began.get().map_or(self.budget, |began| self.budget.saturating_sub(began.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_budget_runs_from_the_first_signal() {
        let lifecycle = Lifecycle::new(Duration::from_secs(12));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(lifecycle.remaining(), Duration::from_secs(12));
        lifecycle.begin_drain();
        tokio::time::advance(Duration::from_secs(5)).await;
        lifecycle.begin_drain();
        assert_eq!(lifecycle.remaining(), Duration::from_secs(7));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(lifecycle.remaining(), Duration::ZERO);
    }
}
