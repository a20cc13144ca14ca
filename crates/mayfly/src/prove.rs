//! Proves that an installation keeps its word, from where its users are: through the load balancer, with its certificate.

mod books;
mod checks;
mod drill;
mod sample;
mod site;
mod socket;

use std::{net::IpAddr, time::Duration};

use clap::Args;
use reqwest::Url;
use serde_json::Value;
use service::{StartError, parse_seconds};

use checks::Outcome;
use sample::Sample;
use site::Site;

/// What to prove, and where.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProveCommand {
    /// The installation, for instance https://jobs.example.com
    #[arg(value_name = "URL")]
    url: Url,

    /// The address to connect to, whatever DNS says of the URL's host
    #[arg(long, value_name = "IP")]
    address: Option<IpAddr>,

    /// How long to keep a websocket, in seconds, at least 1; load balancers cut at 30 by default
    #[arg(long = "hold-s", env = "PROVE_HOLD_S", value_name = "S", default_value = "40", value_parser = parse_hold)]
    hold: Duration,

    /// Expect to be disconnected: submit a job a second while things die, come back, and account for every one of them
    #[arg(long)]
    drill: bool,

    /// The kind of the jobs. What comes back is compared for `echo`; others have to succeed
    #[arg(long, env = "PROVE_KIND", value_name = "KIND", default_value = "echo")]
    kind: String,

    /// The payload of jobs of another kind than `echo`, as JSON
    #[arg(long, env = "PROVE_PAYLOAD", value_name = "JSON", default_value = "null", value_parser = parse_payload)]
    payload: Value,

    /// A user's token, where strangers may not submit that kind
    #[arg(long, env = "PROVE_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// Says of each thing whether it holds, and fails unless all do.
pub(crate) async fn run(command: ProveCommand) -> Result<(), StartError> {
    let sample = Sample { kind: command.kind, payload: command.payload };
    let site = Site::new(command.url, command.address, command.token)?;
    let mut report = Report::default();
    report.add("page", checks::page(&site).await);
    if site.is_secure() {
        report.add("redirect", checks::redirect(&site, &site.insecure_page()).await);
    }
    report.add("client", checks::client(&site).await);
    if command.drill {
        report.add("drill", drill::run(&site, &sample, command.hold).await);
    } else {
        report.add_all(checks::socket(&site, &sample, command.hold).await);
    }
    report.verdict()
}

fn parse_hold(text: &str) -> Result<Duration, String> {
    let hold = parse_seconds(text).map_err(|error| error.to_string())?;
    if hold.is_zero() { Err("expected at least 1 second".to_owned()) } else { Ok(hold) }
}

fn parse_payload(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

/// What was found so far.
#[derive(Default)]
struct Report {
    checks: usize,
    failed: usize,
}

impl Report {
    fn add(&mut self, what: &str, outcome: Outcome) {
        self.checks += 1;
        match outcome {
            Ok(found) => println!("ok      {what}: {found}"),
            Err(trouble) => {
                self.failed += 1;
                println!("FAILED  {what}: {trouble}");
            }
        }
    }

    fn add_all(&mut self, outcomes: Vec<(&'static str, Outcome)>) {
        outcomes.into_iter().for_each(|(what, outcome)| self.add(what, outcome));
    }

    fn verdict(self) -> Result<(), StartError> {
        match self.failed {
            0 => Ok(()),
            failed => Err(StartError::plain(format!("{failed} of {} checks failed", self.checks))),
        }
    }
}
