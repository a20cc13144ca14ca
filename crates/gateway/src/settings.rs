use std::{net::IpAddr, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use clap::Args;
use service::{parse_millis, parse_seconds};
use shared::{Kind, limits};

use crate::identity::ChannelPattern;

/// What can be set about a gateway. Every setting is a flag and an environment variable.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Gateway")]
pub struct GatewaySettings {
    /// The port to listen on; 0 takes any free one
    #[arg(long, env = "PORT", default_value_t = 9000)]
    pub port: u16,

    /// The address to listen on; 0.0.0.0 in containers
    #[arg(long, env = "BIND", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: IpAddr,

    /// The job types that clients may submit, separated by commas; a client's token may narrow them
    #[arg(long, env = "KINDS", value_name = "KIND,...", value_delimiter = ',', default_value = "echo,thumbnail,webhook")]
    pub kinds: Vec<Kind>,

    /// Those of them that anybody may submit who is not signed in, separated by commas; `none` for none. Webhooks are signed with
    /// the installation's secret, which strangers should not be able to lead
    #[arg(long, env = "ANONYMOUS_KINDS", value_name = "KIND,...", default_value = "echo,thumbnail", value_parser = parse_list::<Kind>)]
    pub anonymous_kinds: Arc<[Kind]>,

    /// Channels that anybody may join, separated by commas, a `*` at the end standing for any rest; `none` for none. A user's token may add some
    #[arg(long, env = "ANONYMOUS_CHANNELS", value_name = "PATTERN,...", default_value = "public:*", value_parser = parse_list::<ChannelPattern>)]
    pub anonymous_channels: Arc<[ChannelPattern]>,

    /// Channels that anybody may publish to, likewise. A user's token may add some
    #[arg(long, env = "ANONYMOUS_PUBLISH_CHANNELS", value_name = "PATTERN,...", default_value = "public:*", value_parser = parse_list::<ChannelPattern>)]
    pub anonymous_publish_channels: Arc<[ChannelPattern]>,

    /// Signs session tokens (HS256); the same on all gateways, or clients lose their session when they move. Random if unset
    #[arg(long, env = "SESSION_SECRET", value_name = "TEXT", hide_env_values = true)]
    pub session_secret: Option<String>,

    /// How long a session token is good for, in seconds; each connect renews it
    #[arg(long, env = "SESSION_TTL_S", value_name = "S", default_value = "604800", value_parser = parse_seconds)]
    pub session_ttl: Duration,

    /// Verifies the users' tokens (HS256); without this and AUTH_JWT_PUBLIC_KEY nobody can sign in
    #[arg(long, env = "AUTH_JWT_SECRET", value_name = "TEXT", hide_env_values = true, conflicts_with = "auth_jwt_public_key")]
    pub auth_jwt_secret: Option<String>,

    /// Verifies the users' tokens: an RSA, EC or Ed25519 public key as PEM (RS256, ES256, EdDSA)
    #[arg(long, env = "AUTH_JWT_PUBLIC_KEY", value_name = "PEM", hide_env_values = true)]
    pub auth_jwt_public_key: Option<String>,

    /// The `aud` that users' tokens must carry; not checked if unset
    #[arg(long, env = "AUTH_JWT_AUDIENCE", value_name = "TEXT")]
    pub auth_jwt_audience: Option<String>,

    /// How long a socket may stay to refresh its user's token after that has ended, in seconds; its requests are refused meanwhile
    #[arg(long, env = "AUTH_GRACE_S", value_name = "S", default_value = "10", value_parser = parse_seconds)]
    pub auth_grace: Duration,

    /// A bearer token that lets other services submit jobs for any audience and publish events; none if unset
    #[arg(long, env = "SERVICE_TOKEN", value_name = "TEXT", hide_env_values = true)]
    pub service_token: Option<String>,

    /// The largest payload of a job, in bytes; Pub/Sub takes no more than 9,000,000
    #[arg(long, env = "MAX_PAYLOAD_BYTES", value_name = "BYTES", default_value_t = limits::MAX_PAYLOAD, value_parser = parse_payload_limit)]
    pub max_payload_bytes: usize,

    /// How many jobs of one session may be unfinished at a time
    #[arg(long, env = "MAX_UNFINISHED_JOBS", value_name = "JOBS", default_value_t = 100)]
    pub max_unfinished_jobs: usize,

    /// How many submits a second one session may make in the long run; twice as many at once
    #[arg(long, env = "SUBMITS_PER_SECOND", value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub submits_per_second: u32,

    /// How many messages a second one session may publish to channels in the long run; twice as many at once
    #[arg(long, env = "PUBLISHES_PER_SECOND", value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub publishes_per_second: u32,

    /// The largest message that a client may publish to a channel, in bytes: it goes to every member
    #[arg(long, env = "MAX_PUBLISH_BYTES", value_name = "BYTES", default_value_t = 64 << 10, value_parser = parse_payload_limit)]
    pub max_publish_bytes: usize,

    /// How many channels one socket may be in
    #[arg(long, env = "MAX_CHANNELS", value_name = "N", default_value_t = 100)]
    pub max_channels: usize,

    /// How many other requests a second (get, resume, cancel, join, leave) one session may make; twice as many at once
    #[arg(long, env = "REQUESTS_PER_SECOND", value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub requests_per_second: u32,

    /// How much of the recent history is kept in memory, in bytes
    #[arg(long, env = "HISTORY_BYTES", value_name = "BYTES", default_value_t = 64 << 20)]
    pub history_bytes: usize,

    /// How long a job stays in the history after it last moved, in seconds
    #[arg(long, env = "HISTORY_AGE_S", value_name = "S", default_value = "3600", value_parser = parse_seconds)]
    pub history_age: Duration,

    /// How long to wait for the history to fill before taking traffic without it, in seconds
    #[arg(long, env = "WARM_UP_S", value_name = "S", default_value = "10", value_parser = parse_seconds)]
    pub warm_up: Duration,

    /// Which web origins may use the API and polling from elsewhere, separated by commas; `*` is any, none if unset
    #[arg(long, env = "CORS_ORIGINS", value_name = "ORIGIN,...", value_delimiter = ',')]
    pub cors_origins: Vec<String>,

    /// Where socket.io.js lies with its maps and variants (socket.io-client's `dist`); the page uses a CDN without it
    #[arg(long, env = "SOCKETIO_CLIENT_DIR", value_name = "DIR")]
    pub socketio_client_dir: Option<PathBuf>,

    /// How many connections may be open; more are closed at once
    #[arg(long, env = "MAX_CONNECTIONS", value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,

    /// How much may wait for a slow client, in bytes; one that is further behind is closed, to come back and resume
    #[arg(long, env = "MAX_OUTBOUND_BYTES", value_name = "BYTES", default_value_t = 32 << 20)]
    pub max_outbound_bytes: usize,

    /// How often clients are asked whether they are there, in seconds, 1 to 3600
    #[arg(long, env = "PING_INTERVAL_S", value_name = "S", default_value = "25", value_parser = parse_patience)]
    pub ping_interval: Duration,

    /// How long they may take to answer, in seconds, 1 to 3600
    #[arg(long, env = "PING_TIMEOUT_S", value_name = "S", default_value = "20", value_parser = parse_patience)]
    pub ping_timeout: Duration,

    /// How long at least a leaving gateway goes on listening, in milliseconds: as long as a load balancer takes to notice and to
    /// send new clients elsewhere, but no longer than 8 s or two thirds of the drain budget. 0 leaves with the last client
    #[arg(long, env = "LINGER_MS", value_name = "MS", default_value = "0", value_parser = parse_millis)]
    pub linger: Duration,
}

fn parse_patience(text: &str) -> Result<Duration, String> {
    let seconds = parse_seconds(text).map_err(|error| error.to_string())?;
    if (1..=3_600).contains(&seconds.as_secs()) { Ok(seconds) } else { Err("expected 1 to 3600 seconds".to_owned()) }
}

/// Unlike clap's own lists, this one may be empty; the word is needed because an empty variable counts as unset.
fn parse_list<T: FromStr>(text: &str) -> Result<Arc<[T]>, T::Err> {
    if text == "none" {
        return Ok(Arc::default());
    }
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::parse).collect()
}

