use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use cache::{Cache, CacheSettings};
use clap::Parser;
use service::{Process, ServiceSettings, State};

use super::{Installation, Serving, eventually};

/// A real Redis, empty at first.
pub struct Redis {
    port: u16,
    server: Child,
}

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    cache: CacheSettings,
    #[command(flatten)]
    service: ServiceSettings,
}

impl Redis {
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let server = command.stdout(Stdio::null()).spawn().expect("redis-server is installed (apt-get install redis-server)");
        Self { port, server }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A gateway with this Redis, once it has it. The deadline is generous: these stories are not about a slow Redis.
    pub async fn gateway(&self, installation: &Installation) -> Serving {
        self.gateway_with(installation, &[]).await
    }

    pub async fn gateway_with(&self, installation: &Installation, arguments: &[&str]) -> Serving {
        let url = self.url();
        let gateway = installation.gateway(&[&["--redis-url", &url, "--redis-deadline", "2000"], arguments].concat()).await;
        let components = gateway.process.health.watch();
        eventually("the gateway has Redis", async || components.borrow().get("redis") == Some(&State::Up)).await;
        gateway
    }

    /// A worker's way to it.
    pub async fn cache(&self) -> Cache {
        let settings = Settings::parse_from(["test", "--redis-url", &self.url(), "--redis-deadline", "2000"]);
        let cache = Cache::connect(&settings.cache, &Process::new(&settings.service)).unwrap();
        eventually("Redis is up", async || cache.state() == State::Up).await;
        cache
    }

    /// It stays, and says nothing any more.
    pub fn freeze(&self) {
        assert!(Command::new("kill").args(["-STOP", &self.server.id().to_string()]).status().unwrap().success());
    }

    pub fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
