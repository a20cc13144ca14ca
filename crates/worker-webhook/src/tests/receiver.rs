//! Servers that webhooks are sent to.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::ip;

/// A server that remembers what it got and answers as it is told, its last answer for ever.
#[derive(Clone)]
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

type Answers = Arc<Mutex<Vec<Response>>>;

impl Receiver {
    pub(super) async fn at<A: IntoResponse>(host: &str, answers: impl IntoIterator<Item = A>) -> Self {
        let listener = TcpListener::bind((ip(host), 0)).await.unwrap();
        let receiver = Self { address: listener.local_addr().unwrap(), got: Arc::default() };
        let answers: Answers = Arc::new(Mutex::new(answers.into_iter().map(IntoResponse::into_response).collect()));
        let router = Router::new().fallback(receive).with_state((receiver.clone(), answers));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        receiver
    }

    pub(super) async fn answering<A: IntoResponse>(answers: impl IntoIterator<Item = A>) -> Self {
        Self::at("127.0.0.1", answers).await
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook?a=b", self.address)
    }

    pub(super) fn got(&self) -> Vec<(HeaderMap, Bytes)> {
        self.got.lock().unwrap().clone()
    }
}

async fn receive(State((receiver, answers)): State<(Receiver, Answers)>, headers: HeaderMap, body: Bytes) -> Response {
    receiver.got.lock().unwrap().push((headers, body));
    let mut answers = answers.lock().unwrap();
    if answers.len() > 1 {
        return answers.remove(0);
    }
    (answers[0].status(), answers[0].headers().clone()).into_response()
}

/// A server that speaks by hand, after it has read the beginning of the request.
pub(super) async fn speaking<F>(speak: impl Fn(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // Requests are small: one read sees its beginning, and that it has come is all that matters.
            let begun = stream.read(&mut [0; 4096]).await.unwrap();
            assert_ne!(begun, 0);
            // The other side hangs up when it has had enough.
            tokio::spawn(speak(stream));
        }
    });
    url
}

pub(super) async fn say(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes()).await
}
