use std::{
    net::SocketAddr,
    process::{ExitStatus, Stdio},
};

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::{Client, DEADLINE, Installation};

/// A gateway as a process of its own.
pub struct Binary {
    pub address: SocketAddr,
    child: Child,
}

impl Binary {
    pub async fn start(installation: &Installation, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mayfly-gateway"))
            .args(["--port", "0", "--session-secret", "sessions", "--redis-url", ""])
            .args(arguments)
            .env_clear()
            .env("PUBSUB_EMULATOR_HOST", installation.pubsub_address().to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (mut stdout, mut stderr) = (BufReader::new(stdout).lines(), BufReader::new(stderr).lines());
        let listens = async {
            loop {
                let line = tokio::select! {
                    line = stdout.next_line() => line,
                    line = stderr.next_line() => line,
                };
                let line = line.unwrap().expect("it runs");
                if let Some((_, address)) = line.split_once("serving on http://") {
                    break address.split(['"', ' ']).next().unwrap().parse().unwrap();
                }
            }
        };
        let address = tokio::time::timeout(DEADLINE, listens).await.expect("it serves");
        // What it says later must not fill its pipes.
        tokio::spawn(async move { while let Ok(Some(_)) = stdout.next_line().await {} });
        tokio::spawn(async move { while let Ok(Some(_)) = stderr.next_line().await {} });
        Self { address, child }
    }

    pub async fn client(&self) -> Client {
        Client::connect(self.address, json!({})).await.unwrap()
    }

    /// Resident memory, in KiB.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Asks it to leave.
    pub fn terminate(&self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    pub async fn exit(mut self) -> ExitStatus {
        self.child.wait().await.unwrap()
    }
}