fn parse_payload_limit(text: &str) -> Result<usize, String> {
    let bytes: usize = text.parse().map_err(|error: std::num::ParseIntError| error.to_string())?;
    if bytes <= limits::MAX_PAYLOAD {
        Ok(bytes)
    } else {
        Err(format!("more than the {} bytes that fit into a message", limits::MAX_PAYLOAD))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Settings {
        #[command(flatten)]
        gateway: GatewaySettings,
    }

    fn parse(arguments: &[&str]) -> Result<GatewaySettings, String> {
        service::try_parse_from::<Settings>([&["test"], arguments].concat())
            .unwrap()
            .map(|settings| settings.gateway)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_suit_a_laptop() {
        let settings = parse(&[]).unwrap();
        assert_eq!((settings.port, settings.bind.is_loopback()), (9000, true));
        assert_eq!(settings.kinds.iter().map(Kind::as_str).collect::<Vec<_>>(), ["echo", "thumbnail", "webhook"]);
        assert_eq!(settings.anonymous_kinds.iter().map(Kind::as_str).collect::<Vec<_>>(), ["echo", "thumbnail"]);
    }

    #[test]
    fn what_pubsub_cannot_carry_cannot_be_allowed() {
        let refusal = parse(&["--max-payload-bytes", "10000000"]).unwrap_err();
        assert!(refusal.starts_with("MAX_PAYLOAD_BYTES: `10000000` is not valid: more than the 9000000 bytes"), "{refusal}");
    }

    #[test]
    fn a_list_may_be_empty() {
        let settings = parse(&["--anonymous-kinds", "none", "--anonymous-channels", "none"]).unwrap();
        assert_eq!((settings.anonymous_kinds.len(), settings.anonymous_channels.len()), (0, 0));
        assert_eq!(parse(&["--anonymous-channels", "news, public:*"]).unwrap().anonymous_channels.len(), 2);
        assert!(
            parse(&["--anonymous-channels", "a*b"])
                .unwrap_err()
                .starts_with("ANONYMOUS_CHANNELS: `a*b` is not valid: expected a channel's name")
        );
    }

    #[test]
    fn nobody_is_asked_all_the_time_or_never() {
        for seconds in ["0", "3601"] {
            let refusal = parse(&["--ping-interval", seconds]).unwrap_err();
            assert_eq!(refusal, format!("PING_INTERVAL_S: `{seconds}` is not valid: expected 1 to 3600 seconds"));
        }
    }

    #[test]
    fn a_kind_that_cannot_be_one_is_named() {
        assert!(parse(&["--kinds", "echo,No"]).unwrap_err().starts_with("KINDS: `No` is not valid"));
    }
}
