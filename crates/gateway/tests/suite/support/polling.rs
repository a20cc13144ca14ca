use reqwest::Response;
use serde_json::Value;

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

    /// Asks until it has heard so many events of a name.
    pub async fn hear(&mut self, event: &str, count: usize) {
        let mut heard = 0;
        while heard < count {
            let text = self.ask().await.text().await.unwrap();
            heard += text.matches(&format!("42[\"{event}\"")).count();
        }
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
