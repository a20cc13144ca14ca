use serde::{Deserialize, Serialize};
use shared::{JobId, WireError, client::SubmitOptions};

use super::{
    args::{Args, null},
    dispatch::Request,
};
use crate::{
    app::{Accepted, Confirmation, Submission},
    history::Since,
    relay::Packet,
};

/// A submit whose payload was taken out, because it holds binary.
#[derive(Deserialize)]
struct SubmitHead {
    #[serde(default)]
    id: Option<JobId>,
    kind: String,
    #[serde(default)]
    options: Option<SubmitOptions>,
}

#[derive(Serialize)]
struct Ack {
    id: JobId,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    duplicate: bool,
}

/// `job:submit`: answers once Pub/Sub has the job, and never before its events.
pub(super) fn handle(mut request: Request) {
    let submission = read(&mut request.args);
    let Request { app, client, .. } = &request;
    // First, or an end from before this connection might slip through in between. Of an id that nobody chose there can be none.
    if let Ok(Submission { id: Some(id), .. }) = &submission {
        client.told.follow(*id, 0);
    }
    let admission = submission.and_then(|submission| app.admit(&client.caller(), &client.allowance, submission));
    match admission {
        Ok(admission) => {
            tokio::spawn(async move {
                let confirmation = admission.confirm().await;
                answer(request, &confirmation);
            });
        }
        Err(refusal) => {
            app.refused(&refusal);
            request.reply.answer::<Ack>(&Err(refusal));
        }
    }
}

/// A duplicate of a job that has ended is told the end, unless this socket has heard it: the first telling may have been lost.
fn answer(request: Request, confirmation: &Confirmation) {
    let socket = request.reply.socket.clone();
    let accepted = confirmation.result.as_ref();
    request.reply.answer(&accepted.map(|accepted| Ack { id: accepted.id, duplicate: accepted.is_duplicate }).map_err(WireError::clone));
    if let Ok(Accepted { terminal: Some(end), .. }) = accepted
        && let Ok(packet) = Packet::of_job_event(end, Since::Now)
    {
        request.app.courier.send(&socket, &packet);
    }
}

fn read(args: &mut Args) -> Result<Submission, WireError> {
    let payload = args.take_payload("payload")?;
    if let Args::Json(json) = args {
        return Submission::from_json(json.get().as_bytes());
    }
    let SubmitHead { id, kind, options } = args.parse()?;
    Ok(Submission { id, kind, payload: payload.unwrap_or_else(|| null().into()), options: options.unwrap_or_default(), audience: None })
}
