use futures::{SinkExt, StreamExt};
use reqwest::Response;
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::DEADLINE;

/// What stands between two packets.
const SEPARATOR: char = '\u{1e}';

/// A client over HTTP polling.
pub struct Polling {
    http: reqwest::Client,
    url: String,
}

impl Polling {
    /// Comes in and hears its welcome.
    pub async fn connect(url: String) -> Self {
        let open = reqwest::get(&url).await.unwrap().text().await.unwrap();
        let open: Value = serde_json::from_str(&open[1..]).unwrap();
        let url = format!("{url}&sid={}", open["sid"].as_str().unwrap());
        let mut client = Self { http: reqwest::Client::new(), url };
        assert_eq!(client.http.post(&client.url).body("40").send().await.unwrap().text().await.unwrap(), "ok");
        client.hear("welcome", 1).await;
        client
    }

    /// Sends packets, all in one request.
    pub async fn say(&self, packets: &[String]) {
        let body = packets.join(&SEPARATOR.to_string());
        assert_eq!(self.http.post(&self.url).body(body).send().await.unwrap().text().await.unwrap(), "ok");
    }

    /// Asks until it has heard so many events of a name.
    pub async fn hear(&mut self, event: &str, count: usize) {
        self.hear_packets(&format!("42[\"{event}\""), count).await;
    }

    /// Asks until it has heard so many acks.
    pub async fn hear_acks(&mut self, count: usize) {
        self.hear_packets("43", count).await;
    }

    /// Asks until it has heard so many packets that begin like this.
    async fn hear_packets(&mut self, start: &str, count: usize) {
        let asking = async {
            let mut heard = 0;
            while heard < count {
                let text = self.ask().await.text().await.unwrap();
                heard += text.split(SEPARATOR).filter(|packet| packet.starts_with(start)).count();
            }
        };
        timeout(DEADLINE, asking).await.expect("it hears them in time");
    }

    /// Moves to a websocket.
    pub async fn upgrade(self) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
        let url = self.url.replace("http:", "ws:").replace("transport=polling", "transport=websocket");
        let (mut websocket, _) = connect_async(url).await.unwrap();
        websocket.send(Message::text("2probe")).await.unwrap();
        assert_eq!(websocket.next().await.unwrap().unwrap(), Message::text("3probe"));
        websocket.send(Message::text("5")).await.unwrap();
        websocket
    }

    /// Asks once for what there is; again where the gateway had just closed the connection that was to be used again, as
    /// HTTP clients do.
    pub async fn ask(&self) -> Response {
        match self.http.get(&self.url).send().await {
            Err(error) if error.is_request() => self.http.get(&self.url).send().await.unwrap(),
            answer => answer.unwrap(),
        }
    }
}
