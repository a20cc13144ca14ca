//! `channel:join`, `channel:leave` and `channel:publish`. A socket's channels end with it: a client that comes back joins again.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared::{Audience, ErrorCode, WireError};
use socketioxide::extract::SocketRef;

use super::{
    args::{Args, invalid},
    dispatch::Request,
    reply::Done,
};
use crate::{
    app::{Said, Saying},
    relay::Reach,
};

#[derive(Deserialize)]
struct ChannelRef {
    channel: String,
}

#[derive(Deserialize)]
struct Publish {
    channel: String,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    data: Option<Box<RawValue>>,
    #[serde(default)]
    id: Option<String>,
}

/// A message whose data was taken out, because it holds binary.
#[derive(Deserialize)]
struct PublishHead {
    channel: String,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    id: Option<String>,
}

#[derive(Serialize)]
struct Published {
    id: String,
    /// Only this gateway's members have heard it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    local: bool,
}

/// `channel:join`: from the answer on, the client hears what is said in the channel.
pub(super) fn join(request: Request) {
    let result = read(&request).and_then(|channel| {
        let Request { app, client, reply, .. } = &request;
        app.check_join(&client.caller(), &channel)?;
        let (socket, most) = (&reply.socket, app.allowances.limits().max_channels);
        if joined(socket).count() >= most && !joined(socket).any(|name| name == channel) {
            return Err(ErrorCode::Forbidden.error(format!("{most} channels are the most for one socket")));
        }
        socket.join(room(&channel));
        Ok(Done {})
    });
    request.reply.answer(&result);
}

/// `channel:leave`: to leave a channel that one is not in is no error.
pub(super) fn leave(request: Request) {
    let result = read(&request).map(|channel| {
        request.reply.socket.leave(room(&channel));
        Done {}
    });
    request.reply.answer(&result);
}

/// `channel:publish`: to every member, also the publisher if it is one.
pub(super) fn publish(mut request: Request) {
    let saying = saying(&mut request.args);
    let Request { app, client, .. } = &request;
    let said = saying.and_then(|saying| app.say(&client.caller(), &client.allowance, saying));
    match said {
        Ok(Said { id, reach }) => {
            tokio::spawn(async move {
                let reach = reach.await.unwrap_or(Reach::ThisGateway);
                request.app.metrics.said(reach.into());
                request.reply.answer(&Ok(Published { id, local: reach == Reach::ThisGateway }));
            });
        }
        Err(refusal) => {
            app.metrics.said(refusal.code.clone());
            request.reply.answer::<Published>(&Err(refusal));
        }
    }
}

/// The channels that a socket is in.
pub(super) fn joined(socket: &SocketRef) -> impl Iterator<Item = String> {
    let channel = |room: Cow<'static, str>| match room.parse() {
        Ok(Audience::Channel(name)) => Some(name),
        _ => None,
    };
    socket.rooms().into_iter().filter_map(channel)
}

/// A channel's members are in the room that is named as their audience is.
pub(super) fn room(channel: &str) -> String {
    Audience::Channel(channel.to_owned()).to_string()
}

fn read(request: &Request) -> Result<String, WireError> {
    request.client.allowance.check_request()?;
    Ok(request.args.parse::<ChannelRef>()?.channel)
}

fn saying(args: &mut Args) -> Result<Saying, WireError> {
    let named = |event: Option<String>| event.unwrap_or_else(|| "message".to_owned());
    if let Args::Json(json) = args {
        let Publish { channel, event, data, id } = serde_json::from_str(json.get()).map_err(|error| invalid(&error))?;
        return Ok(Saying { channel, event: named(event), data: data.map(Into::into), id });
    }
    let data = args.take_payload("data")?;
    let PublishHead { channel, event, id } = args.parse()?;
    Ok(Saying { channel, event: named(event), data, id })
}
