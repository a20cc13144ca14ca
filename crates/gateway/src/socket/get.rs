use serde::{Deserialize, Serialize};
use shared::{ErrorCode, JobId, Payload, WireError, client::JobView};

use super::dispatch::Request;
use crate::{history::JobRecord, relay::Data};

#[derive(Deserialize)]
pub(super) struct JobRef {
    pub(super) id: JobId,
}

#[derive(Serialize)]
struct Ack {
    job: Job,
}

#[derive(Serialize)]
struct Job {
    #[serde(flatten)]
    view: JobView,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "Data::attached")]
    data: Option<Data>,
}

/// `job:get`: where a job is, and its result if it has one.
pub(super) fn handle(request: Request) {
    let Request { app, client, .. } = &request;
    match client.allowance.check_request().and_then(|()| request.args.parse::<JobRef>()) {
        Err(refusal) => request.reply.answer::<Ack>(&Err(refusal)),
        Ok(JobRef { id }) => {
            let (app, client) = (app.clone(), client.clone());
            tokio::spawn(async move {
                let job = app.get(&client.caller(), id).await;
                let weight = job.as_ref().map_or(0, |job| job.data.as_ref().map_or(0, Payload::len));
                request.reply.answer_with(&job.and_then(view), weight);
            });
        }
    }
}

fn view(job: JobRecord) -> Result<Ack, WireError> {
    let data = job.data.as_ref().map(Data::of).transpose().map_err(|error| ErrorCode::Internal.error(error.to_string()))?;
    Ok(Ack { job: Job { view: job.view, data } })
}
