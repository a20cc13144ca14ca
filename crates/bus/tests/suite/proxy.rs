//! A network that breaks when told to.

use std::{net::SocketAddr, time::Duration};

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

/// A TCP proxy in front of a server.
pub struct Proxy {
    pub address: SocketAddr,
    /// Where it leads to.
    pub server: String,
    network: watch::Sender<Network>,
    _tasks: JoinSet<()>,
}

/// How the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    Fine,
    /// Connections are refused, and those that were open are closed.
    Cut,
    /// Connections stay and are even accepted, but nothing comes through.
    Frozen,
    /// Everything takes [`SLOW`] longer, each way.
    Slow,
}

pub const SLOW: Duration = Duration::from_millis(150);

impl Proxy {
    pub async fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (network, watching) = watch::channel(Network::Fine);
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(listener, server.clone(), watching));
        Self { address, server, network, _tasks: tasks }
    }

    pub fn set(&self, network: Network) {
        self.network.send_replace(network);
    }
}

async fn listen(mut listener: TcpListener, server: String, mut network: watch::Receiver<Network>) {
    let address = listener.local_addr().unwrap();
    let mut connections = JoinSet::new();
    loop {
        let accepting = async {
            loop {
                let client = listener.accept().await.unwrap().0;
                connections.spawn(carry(client, server.clone(), network.clone()));
            }
        };
        let mut cut = network.clone();
        tokio::select! {
            () = accepting => {}
            _ = cut.wait_for(|network| *network == Network::Cut) => {}
        }
        // Gone for the kernel too, so that connecting is refused.
        drop(listener);
        if network.wait_for(|network| *network != Network::Cut).await.is_err() {
            return;
        }
        listener = TcpListener::bind(address).await.unwrap();
    }
}

async fn carry(client: TcpStream, server: String, network: watch::Receiver<Network>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(pump(from_client, to_server, network.clone()), pump(from_server, to_client, network));
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut network: watch::Receiver<Network>) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read.unwrap_or(0),
            _ = network.wait_for(|network| *network == Network::Cut) => return,
        };
        let thawed = network.wait_for(|network| *network != Network::Frozen).await.is_ok_and(|network| *network != Network::Cut);
        if *network.borrow() == Network::Slow {
            sleep(SLOW).await;
        }
        if read == 0 || !thawed || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
