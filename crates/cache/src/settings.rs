use std::time::Duration;

use clap::Args;
use deadpool_redis::redis::{Client, RedisError};
use service::{parse_millis, parse_seconds};

/// Where Redis is, if anywhere, and what to keep there.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Redis")]
pub struct CacheSettings {
    /// Redis as a URL, for instance redis://:password@10.0.0.3:6379/0; without it and without a host there is none
    #[arg(long, env = "REDIS_URL", value_name = "URL", hide_env_values = true, value_parser = parse_url)]
    pub redis_url: Option<String>,

    /// Redis' host, if there is no URL
    #[arg(long, env = "REDIS_HOST", value_name = "HOST")]
    pub redis_host: Option<String>,

    /// Redis' port, if there is no URL
    #[arg(long, env = "REDIS_PORT", value_name = "PORT", default_value_t = 6379)]
    pub redis_port: u16,

    /// What keys and channels begin with, so that several installations share a Redis
    #[arg(long, env = "REDIS_PREFIX", value_name = "PREFIX", default_value = "mayfly:")]
    pub redis_prefix: String,

    /// How long anybody waits for Redis, in milliseconds
    #[arg(long, env = "REDIS_DEADLINE_MS", value_name = "MS", default_value = "50", value_parser = parse_millis)]
    pub redis_deadline: Duration,

    /// How long a job's history is kept after its last event, in seconds
    #[arg(long, env = "REDIS_HISTORY_S", value_name = "S", default_value = "14400", value_parser = parse_seconds)]
    pub redis_history: Duration,
}

/// An address that cannot be Redis'. Being away is no error, being nonsense is.
#[derive(Debug, thiserror::Error)]
#[error("expected redis://[:password@]host[:port][/database]: {0}")]
pub struct InvalidRedisUrl(#[from] RedisError);

impl CacheSettings {
    /// The address, if Redis is wanted: the URL wins over host and port; empty values count as unset.
    ///
    /// # Errors
    /// When the URL is none of Redis'.
    pub(crate) fn client(&self) -> Result<Option<Client>, InvalidRedisUrl> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let url = given(&self.redis_url).or_else(|| given(&self.redis_host).map(|host| format!("redis://{host}:{}", self.redis_port)));
        Ok(url.map(Client::open).transpose()?)
    }
}

/// Nothing is an address of its own: it says that there is no Redis.
fn parse_url(text: &str) -> Result<String, InvalidRedisUrl> {
    if !text.is_empty() {
        Client::open(text)?;
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        cache: CacheSettings,
    }

    fn address(arguments: &[&str]) -> Option<String> {
        let settings = Settings::parse_from([&["test"], arguments].concat()).cache;
        settings.client().unwrap().map(|client| client.get_connection_info().addr().to_string())
    }

    #[test]
    fn the_url_wins_over_host_and_port_and_nothing_means_no_redis() {
        assert_eq!(address(&[]), None);
        assert_eq!(address(&["--redis-url", ""]), None);
        assert_eq!(address(&["--redis-host", "cache", "--redis-port", "7000"]).unwrap(), "cache:7000");
        assert_eq!(address(&["--redis-host", "cache", "--redis-url", "redis://other:1"]).unwrap(), "other:1");
    }

    #[test]
    fn a_url_that_is_not_redis_is_an_error_that_names_the_setting() {
        let error = service::try_parse_from::<Settings>(["test", "--redis-url", "http://:secret@example"]).unwrap().err().unwrap();
        assert!(error.to_string().starts_with("REDIS_URL is not valid: expected redis://"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
