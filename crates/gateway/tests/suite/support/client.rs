use std::net::SocketAddr;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_tungstenite::{client_async_with_config, tungstenite::Message, tungstenite::protocol::WebSocketConfig};

use super::DEADLINE;

/// A socket.io client over a websocket: just enough of engine.io 4 and socket.io 5, and nothing hidden.
pub struct Client {
    outgoing: mpsc::Sender<Message>,
    incoming: mpsc::Receiver<Heard>,
    /// Everything heard so far, in order.
    pub heard: Vec<Heard>,
    next_ack: u64,
    is_reading: watch::Sender<bool>,
}

/// Something that the server said.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Event {
        name: String,
        data: Value,
        attachments: Vec<Vec<u8>>,
    },
    Ack {
        id: u64,
        data: Value,
        attachments: Vec<Vec<u8>>,
    },
    /// The transport is gone.
    Closed,
}

/// The handshake was refused, with this message.
#[derive(Debug, PartialEq)]
pub struct Refused(pub String);

impl Client {
    pub async fn connect(address: SocketAddr, auth: Value) -> Result<Self, Refused> {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::connect_over(stream, auth).await
    }

    /// A client with a receive buffer of 4 KiB: when it stops reading, the server soon notices.
    pub async fn connect_narrow(address: SocketAddr, auth: Value) -> Result<Self, Refused> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        Self::connect_over(socket.connect(address).await.unwrap(), auth).await
    }

    async fn connect_over(stream: TcpStream, auth: Value) -> Result<Self, Refused> {
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", stream.peer_addr().unwrap());
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, _) = client_async_with_config(url, stream, Some(config)).await.unwrap();
        let (mut sink, mut stream) = socket.split();
        let open = stream.next().await.unwrap().unwrap().into_text().unwrap();
        assert!(open.starts_with('0'), "engine.io opens the session: {open}");
        sink.send(Message::text(format!("40{auth}"))).await.unwrap();
        let mut answer = stream.next().await.unwrap().unwrap().into_text().unwrap();
        if answer == "2" {
            sink.send(Message::text("3")).await.unwrap();
            answer = stream.next().await.unwrap().unwrap().into_text().unwrap();
        }
        if let Some(refusal) = answer.strip_prefix("44") {
            let refusal: Value = serde_json::from_str(refusal).unwrap();
            return Err(Refused(refusal["message"].as_str().unwrap().to_owned()));
        }
        assert!(answer.starts_with("40"), "socket.io lets the client in: {answer}");
        let (sender, incoming) = mpsc::channel(100_000);
        let (outgoing, mut queue) = mpsc::channel(100);
        tokio::spawn(async move {
            while let Some(message) = queue.recv().await {
                if sink.send(message).await.is_err() {
                    return;
                }
            }
        });
        let pongs = outgoing.clone();
        let is_reading = watch::Sender::new(true);
        let mut reads = is_reading.subscribe();
        tokio::spawn(async move {
            let mut partial: Option<(Heard, usize)> = None;
            loop {
                let next = async {
                    reads.wait_for(|reads| *reads).await.ok()?;
                    stream.next().await
                };
                // The connection ends with the client.
                let message = tokio::select! {
                    next = next => next,
                    () = sender.closed() => return,
                };
                let Some(Ok(message)) = message else { break };
                let heard = match message {
                    Message::Text(text) if text == "2" => {
                        pongs.send(Message::text("3")).await.unwrap_or_default();
                        None
                    }
                    Message::Text(text) => parse(&text),
                    Message::Binary(bytes) => partial.take().map(|(heard, missing)| (with_attachment(heard, bytes.to_vec()), missing - 1)),
                    _ => None,
                };
                match heard {
                    Some((heard, 0)) => sender.send(heard).await.unwrap_or_default(),
                    incomplete => partial = incomplete.or(partial),
                }
            }
            sender.send(Heard::Closed).await.unwrap_or_default();
        });
        let mut client = Self { outgoing, incoming, heard: Vec::new(), next_ack: 0, is_reading };
        client.event("welcome").await;
        Ok(client)
    }

    /// Sends an event and returns the number of its ack.
    pub async fn send(&mut self, event: &str, data: Value) -> u64 {
        self.next_ack += 1;
        let text = format!("42{}{}", self.next_ack, json!([event, data]));
        self.outgoing.send(Message::text(text)).await.unwrap();
        self.next_ack
    }

    /// Sends an event that asks for no ack.
    pub async fn say(&mut self, event: &str, data: &Value) {
        self.send_raw(&format!("42{}", json!([event, data]))).await;
    }

    /// Sends an event and returns the ack.
    pub async fn ask(&mut self, event: &str, data: Value) -> Value {
        let id = self.send(event, data).await;
        self.ack(id).await
    }

    /// Sends an event whose data holds placeholders for these attachments, and returns the ack.
    pub async fn ask_binary(&mut self, event: &str, data: Value, attachments: &[&[u8]]) -> (Value, Vec<Vec<u8>>) {
        self.next_ack += 1;
        let id = self.next_ack;
        self.outgoing.send(Message::text(format!("45{}-{id}{}", attachments.len(), json!([event, data])))).await.unwrap();
        for attachment in attachments {
            self.outgoing.send(Message::binary(attachment.to_vec())).await.unwrap();
        }
        let heard = self.until(|heard| matches!(heard, Heard::Ack { id: of, .. } if *of == id)).await;
        let Heard::Ack { data, attachments, .. } = heard else { unreachable!() };
        (data, attachments)
    }

    /// Submits a job and returns its id.
    pub async fn submit(&mut self, payload: Value) -> String {
        let ack = self.ask("job:submit", json!({ "kind": "echo", "payload": payload })).await;
        assert_eq!(ack["ok"], true, "{ack}");
        ack["id"].as_str().unwrap().to_owned()
    }

    /// Stops reading, or reads on.
    pub fn read(&self, is_reading: bool) {
        self.is_reading.send_replace(is_reading);
    }

    /// Text that is sent as it is.
    pub async fn send_raw(&mut self, text: &str) {
        self.outgoing.send(Message::text(text.to_owned())).await.unwrap();
    }

    pub async fn ack(&mut self, id: u64) -> Value {
        match self.until(|heard| matches!(heard, Heard::Ack { id: of, .. } if *of == id)).await {
            Heard::Ack { data, .. } => data,
            other => panic!("{other:?}"),
        }
    }

    /// The first event of this name, heard already or not.
    pub async fn event(&mut self, name: &str) -> Value {
        match self.until(|heard| matches!(heard, Heard::Event { name: of, .. } if of == name)).await {
            Heard::Event { data, .. } => data,
            other => panic!("{other:?}"),
        }
    }

    /// The job's first event of this type.
    pub async fn job_event(&mut self, id: &str, event_type: &str) -> Value {
        let is_it = |heard: &Heard| matches!(heard, Heard::Event { name, data, .. } if name == "job:event" && data["jobId"] == id && data["type"] == event_type);
        match self.until(is_it).await {
            Heard::Event { data, .. } => data,
            other => panic!("{other:?}"),
        }
    }

    pub async fn closed(&mut self) {
        self.until(|heard| *heard == Heard::Closed).await;
    }

    /// Listens until something of the kind is heard, or was heard before.
    pub async fn until(&mut self, is_it: impl Fn(&Heard) -> bool) -> Heard {
        if let Some(found) = self.heard.iter().find(|heard| is_it(heard)) {
            return found.clone();
        }
        let listening = async {
            loop {
                let heard = self.incoming.recv().await.expect("the reader lives");
                let is_found = is_it(&heard);
                self.heard.push(heard.clone());
                if is_found {
                    return heard;
                }
                assert_ne!(heard, Heard::Closed, "the connection was closed while waiting");
            }
        };
        match timeout(DEADLINE, listening).await {
            Ok(found) => found,
            Err(_) => panic!("not heard in time; heard {:#?}", self.heard.iter().rev().take(20).collect::<Vec<_>>()),
        }
    }

    /// The types of the job's events so far, in order.
    pub fn types_of(&self, id: &str) -> Vec<String> {
        self.job_events(id).map(|data| data["type"].as_str().unwrap().to_owned()).collect()
    }

    pub fn job_events<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Value> {
        self.heard.iter().filter_map(move |heard| match heard {
            Heard::Event { name, data, .. } if name == "job:event" && data["jobId"] == id => Some(data),
            _ => None,
        })
    }

    pub async fn welcome(&mut self) -> Value {
        self.event("welcome").await
    }

    pub fn session_token(&self) -> &str {
        let welcome = self.heard.iter().find_map(|heard| match heard {
            Heard::Event { name, data, .. } if name == "welcome" => Some(data),
            _ => None,
        });
        welcome.unwrap()["session"]["token"].as_str().unwrap()
    }

    /// Answers the server's question whether anybody is there, then hears everything that was sent before.
    pub async fn catch_up(&mut self) {
        let id = self.send("ping", json!("catching up")).await;
        self.ack(id).await;
    }
}

/// A packet, and how many attachments it still lacks.
fn parse(text: &str) -> Option<(Heard, usize)> {
    let (kind, rest) = (text.get(..2)?, text.get(2..)?);
    let (missing, rest) = match kind {
        "45" | "46" => rest.split_once('-').map(|(count, rest)| (count.parse().unwrap(), rest))?,
        "42" | "43" => (0, rest),
        _ => return None,
    };
    let digits = rest.find(|char: char| !char.is_ascii_digit())?;
    let (id, json) = rest.split_at(digits);
    let items: Vec<Value> = serde_json::from_str(json).unwrap();
    let mut items = items.into_iter();
    let heard = match kind {
        "42" | "45" => {
            let name = items.next()?.as_str()?.to_owned();
            Heard::Event { name, data: items.next().unwrap_or_default(), attachments: Vec::new() }
        }
        _ => Heard::Ack { id: id.parse().ok()?, data: items.next().unwrap_or_default(), attachments: Vec::new() },
    };
    Some((heard, missing))
}

fn with_attachment(mut heard: Heard, bytes: Vec<u8>) -> Heard {
    if let Heard::Event { attachments, .. } | Heard::Ack { attachments, .. } = &mut heard {
        attachments.push(bytes);
    }
    heard
}
