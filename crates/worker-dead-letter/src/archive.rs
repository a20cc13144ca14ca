use std::time::Duration;

use bus::{Bus, ConsumeOptions, Delivery, PublishError};
use service::State;
use tokio::time::{Instant, timeout};

use crate::DeadLetter;

/// The dead letters of the last seven days that were not sent again.
pub struct Archive(Bus);

/// Why the archive could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The server is away.
    #[error("Pub/Sub cannot be reached")]
    Unreachable,
}

/// What came of sending letters again.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Sent, and no longer in the archive.
    pub sent: Vec<DeadLetter>,
    /// Still in the archive, with the reason.
    pub kept: Vec<(DeadLetter, String)>,
}

/// How long the first letter may take to come.
const FIRST: Duration = Duration::from_secs(4);
/// After a letter, how long until we believe that there is none left.
const QUIET: Duration = Duration::from_secs(1);
/// How long reading may take in all.
const IN_ALL: Duration = Duration::from_secs(60);
/// How long giving back what is not sent again may take.
const CLOSING: Duration = Duration::from_secs(10);

impl Archive {
    /// The most letters that are read at a time; there may be more.
    pub const PAGE: u16 = 1_000;

    /// The archive of this bus's installation.
    #[must_use]
    pub fn new(bus: Bus) -> Self {
        Self(bus)
    }

    /// Reads letters without taking them, oldest first: up to a thousand. Takes a few seconds, since an archive does not
    /// say when it is at its end. Two who read at a time see a part each.
    ///
    /// # Errors
    /// When Pub/Sub is away.
    pub async fn list(&self) -> Result<Vec<DeadLetter>, ArchiveError> {
        let mut letters = Vec::new();
        self.read(async |letter, _| letters.push(letter)).await?;
        Ok(letters)
    }

    /// Sends those that `choose` picks again, each to the topic that it came from, and takes them out of the archive once
    /// that is confirmed. Their workers must have been mended first, or they will be back.
    ///
    /// # Errors
    /// When Pub/Sub is away. What could not be sent for another reason is in the result.
    pub async fn replay(&self, mut choose: impl FnMut(&DeadLetter) -> bool) -> Result<Replayed, ArchiveError> {
        let mut replayed = Replayed::default();
        self.read(async |letter, delivery| {
            if !choose(&letter) {
                return;
            }
            match self.send(&letter).await {
                Ok(()) => {
                    delivery.ack();
                    replayed.sent.push(letter);
                }
                Err(reason) => replayed.kept.push((letter, reason)),
            }
        })
        .await?;
        Ok(replayed)
    }

    async fn send(&self, letter: &DeadLetter) -> Result<(), String> {
        let Some(kind) = &letter.kind else { return Err("it cannot be told which topic it came from".to_owned()) };
        let sent = self.0.publish(&self.0.names().jobs(kind), letter.again()).await;
        sent.map(drop).map_err(|error: PublishError| error.to_string())
    }

    /// Holds all letters, shows each, and gives back those that were not acknowledged.
    async fn read(&self, mut show: impl AsyncFnMut(DeadLetter, Delivery)) -> Result<(), ArchiveError> {
        let names = self.0.names();
        let options = ConsumeOptions { max_messages: Self::PAGE, ..ConsumeOptions::default() };
        let mut consumer = self.0.consume(&names.dead_letter_archive(), options);
        let mut held = Vec::new();
        let (end, mut patience) = (Instant::now() + IN_ALL, FIRST);
        while held.len() < usize::from(Self::PAGE) && Instant::now() < end {
            let Ok(Some(delivery)) = timeout(patience, consumer.next()).await else { break };
            held.push((DeadLetter::read(&delivery, names), delivery));
            patience = QUIET;
        }
        consumer.stop_pulling().await;
        held.sort_by(|(one, _), (other, _)| (one.put_aside_at, &one.message_id).cmp(&(other.put_aside_at, &other.message_id)));
        let found = !held.is_empty();
        for (letter, delivery) in held {
            show(letter, delivery).await;
        }
        consumer.close(CLOSING).await;
        // A bus finds out only by trying.
        if !found && *self.0.status().borrow() == State::Down { Err(ArchiveError::Unreachable) } else { Ok(()) }
    }
}
