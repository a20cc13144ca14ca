use serde::{Deserialize, Serialize};
use shared::{Timestamp, WireError};

use super::{channel, dispatch::Request};

#[derive(Deserialize)]
struct Refresh {
    token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refreshed {
    expires_at: Option<Timestamp>,
}

/// `auth:refresh`: a new token of the same user takes the place of the one that the client came with, and brings its rights.
pub(super) fn handle(request: Request) {
    let result = refresh(&request);
    request.reply.answer(&result);
}

fn refresh(request: &Request) -> Result<Refreshed, WireError> {
    let Request { app, client, args, reply } = request;
    client.allowance.check_request()?;
    let Refresh { token } = args.parse()?;
    let caller = app.identities.refresh(&client.caller(), &token)?;
    let expires_at = caller.expires_at;
    for name in channel::joined(&reply.socket).filter(|name| !caller.channels.may_join(name)) {
        reply.socket.leave(channel::room(&name));
    }
    client.become_caller(caller);
    Ok(Refreshed { expires_at })
}
