use std::time::Duration;

use reqwest::{Response, StatusCode};
use tokio::time::{Instant, timeout_at};

/// How much of an answer is read at most, in bytes: enough that ordinary ones end and their connection can be used again.
const READ: usize = 64 << 10;
/// How much of it is shown to whoever submitted the job, in bytes.
const SHOWN: usize = 4 << 10;
/// How long the rest of an answer may take. The status has said already that the webhook has arrived.
const PATIENCE: Duration = Duration::from_secs(2);

/// A webhook that has arrived.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Until the status was known.
    pub(crate) duration: Duration,
    /// The beginning of what the receiver said; nothing if it said nothing.
    pub(crate) preview: Option<String>,
}

/// Reads the beginning of an answer. Whatever goes wrong or takes too long ends it.
pub(crate) async fn preview(mut response: Response, deadline: Instant) -> Option<String> {
    let deadline = deadline.min(Instant::now() + PATIENCE);
    let (mut shown, mut read) = (Vec::new(), 0);
    while read < READ {
        let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await else { break };
        read += chunk.len();
        let room = SHOWN - shown.len();
        shown.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    let text = String::from_utf8_lossy(&shown);
    // A character that was cut in two.
    let text = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
    (!text.is_empty()).then(|| text.to_owned())
}
