use std::{convert::Infallible, fmt, net::IpAddr, str::FromStr, time::Duration};

use clap::{Args, builder::BoolishValueParser};
use ipnet::{AddrParseError, IpNet};
use service::parse_millis;

use crate::Reach;

/// How long one attempt takes at most, unless the job says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a connection takes at most.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What can be set about webhooks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Webhooks")]
pub struct WebhookSettings {
    /// What webhooks are signed with: `whsec_` and 24 to 64 bytes as base64; several, separated by spaces, while one replaces
    /// another. Without it every webhook fails with `not_configured`, since none is sent unsigned
    #[arg(long, env = "WEBHOOK_SECRET", value_name = "SECRETS", hide_env_values = true, default_value = "", hide_default_value = true)]
    pub webhook_secret: SecretText,

    /// How long a receiver may take to answer, where the job does not say (milliseconds)
    #[arg(long, env = "WEBHOOK_TIMEOUT_MS", value_name = "MS", default_value = "15000", value_parser = parse_millis)]
    pub webhook_timeout: Duration,

    /// How long it may take to find a receiver and connect to it (milliseconds)
    #[arg(long, env = "WEBHOOK_CONNECT_TIMEOUT_MS", value_name = "MS", default_value = "5000", value_parser = parse_millis)]
    pub webhook_connect_timeout: Duration,

    /// Send webhooks to private, loopback and link-local addresses too. For development: whoever may submit jobs reaches
    /// whatever this process reaches
    #[arg(long, env = "WEBHOOK_ALLOW_PRIVATE", value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value = "false", num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub webhook_allow_private: bool,

    /// Networks that webhooks may be sent to although they are not public, for instance `10.1.0.0/16,fd00:1::/32`
    #[arg(long, env = "WEBHOOK_ALLOW_NETS", value_name = "NETS", default_value = "", hide_default_value = true)]
    pub webhook_allow_nets: Nets,

    /// Refuse `http:` receivers
    #[arg(long, env = "WEBHOOK_HTTPS_ONLY", value_name = "BOOL", value_parser = BoolishValueParser::new(), default_value = "false", num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub webhook_https_only: bool,
}

impl WebhookSettings {
    pub(crate) fn reach(&self) -> Reach {
        Reach { private: self.webhook_allow_private, nets: self.webhook_allow_nets.0.clone() }
    }
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            webhook_secret: SecretText::default(),
            webhook_timeout: DEFAULT_TIMEOUT,
            webhook_connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            webhook_allow_private: false,
            webhook_allow_nets: Nets::default(),
            webhook_https_only: false,
        }
    }
}

/// Text that does not show when settings are printed. It is read where it is used, so that no error repeats it.
#[derive(Clone, Default)]
pub struct SecretText(String);

impl SecretText {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "unset" } else { "hidden" })
    }
}

/// Networks, separated by commas or spaces; a lone address is a network of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nets(pub Vec<IpNet>);

impl FromStr for Nets {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        let parts = text.split([',', ' ']).filter(|part| !part.is_empty());
        parts
            .map(|part| part.parse().or_else(|error| part.parse::<IpAddr>().map(IpNet::from).map_err(|_| error)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        webhooks: WebhookSettings,
    }

    fn parse(arguments: &[&str]) -> WebhookSettings {
        Command::try_parse_from(std::iter::once(&"test").chain(arguments)).unwrap().webhooks
    }

    #[test]
    fn defaults_are_safe_and_the_documented_ones() {
        let (parsed, default) = (parse(&[]), WebhookSettings::default());
        assert_eq!(format!("{parsed:?}"), format!("{default:?}"));
        assert!(!parsed.webhook_allow_private && parsed.webhook_allow_nets.0.is_empty());
    }

    #[test]
    fn networks_and_addresses_are_read() {
        let nets = parse(&["--webhook-allow-nets", "10.1.0.0/16, fd00::/8,127.0.0.2"]).webhook_allow_nets;
        assert_eq!(nets.0.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.1.0.0/16", "fd00::/8", "127.0.0.2/32"]);
        assert!("10.1.0.0/33".parse::<Nets>().is_err() && "intranet".parse::<Nets>().is_err());
    }

    #[test]
    fn switches_take_a_value_or_none() {
        assert!(parse(&["--webhook-allow-private"]).webhook_allow_private);
        assert!(parse(&["--webhook-allow-private", "1"]).webhook_allow_private);
        assert!(!parse(&["--webhook-allow-private", "off"]).webhook_allow_private);
    }

    #[test]
    fn a_secret_does_not_show() {
        assert!(!format!("{:?}", parse(&["--webhook-secret", "whsec_abc"])).contains("whsec"));
    }
}
