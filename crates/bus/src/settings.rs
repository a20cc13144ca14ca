use std::time::Duration;

use clap::Args;

use service::InvalidSettings;

use crate::Names;

/// How to reach Pub/Sub and how long to wait for it. Every setting is a flag and an environment variable; the flag wins.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pub/Sub")]
pub struct BusSettings {
    /// `host:port` of a Pub/Sub emulator; Google's service if unset
    #[arg(long, env = "PUBSUB_EMULATOR_HOST", value_name = "HOST:PORT")]
    pub pubsub_emulator_host: Option<String>,

    /// The Google Cloud project that owns the topics; required without an emulator, `mayfly-dev` with one
    #[arg(long, env = "GOOGLE_CLOUD_PROJECT", value_name = "ID")]
    pub google_cloud_project: Option<String>,

    /// What every topic's and subscription's name starts with, so that installations can share a project
    #[arg(long, env = "TOPIC_PREFIX", value_name = "TEXT", default_value = Self::PREFIX, value_parser = parse_prefix)]
    pub topic_prefix: String,

    /// Create topics and subscriptions that are missing; by default only with an emulator, where nothing outlives a restart
    #[arg(long, env = "PUBSUB_ENSURE_TOPOLOGY", value_name = "BOOL")]
    pub pubsub_ensure_topology: Option<bool>,

    /// How long creating the topology may take in all, waiting for the server included, in milliseconds
    #[arg(long, env = "PUBSUB_ENSURE_DEADLINE_MS", value_name = "MS", default_value = Self::ENSURE_DEADLINE, value_parser = parse_pause)]
    pub pubsub_ensure_deadline: Duration,

    /// After how long without a word from the server it is asked whether it is there, in milliseconds, at least 100.
    /// Each question is one administrative request, of which Google grants a project 6,000 a minute
    #[arg(long, env = "PUBSUB_PROBE_INTERVAL_MS", value_name = "MS", default_value = Self::PROBE_INTERVAL, value_parser = parse_pause)]
    pub pubsub_probe_interval: Duration,

    /// After how long without a delivery a stream is replaced, in milliseconds, at least 100: it may be idle, or its connection may have
    /// died unnoticed, as only the kernel would find out a quarter of an hour later. By default 300000; never with an emulator
    #[arg(long, env = "PUBSUB_STREAM_SILENCE_MS", value_name = "MS", value_parser = parse_pause)]
    pub pubsub_stream_silence: Option<Duration>,

    /// How often a process says on its own subscriptions that it is alive, in seconds, 1 to 600. Each time is one administrative request
    #[arg(long, env = "PUBSUB_ALIVE_INTERVAL_S", value_name = "S", default_value = Self::ALIVE_INTERVAL, value_parser = parse_alive)]
    pub pubsub_alive_interval: Duration,

    /// How far ahead leases are extended, in seconds, 10 to 600: the longest that a killed process keeps a message from others
    #[arg(long, env = "PUBSUB_LEASE_EXTENSION_S", value_name = "S", default_value = Self::LEASE_EXTENSION, value_parser = parse_lease)]
    pub pubsub_lease_extension: Duration,

    /// How long a publish may take in all, retries included, in milliseconds, at least 100
    #[arg(long, env = "PUBLISH_DEADLINE_MS", value_name = "MS", default_value = Self::PUBLISH_DEADLINE, value_parser = parse_pause)]
    pub publish_deadline: Duration,

    /// How many publishes may be in flight; more are refused
    #[arg(long, env = "PUBLISH_QUEUE", value_name = "MESSAGES", default_value_t = Self::PUBLISH_QUEUE, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub publish_queue: u32,

    /// How long a publish waits for others to share its request, in milliseconds
    #[arg(long, env = "PUBLISH_BATCH_DELAY_MS", value_name = "MS", default_value = Self::PUBLISH_BATCH_DELAY, value_parser = service::parse_millis)]
    pub publish_batch_delay: Duration,
}

impl BusSettings {
    const PREFIX: &str = "mayfly-";
    const NO_PROJECT: &str =
        "GOOGLE_CLOUD_PROJECT is not set: name the project that owns the topics, or set PUBSUB_EMULATOR_HOST to use an emulator";
    const EMULATOR_PROJECT: &str = "mayfly-dev";
    const ENSURE_DEADLINE: &str = "10000";
    /// The client reconnects after 0.1, 0.4, 1.6, 6.4 s and so on: what is too short for a probe to see, it heals by itself in time.
    const PROBE_INTERVAL: &str = "2000";
    /// A label counts minutes, and whoever collects what was left behind waits for several of these.
    const ALIVE_INTERVAL: &str = "300";
    const STREAM_SILENCE: Duration = Duration::from_mins(5);
    /// The least that Pub/Sub accepts; machines that vanish are the normal case.
    const LEASE_EXTENSION: &str = "10";
    /// A submit must be refused within a second, and the refusal has to travel: at 900, machines with all cores busy were late.
    const PUBLISH_DEADLINE: &str = "800";
    const PUBLISH_QUEUE: u32 = 10_000;
    const PUBLISH_BATCH_DELAY: &str = "1";

