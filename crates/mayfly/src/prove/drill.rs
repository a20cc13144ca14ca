use std::time::Duration;

use serde_json::json;
use shared::{JobId, limits::MAX_RESUMED_JOBS};
use tokio::time::{Instant, sleep};

use super::{
    books::{Books, Sum},
    checks::Outcome,
    sample::Sample,
    site::Site,
    socket::{Broken, Said, Socket},
};

/// Between two submits.
const PACE: Duration = Duration::from_secs(1);
/// How long each job takes, so that some are always under way.
const JOB_MS: u64 = 500;
/// Between two attempts to connect; stock clients wait as long.
const RECONNECT: Duration = Duration::from_secs(1);
/// How long the last jobs may take: a killed worker's leases end after ten seconds, and then they are run anew.
const SETTLE: Duration = Duration::from_secs(45);

/// Submits a job a second for as long as `lasts`, over as many connections as it takes, and waits for the rest.
pub(super) async fn run(site: &Site, sample: &Sample, lasts: Duration) -> Outcome {
    let began = Instant::now();
    let mut drill = Drill {
        books: Books::default(),
        next: began,
        end: began + lasts,
        give_up: began + lasts + SETTLE,
        connections: 0,
        longest_gap: Duration::ZERO,
    };
    let (mut session, mut gone_at) = (None, began);
    while !drill.is_over() {
        let broken = match Socket::connect(site, session.as_deref()).await {
            Ok(mut socket) => {
                session = socket.welcome["session"]["token"].as_str().map(str::to_owned);
                drill.arrived(gone_at.elapsed());
                let Err(broken) = drill.serve(&mut socket, sample).await else { break };
                gone_at = Instant::now();
                broken
            }
            Err(broken) => broken,
        };
        // Nobody has died yet, or nobody will ever let us in: that is no drill.
        if drill.connections == 0 || matches!(broken, Broken::Refused(_)) {
            return Err(broken.to_string());
        }
        sleep(RECONNECT).await;
    }
    drill.verdict()
}

struct Drill {
    books: Books,
    /// When to submit the next job, until the end.
    next: Instant,
    end: Instant,
    /// When what has not come will not come any more.
    give_up: Instant,
    connections: usize,
    longest_gap: Duration,
}

impl Drill {
    fn is_over(&self) -> bool {
        let now = Instant::now();
        now >= self.give_up || (now >= self.end && self.books.is_settled())
    }

    fn arrived(&mut self, gap: Duration) {
        if self.connections > 0 {
            self.longest_gap = self.longest_gap.max(gap);
        }
        self.connections += 1;
    }

    /// Works on one connection until all is over.
    async fn serve(&mut self, socket: &mut Socket, sample: &Sample) -> Result<(), Broken> {
        let (unanswered, unfinished) = self.books.reconnected();
        for id in unanswered {
            self.submit(socket, sample, id).await?;
        }
        let mut again = Vec::new();
        for some in unfinished.chunks(MAX_RESUMED_JOBS) {
            socket.ask("job:resume", &json!({ "jobs": some })).await?;
        }
        while !self.is_over() {
            let now = Instant::now();
            if self.next <= now {
                self.next += PACE;
                if now < self.end {
                    again.push(self.books.open());
                }
                for id in std::mem::take(&mut again) {
                    self.submit(socket, sample, id).await?;
                }
            }
            let due = self.next;
            match socket.next(due.min(self.give_up)).await? {
                Some(Said::Ack { number, data }) => again.extend(self.books.answered(number, &data)),
                Some(Said::Event { name, data }) if name == "job:event" => self.books.heard(&data, |id| sample.is_right(id, &data)),
                Some(Said::Event { .. }) | None => {}
            }
        }
        Ok(())
    }

    async fn submit(&mut self, socket: &mut Socket, sample: &Sample, id: JobId) -> Result<(), Broken> {
        let ack = socket.ask("job:submit", &sample.submit(id, JOB_MS)).await?;
        self.books.asked(ack, id);
        Ok(())
    }

    fn verdict(self) -> Outcome {
        let Sum { submitted, accepted, refused, lost, twice, failed } = self.books.sum();
        let unanswered = submitted - accepted - refused;
        let words = format!(
            "{submitted} jobs: {accepted} accepted, {refused} refused, {unanswered} unanswered, {lost} lost, {twice} ended twice, {failed} failed; \
             {} reconnects, at most {:.1} s away",
            self.connections.saturating_sub(1),
            self.longest_gap.as_secs_f64(),
        );
        if accepted > 0 && refused + unanswered + lost + twice + failed == 0 { Ok(words) } else { Err(words) }
    }
}
