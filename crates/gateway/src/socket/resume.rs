use serde::{Deserialize, Serialize};
use shared::{
    WireError,
    client::{ResumeJob, ResumedJob},
    limits::MAX_RESUMED_JOBS,
};

use super::{args::invalid, dispatch::Request};

#[derive(Deserialize)]
struct Resume {
    jobs: Vec<ResumeJob>,
}

#[derive(Serialize)]
struct Ack {
    jobs: Vec<ResumedJob>,
}

/// `job:resume`: says where the jobs are, then sends what the client missed of them.
pub(super) fn handle(request: Request) {
    match read(&request) {
        Err(refusal) => request.reply.answer::<Ack>(&Err(refusal)),
        Ok(jobs) => {
            tokio::spawn(async move {
                let Request { app, client, reply, .. } = request;
                app.recall(jobs.iter().map(|job| job.id)).await;
                let socket = reply.socket.clone();
                app.ledger.catch_up(&socket, &client, &jobs, |jobs| reply.answer(&Ok(Ack { jobs })));
            });
        }
    }
}

fn read(request: &Request) -> Result<Vec<ResumeJob>, WireError> {
    request.client.allowance.check_request()?;
    request.client.caller().check_expiry()?;
    let jobs = request.args.parse::<Resume>()?.jobs;
    if jobs.len() > MAX_RESUMED_JOBS {
        return Err(invalid(&format_args!("more than {MAX_RESUMED_JOBS} jobs at a time")));
    }
    Ok(jobs)
}
