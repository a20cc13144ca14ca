use std::{fmt::Display, pin::Pin, sync::Arc};

use serde_json::value::RawValue;
use shared::{Audience, client::Welcome};
use socketioxide::{
    adapter::LocalAdapter,
    extract::{SocketRef, TryData},
    handler::{ConnectHandler, FromConnectParts, Value},
    socket::Socket,
};
use tracing::debug;

use super::{Client, dispatch::Dispatch, expiry};
use crate::{
    app::App,
    identity::Admitted,
    metrics::Handshake,
    net::{Connection, Link},
    relay::{Packet, Urgency},
};

/// What a refused client sees as `connect_error`'s message.
const UNAUTHORIZED: &str = "unauthorized";

/// Lets clients into the namespace `/`, in two steps: say who it is, then greet it.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) app: Arc<App>,
}

/// What was made ready for the greeting.
#[derive(Clone)]
struct Greeting(Arc<Welcome>);

/// The handshake's `auth`, read with patience: what is no text counts as absent, unless it is meant to prove something.
struct Auth {
    token: Option<String>,
    session: Option<String>,
}

type Checked<'a> = Pin<Box<dyn Future<Output = Result<(), Box<dyn Display + Send>>> + Send + 'a>>;

impl ConnectHandler<LocalAdapter, ()> for Door {
    fn call_middleware<'a>(&'a self, socket: Arc<Socket<LocalAdapter>>, auth: &'a Option<Value>) -> Checked<'a> {
        Box::pin(async move {
            let Ok(TryData(read)) = TryData::<Box<RawValue>>::from_connect_parts(&socket, auth);
            let auth = Auth::read(read.ok().as_deref());
            self.admit(&socket.into(), &auth).map_err(|refusal| Box::new(refusal) as Box<dyn Display + Send>)
        })
    }

    /// Runs before anything else can be sent to this client, except events to everybody in its rooms, which it joins last.
    fn call(&self, socket: Arc<Socket<LocalAdapter>>, _: Option<Value>) {
        let socket = SocketRef::from(socket);
        let Some(Greeting(welcome)) = socket.extensions.remove::<Greeting>() else { return };
        let Some(client) = socket.extensions.get::<Arc<Client>>() else { return };
        let courier = &self.app.courier;
        for packet in
            [Packet::of_json("hostname", Urgency::Durable, &welcome.hostname), Packet::of_json("welcome", Urgency::Durable, &*welcome)]
        {
            match packet {
                Ok(packet) => courier.send(&socket, &packet),
                Err(error) => debug!(%error, "a greeting cannot be written"),
            }
        }
        let rooms: Vec<String> = client.caller().audiences().chain([Audience::All]).map(|audience| audience.to_string()).collect();
        socket.join(rooms);
    }
}

impl Door {
    /// Says who this is. A refusal makes stock clients give up, so there is one reason only: a bad user token.
    /// Requests are taken from here on: a client may send them with its very first packets.
    fn admit(&self, socket: &SocketRef, auth: &Auth) -> Result<(), &'static str> {
        let app = &self.app;
        let admitted = app.identities.admit(auth.token.as_deref(), auth.session.as_deref());
        let Admitted { caller, session, is_returning } = admitted.map_err(|refusal| {
            app.metrics.handshake(Handshake::Unauthorized);
            debug!(%refusal, "refused a handshake");
            UNAUTHORIZED
        })?;
        app.metrics.handshake(if is_returning { Handshake::Returning } else { Handshake::New });
        let link = match socket.req_parts().extensions.get::<Arc<Connection>>() {
            Some(connection) => Link::Websocket(Arc::clone(connection)),
            None => app.transports.polling(socket.id),
        };
        let allowance = app.allowances.of(format!("session:{}", session.id));
        socket.extensions.insert(Greeting(Arc::new(app.welcome(&caller, session))));
        let connected_at = app.clock.now();
        let client = Arc::new(Client::new(caller, allowance, connected_at, link, app.metrics.clone()));
        if let Some(watch) = expiry::watch(&client, app.identities.token_grace()) {
            // It is new, so nobody watches it yet.
            let _ = client.expiry.set(watch);
        }
        socket.extensions.insert(Arc::clone(&client));
        socket.on_fallback(Dispatch { app: Arc::clone(app), client });
        Ok(())
    }
}

impl Auth {
    fn read(auth: Option<&RawValue>) -> Self {
        let auth = auth.and_then(|auth| serde_json::from_str::<serde_json::Value>(auth.get()).ok()).unwrap_or_default();
        // A token that is no text is not simply absent: somebody meant to sign in.
        let token = match &auth["token"] {
            serde_json::Value::Null => None,
            serde_json::Value::String(token) => Some(token.clone()),
            other => Some(other.to_string()),
        };
        Self { token, session: auth["session"].as_str().map(str::to_owned) }
    }
}
