use std::sync::Arc;

use socketioxide::{
    adapter::LocalAdapter,
    extract::AckSender,
    handler::{FromMessageParts, MessageHandler, Value},
    socket::Socket,
};

use super::{Client, args::Args, cancel, channel, get, ping, refresh, reply::Reply, resume, submit};
use crate::app::App;

/// Takes every event of one socket. One handler rather than one per event: each would cost memory in every idle socket.
///
/// It runs where the packet is read and never waits, so a client's submits are taken in the order in which they came.
pub(super) struct Dispatch {
    pub(super) app: Arc<App>,
    pub(super) client: Arc<Client>,
}

/// One client event and all that its handler needs.
pub(super) struct Request {
    pub(super) app: Arc<App>,
    pub(super) client: Arc<Client>,
    pub(super) args: Args,
    pub(super) reply: Reply,
}

impl MessageHandler<LocalAdapter, ()> for Dispatch {
    fn call(&self, socket: Arc<Socket<LocalAdapter>>, mut packet: Value, ack_id: Option<i64>) {
        let Some((event, args)) = Args::read(&socket, &mut packet) else { return };
        let Ok(ack) = AckSender::from_message_parts(&socket, &mut packet, &ack_id);
        // Without a number nobody waits for the answer, and it would not be sent.
        let ack = ack_id.map(|_| ack);
        let reply = Reply::new(ack, socket, &self.client, &self.app.courier);
        let request = Request { app: Arc::clone(&self.app), client: Arc::clone(&self.client), args, reply };
        match event.as_str() {
            "job:submit" => submit::handle(request),
            "job:get" => get::handle(request),
            "job:resume" => resume::handle(request),
            "job:cancel" => cancel::handle(request),
            "auth:refresh" => refresh::handle(request),
            "channel:join" => channel::join(request),
            "channel:leave" => channel::leave(request),
            "channel:publish" => channel::publish(request),
            "ping" => ping::handle(request),
            // As with any socket.io server, an event that nobody listens to is no error.
            _ => {}
        }
    }
}
