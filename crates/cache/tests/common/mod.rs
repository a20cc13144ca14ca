//! A real Redis that can be killed, frozen and filled.
#![allow(unreachable_pub, dead_code, reason = "shared by several test crates, none of which uses all of it")]

pub mod proxy;

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use cache::{Cache, CacheSettings};
use clap::Parser;
use service::{Process, ServiceSettings, State};
use shared::{Audience, EventType, JobEvent, JobId, Payload};
use tempfile::TempDir;

/// Longest wait for anything; a healthy run needs a fraction.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub struct Redis {
    pub port: u16,
    server: Option<Child>,
    directory: TempDir,
}

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    service: ServiceSettings,
    #[command(flatten)]
    cache: CacheSettings,
}

impl Redis {
    /// A port on which nobody listens yet.
    pub fn absent() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { port, server: None, directory: TempDir::new().unwrap() }
    }

    pub fn started() -> Self {
        let mut redis = Self::absent();
        redis.start(&[]);
        redis
    }

    /// Starts empty: nothing is ever saved.
    pub fn start(&mut self, arguments: &[&str]) {
        let server = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
            .arg(self.directory.path())
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed (apt-get install redis-server)");
        self.server = Some(server);
    }

    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    pub fn signal(&self, name: &str) {
        let pid = self.server.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// A command through the stock client.
    pub fn cli(&self, arguments: &[&str]) {
        let status = Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(arguments).stdout(Stdio::null()).status();
        assert!(status.unwrap().success());
    }

    pub fn keys(&self, pattern: &str) -> Vec<String> {
        let output = Command::new("redis-cli").args(["-p", &self.port.to_string(), "KEYS", pattern]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
    }

    pub fn cache(&self) -> Cache {
        connect(&[&format!("--redis-url=redis://127.0.0.1:{}", self.port)])
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn connect(arguments: &[&str]) -> Cache {
    process(arguments).0
}

/// A process of its own, and what it has of Redis.
pub fn process(arguments: &[&str]) -> (Cache, Process) {
    let settings = Settings::parse_from([&["test"], arguments].concat());
    let process = Process::new(&settings.service);
    (Cache::connect(&settings.cache, &process).unwrap(), process)
}

pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, wait).await.is_ok(), "not within {DEADLINE:?}: {what}");
}

pub async fn state(cache: &Cache, wanted: State) {
    until(&format!("Redis is {wanted}"), async || cache.state() == wanted).await;
}

pub fn event(job_id: JobId, seq: u64, event_type: EventType) -> JobEvent {
    JobEvent {
        job_id,
        kind: "echo".parse().unwrap(),
        audience: Audience::All,
        seq,
        attempt: 1,
        event_type,
        at: "2026-01-02T03:04:05Z".parse().unwrap(),
        data: Some(Payload::Raw { content_type: "image/png".into(), bytes: Bytes::from_static(&[0, 255]) }),
        error: None,
    }
}
