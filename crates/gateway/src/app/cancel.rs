use bus::Message;
use shared::{Cancellation, ErrorCode, JobId, WireError};

use super::{App, not_published};
use crate::identity::{Caller, Role};

impl App {
    /// Tells the workers that a job is no longer wanted. A job that has ended, or is unknown here, is no error:
    /// the worker that has it knows whose it is.
    pub(crate) async fn cancel(&self, caller: &Caller, id: JobId) -> Result<(), WireError> {
        caller.check_expiry()?;
        let audiences: Vec<_> = match caller.role {
            Role::Service => Vec::new(),
            Role::Client => caller.audiences().collect(),
        };
        if caller.role == Role::Client && audiences.is_empty() {
            return Err(ErrorCode::Forbidden.error("nobody's jobs cannot be cancelled"));
        }
        match self.ledger.job(id) {
            Some(job) if !caller.is_among(&job.audience) => return Err(ErrorCode::Forbidden.error("this is another client's job")),
            Some(job) if job.terminal.is_some() => return Ok(()),
            _ => {}
        }
        let cancellation = Cancellation { job_id: id, audiences };
        let message = Message::from(cancellation.to_message());
        self.bus.publish(&self.bus.names().control(), message).await.map_err(|error| not_published(&error))?;
        // The job may wait for longer than the control topic keeps this.
        self.cache.record_cancellation(&cancellation).await;
        Ok(())
    }
}
