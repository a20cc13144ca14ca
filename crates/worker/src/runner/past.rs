use std::time::Duration;

use service::State;
use tokio::{sync::watch, time::timeout};

/// Whether this process has heard what was said before it began: cancellations, and trials.
#[derive(Debug)]
pub(crate) struct Past(watch::Sender<bool>);

impl Past {
    /// How long a worker waits for it before it takes jobs: five times what it takes when all is well. A server that is slow, or
    /// has no such topic, costs no more than that; the jobs are safe in Pub/Sub meanwhile, or other workers have them.
    const PATIENCE: Duration = Duration::from_secs(5);

    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// All of it has been heard, or cannot be.
    pub(crate) fn is_known(&self) -> bool {
        *self.0.borrow()
    }

    pub(crate) fn learned(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it is known, or the server has been there for so long that late is as good as never. Cancellation safe.
    pub(crate) async fn known(&self, mut server: watch::Receiver<State>) {
        let mut known = self.0.subscribe();
        let known = known.wait_for(|known| *known);
        let out_of_patience = async {
            // While the server is away it has no jobs for us either.
            while timeout(Self::PATIENCE, server.wait_for(|state| *state == State::Down)).await.is_ok_and(|down| down.is_ok()) {
                let _ = server.wait_for(|state| *state == State::Up).await;
            }
        };
        tokio::select! {
            _ = known => {}
            () = out_of_patience => tracing::warn!("taking jobs although it is not known yet which of them were cancelled"),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_goes_on_as_soon_as_it_is_known() {
        let (past, server, began) = (Past::new(), watch::Sender::new(State::Up), Instant::now());
        let learned = async {
            sleep(Duration::from_secs(1)).await;
            past.learned();
        };
        tokio::join!(past.known(server.subscribe()), learned);
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        past.known(server.subscribe()).await;
        assert_eq!(began.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever_but_an_outage_does_not_count() {
        let (past, server, began) = (Past::new(), watch::Sender::new(State::Up), Instant::now());
        past.known(server.subscribe()).await;
        assert_eq!(began.elapsed(), Past::PATIENCE);
        let outage = async {
            sleep(Duration::from_secs(1)).await;
            server.send_replace(State::Down);
            sleep(Duration::from_mins(1)).await;
            server.send_replace(State::Up);
        };
        let began = Instant::now();
        tokio::join!(past.known(server.subscribe()), outage);
        assert_eq!(began.elapsed(), Duration::from_secs(61) + Past::PATIENCE);
    }
}
