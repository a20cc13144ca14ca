//! EmulatorSettings, as flags and environment variables.

use clap::Args;
use std::net::{Ipv4Addr, SocketAddr};

/// How much memory messages get unless set otherwise.
const DEFAULT_MEMORY_MB: u32 = 256;

/// The settings of an emulator. The port is the one that Google's emulator takes.
#[derive(Debug, Clone, Args)]
pub struct EmulatorSettings {
    /// Address to listen on.
    #[arg(long = "pubsub-emulator-listen", env = "PUBSUB_EMULATOR_LISTEN", value_name = "ADDRESS",
          default_value_t = Self::default().listen)]
    pub listen: SocketAddr,

    /// Memory for all retained messages, in MiB. When it is full, publishing fails.
    #[arg(long = "pubsub-emulator-memory-mb", env = "PUBSUB_EMULATOR_MEMORY_MB", value_name = "MIB",
          default_value_t = Self::default().memory_mb, value_parser = clap::value_parser!(u32).range(1..))]
    pub memory_mb: u32,
}

impl EmulatorSettings {
    /// The memory limit in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        usize::try_from(u64::from(self.memory_mb) * 1024 * 1024).unwrap_or(usize::MAX)
    }
}

impl Default for EmulatorSettings {
    fn default() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 8085).into(), memory_mb: DEFAULT_MEMORY_MB }
    }
}
