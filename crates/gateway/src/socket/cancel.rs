use super::{dispatch::Request, get::JobRef, reply::Done};

/// `job:cancel`: passes the wish on; the outcome arrives as an event.
pub(super) fn handle(request: Request) {
    let Request { app, client, .. } = &request;
    match client.allowance.check_request().and_then(|()| request.args.parse::<JobRef>()) {
        Err(refusal) => request.reply.answer::<Done>(&Err(refusal)),
        Ok(JobRef { id }) => {
            client.told.follow(id, 0);
            let (app, client) = (app.clone(), client.clone());
            tokio::spawn(async move {
                let asked = app.cancel(&client.caller(), id).await;
                request.reply.answer(&asked.map(|()| Done {}));
            });
        }
    }
}
