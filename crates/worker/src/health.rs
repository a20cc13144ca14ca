use std::net::{IpAddr, SocketAddr};

use clap::Args;
use service::{Process, StartError, listen, serve_health};

/// Where a process that serves nothing else shows how it is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Health")]
pub struct HealthSettings {
    /// The port of /livez, /readyz and /metrics; 0 serves them nowhere
    #[arg(long, env = "HEALTH_PORT", value_name = "PORT", default_value_t = 0)]
    pub health_port: u16,

    /// The address that this port is opened on; in a container 0.0.0.0
    #[arg(long, env = "BIND", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: IpAddr,
}

impl HealthSettings {
    /// Begins to serve; goes on in the background until the process ends.
    ///
    /// # Errors
    /// When the address is taken, or is none of this machine's.
    pub async fn serve(&self, process: &Process) -> Result<(), StartError> {
        if self.health_port != 0 {
            let listener = listen(SocketAddr::new(self.bind, self.health_port)).await?;
            let process = process.clone();
            tokio::spawn(async move { serve_health(listener, &process).await });
        }
        Ok(())
    }
}
