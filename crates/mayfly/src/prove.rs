//! Proves that an installation keeps its word, from where its users are: through the load balancer, with its certificate.

mod books;
mod checks;
mod drill;
mod site;
mod socket;

use std::{net::IpAddr, time::Duration};

use clap::Args;
use reqwest::Url;
use service::{StartError, parse_seconds};

use checks::Outcome;
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

    /// How long to keep a websocket, in seconds; load balancers cut at 30 by default
    #[arg(long, env = "PROVE_HOLD_S", value_name = "S", default_value = "40", value_parser = parse_seconds)]
    hold: Duration,

    /// Expect to be disconnected: submit a job a second while things die, come back, and account for every one of them
    #[arg(long)]
    drill: bool,

    /// A user's token, where strangers may not submit `echo`
    #[arg(long, env = "PROVE_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// Says of each thing whether it holds, and fails unless all do.
pub(crate) async fn run(command: ProveCommand) -> Result<(), StartError> {
    let site = Site::new(command.url.clone(), command.address, command.token.clone())?;
    let mut report = Report::default();
    report.add("page", checks::page(&site).await);
    if site.is_secure() {
        report.add("redirect", checks::redirect(&site, &site.insecure_page()).await);
    }
    report.add("client", checks::client(&site).await);
    if command.drill {
        report.add("drill", drill::run(&site, command.hold).await);
    } else {
        report.add_all(checks::socket(&site, command.hold).await);
    }
    report.verdict()
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