    /// The defaults, with the emulator at `host` (`host:port`); the environment has no say.
    #[must_use]
    pub fn emulator(host: impl Into<String>) -> Self {
        Self {
            pubsub_emulator_host: Some(host.into()),
            google_cloud_project: None,
            topic_prefix: Self::PREFIX.to_owned(),
            pubsub_ensure_topology: None,
            pubsub_ensure_deadline: default(parse_pause, Self::ENSURE_DEADLINE),
            pubsub_probe_interval: default(parse_pause, Self::PROBE_INTERVAL),
            pubsub_stream_silence: None,
            pubsub_alive_interval: default(parse_alive, Self::ALIVE_INTERVAL),
            pubsub_lease_extension: default(parse_lease, Self::LEASE_EXTENSION),
            publish_deadline: default(parse_pause, Self::PUBLISH_DEADLINE),
            publish_queue: Self::PUBLISH_QUEUE,
            publish_batch_delay: default(service::parse_millis, Self::PUBLISH_BATCH_DELAY),
        }
    }

    /// The names of everything that this installation has on Pub/Sub.
    ///
    /// # Errors
    /// Without a project and without an emulator.
    pub fn names(&self) -> Result<Names, InvalidSettings> {
        let project = match (&self.google_cloud_project, self.emulator_host()) {
            (Some(project), _) if !project.is_empty() => project,
            (_, Some(_)) => Self::EMULATOR_PROJECT,
            (_, None) => return Err(InvalidSettings::new(Self::NO_PROJECT)),
        };
        Ok(Names::new(project, &self.topic_prefix))
    }

    /// The emulator's `host:port`; an empty variable is as good as none, as with Google's other clients.
    #[must_use]
    pub fn emulator_host(&self) -> Option<&str> {
        self.pubsub_emulator_host.as_deref().filter(|host| !host.is_empty())
    }

    pub(crate) fn ensures_topology(&self) -> bool {
        self.pubsub_ensure_topology.unwrap_or_else(|| self.emulator_host().is_some())
    }

    /// Connections to an emulator do not die unnoticed, and Google's delivers into every closed stream once more, where that waits out a lease.
    pub(crate) fn stream_silence(&self) -> Duration {
        let default = if self.emulator_host().is_some() { Duration::MAX } else { Self::STREAM_SILENCE };
        self.pubsub_stream_silence.unwrap_or(default)
    }
}

/// A value that does not parse.
type Invalid = Box<dyn std::error::Error + Send + Sync>;

/// Pub/Sub's rule for names, of which this is the first part.
fn parse_prefix(text: &str) -> Result<String, Invalid> {
    const LONGEST: usize = 64;
    let is_legal = |char: char| char.is_ascii_alphanumeric() || "-_.~+%".contains(char);
    let is_name = text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.chars().all(is_legal);
    if is_name && text.len() <= LONGEST && !text.starts_with("goog") {
        Ok(text.to_owned())
    } else {
        Err(format!("expected a letter, not `goog`, and up to {LONGEST} letters, digits or -_.~+% in all").into())
    }
}

fn parse_pause(text: &str) -> Result<Duration, Invalid> {
    let pause = service::parse_millis(text)?;
    if pause < Duration::from_millis(100) { Err("less than 100 ms is too little".into()) } else { Ok(pause) }
}

fn parse_lease(text: &str) -> Result<Duration, Invalid> {
    let lease = service::parse_seconds(text)?;
    if (10..=600).contains(&lease.as_secs()) { Ok(lease) } else { Err("Pub/Sub accepts 10 to 600 seconds".into()) }
}

fn parse_alive(text: &str) -> Result<Duration, Invalid> {
    let interval = service::parse_seconds(text)?;
    let sensible = (1..=600).contains(&interval.as_secs());
    if sensible { Ok(interval) } else { Err("who is silent for longer than 600 seconds may be taken for dead".into()) }
}

fn default<E: std::fmt::Debug>(parse: fn(&str) -> Result<Duration, E>, text: &str) -> Duration {
    parse(text).expect("the default is valid, as the tests check")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        bus: BusSettings,
    }

    fn parse(arguments: &[&str]) -> BusSettings {
        Command::try_parse_from(std::iter::once(&"test").chain(arguments)).unwrap().bus
    }

    #[test]
    fn production_needs_a_project() {
        let settings = BusSettings { pubsub_emulator_host: None, ..BusSettings::emulator("") };
        assert!(settings.names().unwrap_err().to_string().starts_with("GOOGLE_CLOUD_PROJECT is not set"));
        let settings = BusSettings { google_cloud_project: Some("shop".to_owned()), ..settings };
        assert_eq!(settings.names().unwrap().events().path(), "projects/shop/topics/mayfly-events");
        assert!(!settings.ensures_topology());
    }

    #[test]
    fn an_emulator_needs_nothing_else() {
        let settings = parse(&["--pubsub-emulator-host", "localhost:8085"]);
        assert_eq!(settings.names().unwrap().events().path(), "projects/mayfly-dev/topics/mayfly-events");
        assert!(settings.ensures_topology());
        assert_eq!(settings.publish_deadline, Duration::from_millis(800));
        assert_eq!(settings.publish_deadline, BusSettings::emulator("").publish_deadline);
    }

    #[test]
    fn a_prefix_that_no_topic_can_have_is_refused() {
        assert_eq!(parse(&["--topic-prefix", "team.a-"]).topic_prefix, "team.a-");
        for prefix in ["", "1-", "goog-", "a/b", "\u{e4}-", &"x".repeat(65)] {
            assert!(Command::try_parse_from(["test", "--topic-prefix", prefix]).is_err(), "{prefix}");
        }
    }

    #[test]
    fn leases_stay_within_what_the_server_accepts() {
        assert!(Command::try_parse_from(["test", "--pubsub-lease-extension", "9"]).is_err());
        assert_eq!(parse(&["--pubsub-lease-extension", "600"]).pubsub_lease_extension, Duration::from_secs(600));
    }
}
