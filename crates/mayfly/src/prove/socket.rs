use std::time::Duration;

use futures::{SinkExt, StreamExt};
use reqwest::{StatusCode, Upgraded, header};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::{client::generate_key, derive_accept_key},
        protocol::Role,
    },
};

use super::site::Site;

/// How long connecting, an answer or a write may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A socket.io client over a websocket: what of engine.io 4 and socket.io 5 one needs to ask and to listen.
pub(super) struct Socket {
    stream: WebSocketStream<Upgraded>,
    asked: u64,
    heard_at: Instant,
    /// For how long the server may say nothing, as it said itself.
    silence: Duration,
    /// What the server said of itself and of this session.
    pub(super) welcome: Value,
}

/// Something that the server said.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Event { name: String, data: Value },
    Ack { number: u64, data: Value },
}

/// Why there is no connection, or no longer one.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("cannot connect: {}", chain(.0))]
    Request(#[from] reqwest::Error),
    #[error("expected the answer 101, to switch to a websocket, and got {0}")]
    NotSwitched(StatusCode),
    #[error("whoever answered does not speak websocket")]
    NotWebsocket,
    #[error("the websocket broke: {0}")]
    Websocket(#[from] tokio_tungstenite::tungstenite::Error),
    #[error("the connection was closed")]
    Closed,
    #[error("the server does not let this client in: {0}")]
    Refused(String),
    #[error("waited {seconds} s for {0}", seconds = .1.as_secs())]
    Silent(&'static str, Duration),
}

impl Socket {
    /// Connects, and waits for the welcome. `session` is the token of an earlier connection.
    pub(super) async fn connect(site: &Site, session: Option<&str>) -> Result<Self, Broken> {
        let stream = timeout(PATIENCE, upgrade(site)).await.unwrap_or(Err(Broken::Silent("a websocket", PATIENCE)))?;
        let mut socket = Self { stream, asked: 0, heard_at: Instant::now(), silence: PATIENCE, welcome: Value::Null };
        let auth = json!({ "token": site.token, "session": session });
        socket.write(format!("40{auth}")).await?;
        socket.welcome = socket.event("welcome").await?;
        Ok(socket)
    }

    /// Sends an event and yields the number of the ack that will answer it.
    pub(super) async fn ask(&mut self, event: &str, data: &Value) -> Result<u64, Broken> {
        self.asked += 1;
        self.write(format!("42{}{}", self.asked, json!([event, data]))).await?;
        Ok(self.asked)
    }

    /// What the server says next, or nothing by the deadline. The server's own questions are answered on the way.
    pub(super) async fn next(&mut self, deadline: Instant) -> Result<Option<Said>, Broken> {
        loop {
            let silent_at = self.heard_at + self.silence;
            let message = match timeout_at(deadline.min(silent_at), self.stream.next()).await {
                Err(_) if silent_at <= deadline => return Err(Broken::Silent("a sign of life", self.silence)),
                Err(_) => return Ok(None),
                Ok(None | Some(Ok(Message::Close(_)))) => return Err(Broken::Closed),
                Ok(Some(message)) => message?,
            };
            self.heard_at = Instant::now();
            let Message::Text(text) = message else { continue };
            if let Some(open) = text.strip_prefix('0') {
                self.silence = silence(open);
            }
            match text.as_str() {
                "2" => self.write("3".to_owned()).await?,
                text => {
                    if let Some(refusal) = text.strip_prefix("44") {
                        return Err(Broken::Refused(refusal.to_owned()));
                    }
                    if let Some(said) = Said::read(text) {
                        return Ok(Some(said));
                    }
                }
            }
        }
    }

    /// Waits for an event of that name; what else is said meanwhile is not kept.
    async fn event(&mut self, wanted: &'static str) -> Result<Value, Broken> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.next(deadline).await? {
                Some(Said::Event { name, data }) if name == wanted => return Ok(data),
                Some(_) => {}
                None => return Err(Broken::Silent(wanted, PATIENCE)),
            }
        }
    }

    async fn write(&mut self, text: String) -> Result<(), Broken> {
        let sent = timeout(PATIENCE, self.stream.send(Message::text(text))).await;
        Ok(sent.map_err(|_| Broken::Silent("room for a message", PATIENCE))??)
    }
}

/// What engine.io's first packet says of how often the server asks whether anybody is there.
fn silence(open: &str) -> Duration {
    let open = serde_json::from_str::<Value>(open).unwrap_or_default();
    let ms = |name: &str| open[name].as_u64().map(Duration::from_millis);
    ms("pingInterval").zip(ms("pingTimeout")).map_or(PATIENCE, |(interval, timeout)| interval + timeout)
}

impl Said {
    fn read(packet: &str) -> Option<Self> {
        let (kind, rest) = packet.split_at_checked(2)?;
        let (number, json) = rest.split_at(rest.find('[')?);
        let mut items = serde_json::from_str::<Vec<Value>>(json).ok()?.into_iter();
        match kind {
            "42" => Some(Self::Event { name: items.next()?.as_str()?.to_owned(), data: items.next().unwrap_or_default() }),
            "43" => Some(Self::Ack { number: number.parse().ok()?, data: items.next().unwrap_or_default() }),
            _ => None,
        }
    }
}

async fn upgrade(site: &Site) -> Result<WebSocketStream<Upgraded>, Broken> {
    let mut url = site.at("/socket.io/");
    url.set_query(Some("EIO=4&transport=websocket"));
    let key = generate_key();
    let request = site
        .http
        .get(url)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, &key);
    let response = request.send().await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Broken::NotSwitched(response.status()));
    }
    let accepted = derive_accept_key(key.as_bytes());
    if response.headers().get(header::SEC_WEBSOCKET_ACCEPT).is_none_or(|accept| accept.as_bytes() != accepted.as_bytes()) {
        return Err(Broken::NotWebsocket);
    }
    Ok(WebSocketStream::from_raw_socket(response.upgrade().await?, Role::Client, None).await)
}

/// An error with its causes, in one line: what reqwest says by itself stops before the interesting part.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_acks_are_read_and_the_rest_is_left() {
        let event = Said::Event { name: "hostname".to_owned(), data: json!("here") };
        assert_eq!(Said::read(r#"42["hostname","here"]"#), Some(event));
        assert_eq!(Said::read(r#"4312[{"ok":true}]"#), Some(Said::Ack { number: 12, data: json!({ "ok": true }) }));
        for packet in ["40{\"sid\":\"x\"}", "6", "", "42", "42{}", "43[1]"] {
            assert_eq!(Said::read(packet), None, "{packet}");
        }
    }
}
