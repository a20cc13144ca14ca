use std::net::SocketAddr;

use bus::{Bus, BusSettings};
use cache::{Cache, CacheSettings};
use clap::Parser;
use emulator::{Emulator, Running};
use futures::{SinkExt, StreamExt};
use gateway::{Gateway, GatewaySettings};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use service::{Process, ServiceSettings};
use shared::Timestamp;
use tokio::{
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::{Client, FakeWorker, Refused, eventually};

/// An embedded Pub/Sub and whatever the story starts around it.
pub struct Installation {
    pubsub: Option<Running>,
    address: SocketAddr,
}

/// A gateway at work.
pub struct Serving {
    pub address: SocketAddr,
    pub process: Process,
    drained: JoinHandle<()>,
}

#[derive(Debug, Parser)]
#[command(args_override_self = true)]
struct Settings {
    #[command(flatten)]
    gateway: GatewaySettings,
    #[command(flatten)]
    cache: CacheSettings,
    #[command(flatten)]
    service: ServiceSettings,
}

/// What all gateways of the tests have in common.
const DEFAULTS: [&str; 9] =
    ["test", "--session-secret", "sessions", "--auth-jwt-secret", "users", "--hostname", "gateway-under-test", "--redis-url", ""];

impl Installation {
    pub async fn start() -> Self {
        let pubsub = Emulator::default().bind("127.0.0.1:0").await.unwrap().spawn();
        Self { address: pubsub.local_addr(), pubsub: Some(pubsub) }
    }

    pub fn pubsub_address(&self) -> SocketAddr {
        self.address
    }

    /// A gateway of these settings, once it wants clients.
    pub async fn gateway(&self, arguments: &[&str]) -> Serving {
        let serving = self.gateway_not_ready(arguments).await;
        tokio::time::timeout(super::DEADLINE, serving.process.health.ready()).await.expect("the gateway gets ready");
        serving
    }

    /// A gateway of these settings, as soon as it listens.
    pub async fn gateway_not_ready(&self, arguments: &[&str]) -> Serving {
        self.serve(arguments, &self.bus_settings()).await
    }

    /// A gateway that leaves it to others to create topics, as soon as it listens.
    pub async fn gateway_that_creates_nothing(&self) -> Serving {
        self.serve(&["--warm-up", "1"], &BusSettings { pubsub_ensure_topology: Some(false), ..self.bus_settings() }).await
    }

    async fn serve(&self, arguments: &[&str], bus: &BusSettings) -> Serving {
        let settings = Settings::parse_from([&DEFAULTS, arguments].concat());
        let process = Process::new(&settings.service);
        let bus = Bus::connect(bus, &process.metrics).await.unwrap();
        let cache = Cache::connect(&settings.cache, &process).unwrap();
        let listener = service::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let mut gateway = Gateway::start(&settings.gateway, &process, bus, cache, listener).unwrap();
        let address = gateway.address();
        let drained = tokio::spawn(async move { gateway.drained().await });
        Serving { address, process, drained }
    }

    /// A worker of kind `echo`, once its subscription exists.
    pub async fn worker(&self) -> FakeWorker {
        FakeWorker::start(self.bus().await).await
    }

    pub async fn bus(&self) -> Bus {
        Bus::connect(&self.bus_settings(), &Process::new(&Settings::parse_from(DEFAULTS).service).metrics).await.unwrap()
    }

    fn bus_settings(&self) -> BusSettings {
        BusSettings::emulator(self.address.to_string())
    }

    /// Pub/Sub goes, and takes everything that it knew with it.
    pub async fn stop_pubsub(&mut self) {
        self.pubsub.take().expect("Pub/Sub runs").stop().await;
    }

    /// Pub/Sub comes back at the same address, empty.
    pub async fn start_pubsub(&mut self) {
        eventually("the port is free again", async || match Emulator::default().bind(self.address).await {
            Ok(bound) => {
                self.pubsub = Some(bound.spawn());
                true
            }
            Err(_) => false,
        })
        .await;
    }

    /// Sends everybody so many notifications of so many bytes.
    pub async fn flood(&self, count: usize, bytes: usize) {
        self.flood_to("all", count, bytes).await;
    }

    /// Sends an audience so many notifications of so many bytes.
    pub async fn flood_to(&self, audience: &str, count: usize, bytes: usize) {
        // What is under way at a time must reach a busy Pub/Sub within a publish's deadline.
        let at_a_time = (2_000_000 / bytes.max(1)).clamp(1, 16);
        let bus = self.bus().await;
        let topic = bus.names().events();
        let text = format!("\"{}\"", "x".repeat(bytes));
        let publish = |_| {
            let attributes = [("audience".to_owned(), audience.to_owned())].into();
            let (bus, topic, message) = (bus.clone(), topic.clone(), bus::Message::new(attributes, text.clone()));
            async move { bus.publish(&topic, message).await.map(drop).unwrap() }
        };
        futures::stream::iter(0..count).map(publish).buffer_unordered(at_a_time).collect::<()>().await;
    }

    /// How many gateways have a subscription.
    pub async fn event_subscriptions(&self) -> usize {
        let url = format!("http://{}/v1/projects/mayfly-dev/subscriptions?pageSize=1000", self.address);
        let listed: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        let names = listed["subscriptions"].as_array().cloned().unwrap_or_default();
        names.iter().filter(|subscription| subscription["name"].as_str().unwrap().contains("/mayfly-events-")).count()
    }

    /// Pub/Sub delivers to a gateway once more what was published in the last ten minutes, as it does when acknowledgements are lost.
    pub async fn deliver_again(&self, gateway: &Serving) {
        let name = format!("mayfly-events-{}", gateway.process.instance);
        let url = format!("http://{}/v1/projects/mayfly-dev/subscriptions/{name}:seek", self.address);
        let since = Timestamp::now() - std::time::Duration::from_secs(600);
        let answer = reqwest::Client::new().post(url).json(&json!({ "time": since.to_string() })).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }
}

impl Serving {
    /// A new client.
    pub async fn client(&self) -> Client {
        self.client_as(json!({})).await.unwrap()
    }

    /// A client with this handshake.
    pub async fn client_as(&self, auth: Value) -> Result<Client, Refused> {
        Client::connect(self.address, auth).await
    }

    /// The same session again.
    pub async fn client_again(&self, client: &Client) -> Client {
        self.client_as(json!({ "session": client.session_token() })).await.unwrap()
    }

    /// A client that never reads again.
    pub async fn stalled_client(&self) -> WebSocketStream<TcpStream> {
        let stalled = stalled_client(self.address, json!({})).await;
        eventually("the client is in", async || self.figure("mayfly_gateway_sockets") >= 1.0).await;
        stalled
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A figure of its metrics; 0 if it is not there.
    pub fn figure(&self, name: &str) -> f64 {
        let metrics = self.process.metrics.encode();
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Waits until it has left.
    pub async fn drained(self) {
        tokio::time::timeout(std::time::Duration::from_secs(15), self.drained).await.expect("the drain ends in time").unwrap();
    }

    /// Leaves.
    pub async fn leave(self) {
        self.process.lifecycle.begin_drain();
        self.drained().await;
    }
}

/// A client that says who it is, and never reads again.
pub async fn stalled_client(address: SocketAddr, auth: Value) -> WebSocketStream<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(address).await.unwrap();
    let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
    let (mut stalled, _) = client_async(url, stream).await.unwrap();
    stalled.send(Message::text(format!("40{auth}"))).await.unwrap();
    stalled
}

/// A token of the application for a user, with further claims.
pub fn user_token(user: &str, claims: Value) -> String {
    user_token_for(user, 600, claims)
}

/// A token that ends after so many seconds.
pub fn user_token_for(user: &str, seconds: i64, mut claims: Value) -> String {
    claims["sub"] = user.into();
    claims["exp"] = (Timestamp::now().as_second() + seconds).into();
    encode(&Header::default(), &claims, &EncodingKey::from_secret(b"users")).unwrap()
}
