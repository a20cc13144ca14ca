//! A network between Mayfly and Redis that is slow, or dies without a word.

use std::{future::pending, net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
    time::sleep,
};

/// A TCP proxy in front of Redis.
pub struct Proxy {
    pub port: u16,
    silenced: watch::Sender<()>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Everything takes `latency` longer, each way.
    pub async fn before(server: u16, latency: Duration) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let silenced = watch::Sender::new(());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, server, latency, silenced.clone()));
        Self { port, silenced, _tasks: tasks }
    }

    /// Nothing comes through any more on connections that are open now, and nobody is told; new ones are fine.
    pub fn silence(&self) {
        self.silenced.send_replace(());
    }
}

async fn serve(listener: TcpListener, server: u16, latency: Duration, silenced: watch::Sender<()>) {
    let mut connections = JoinSet::new();
    loop {
        let client = listener.accept().await.unwrap().0;
        let silenced = silenced.subscribe();
        connections.spawn(async move {
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else { return };
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::join!(pump(from_client, to_server, latency, silenced.clone()), pump(from_server, to_client, latency, silenced));
        });
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, latency: Duration, mut silenced: watch::Receiver<()>) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = tokio::select! {
            biased;
            _ = silenced.changed() => pending().await,
            read = from.read(&mut buffer) => read.unwrap_or(0),
        };
        sleep(latency).await;
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
