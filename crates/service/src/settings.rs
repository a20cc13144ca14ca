mod files;

use std::{ffi::OsString, fmt, num::ParseIntError, time::Duration};

use clap::{
    Args, Parser, ValueEnum,
    builder::Resettable,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// What can be set about any process. Every setting is a flag and an environment variable; the flag wins.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Process")]
pub struct ServiceSettings {
    /// What to log: a level, or directives such as `info,bus=debug`
    #[arg(long, env = "LOG", default_value = "info", value_parser = parse_filter)]
    pub log: String,

    /// How to log
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Where to send traces by OTLP over gRPC, for instance http://localhost:4317; nowhere if unset
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// How long leaving may take after SIGTERM, in milliseconds. A preempted pod has 15 s in all; 12 s leave it a margin
    #[arg(long, env = "DRAIN_BUDGET_MS", value_name = "MS", default_value = "12000", value_parser = parse_millis)]
    pub drain_budget: Duration,

    /// The name of this host; the system's if unset
    #[arg(long, env = "HOSTNAME", value_name = "NAME")]
    pub hostname: Option<String>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For log collectors: one JSON object a line.
    Json,
}

/// Settings that cannot be used, in one line that names the culprit.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidSettings(String);

impl InvalidSettings {
    /// Says which setting, by its variable, and what is wrong with it.
    pub fn new(complaint: impl Into<String>) -> Self {
        Self(complaint.into())
    }
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidSettings {}

/// Reads settings from arguments and the environment, in which an empty variable is none.
///
/// What is not to be shown, `NAME`, may also be given as `NAME_FILE`, the path of a file that holds the value: that is how secrets
/// come, so that they appear in nobody's environment. `NAME` itself wins; a file without contents is as good as none.
///
/// # Errors
/// The inner error is one line for a person; a wrong value is named by its environment variable.
/// The outer one asks for `--help` or `--version` to be printed.
pub fn try_parse_from<S: Parser>(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Result<S, InvalidSettings>, String> {
    let command = match files::read(S::command(), |variable| std::env::var_os(variable)) {
        Ok(command) => command,
        Err(invalid) => return Ok(Err(invalid)),
    };
    let mut command = command.mut_args(unset_if_empty).mut_subcommands(|command| command.mut_args(unset_if_empty));
    let parsed = command.try_get_matches_from_mut(arguments).and_then(|matches| S::from_arg_matches(&matches));
    match parsed {
        Ok(settings) => Ok(Ok(settings)),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => Err(error.render().to_string()),
        Err(error) => {
            // Parsing completes the arguments of the subcommand that was named only; the others have no form yet to be compared by.
            command.build();
            Ok(Err(InvalidSettings(one_line(&command, &error))))
        }
    }
}

/// Reads a whole number of milliseconds.
///
/// # Errors
/// When the text is no such number.
pub fn parse_millis(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_millis)
}

/// Reads a whole number of seconds.
///
/// # Errors
/// When the text is no such number.
pub fn parse_seconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_secs)
}

/// An empty variable is as good as none: that is how manifests and compose files leave one out.
fn unset_if_empty(argument: clap::Arg) -> clap::Arg {
    let empty = argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    if empty { argument.env(Resettable::Reset) } else { argument }
}

fn parse_filter(text: &str) -> Result<String, tracing_subscriber::filter::ParseError> {
    tracing_subscriber::EnvFilter::try_new(text).map(|_| text.to_owned())
}

fn one_line(command: &clap::Command, error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let arguments = text(ContextKind::InvalidArg).unwrap_or_default();
    let argument = find(command, &arguments);
    let named = argument.and_then(clap::Arg::get_env).map_or(arguments, |name| name.to_string_lossy().into_owned());
    match (error.kind(), text(ContextKind::InvalidValue)) {
        (ErrorKind::ValueValidation | ErrorKind::InvalidValue, Some(value)) => {
            let reason = std::error::Error::source(error).map(ToString::to_string);
            let possible = text(ContextKind::ValidValue).map(|values| format!("expected one of {values}"));
            let reason = reason.or(possible).unwrap_or_else(|| "it needs a value".to_owned());
            match argument.filter(|argument| argument.is_hide_env_values_set()) {
                Some(_secret) => format!("{named} is not valid: {reason}"),
                None => format!("{named}: `{value}` is not valid: {reason}"),
            }
        }
        (ErrorKind::MissingRequiredArgument, _) => format!("{named} must be set"),
        _ => {
            let rendered = error.render().to_string();
            let first = rendered.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("{first} (see --help)")
        }
    }
}

/// The argument that an error calls `--port <PORT>`.
fn find<'a>(command: &'a clap::Command, displayed: &str) -> Option<&'a clap::Arg> {
    let known = command.get_arguments().chain(command.get_subcommands().flat_map(clap::Command::get_arguments));
    known.into_iter().find(|argument| argument.to_string() == displayed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[derive(Debug, Parser)]
    struct Settings {
        #[arg(long, env = "MAYFLY_TEST_PORT", default_value_t = 9000)]
        port: u16,
        #[arg(long, env = "MAYFLY_TEST_PROJECT")]
        project: String,
        #[arg(long, env = "MAYFLY_TEST_PIN", hide_env_values = true)]
        pin: Option<u16>,
        #[command(flatten)]
        service: ServiceSettings,
    }

    fn parse(arguments: &[&str]) -> Result<Settings, String> {
        try_parse_from([&["test", "--project", "p"], arguments].concat()).unwrap().map_err(|error| error.to_string())
    }

    #[test]
    fn a_wrong_value_is_named_by_its_variable_in_one_line() {
        assert_eq!(parse(&["--port", "many"]).unwrap_err(), "MAYFLY_TEST_PORT: `many` is not valid: invalid digit found in string");
        assert_eq!(parse(&["--port", "70000"]).unwrap_err(), "MAYFLY_TEST_PORT: `70000` is not valid: 70000 is not in 0..=65535");
        assert_eq!(parse(&["--log-format", "xml"]).unwrap_err(), "LOG_FORMAT: `xml` is not valid: expected one of text, json");
        assert_eq!(parse(&["--drain-budget", "12s"]).unwrap_err(), "DRAIN_BUDGET_MS: `12s` is not valid: invalid digit found in string");
    }

    #[test]
    fn a_secret_is_not_repeated() {
        assert_eq!(parse(&["--pin", "hunter2"]).unwrap_err(), "MAYFLY_TEST_PIN is not valid: invalid digit found in string");
    }

    #[test]
    fn a_missing_or_unknown_setting_is_named_too() {
        let missing = try_parse_from::<Settings>(["test"]).unwrap().unwrap_err();
        assert_eq!(missing.to_string(), "MAYFLY_TEST_PROJECT must be set");
        assert_eq!(parse(&["--prot", "1"]).unwrap_err(), "unexpected argument '--prot' found (see --help)");
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let settings = parse(&[]).unwrap();
        assert_eq!((settings.port, settings.project.as_str()), (9000, "p"));
        assert_eq!(settings.service.drain_budget, Duration::from_secs(12));
    }

    #[test]
    fn help_lists_every_variable() {
        let help = try_parse_from::<Settings>(["test", "--help"]).unwrap_err();
        for variable in ["LOG", "LOG_FORMAT", "OTEL_EXPORTER_OTLP_ENDPOINT", "DRAIN_BUDGET_MS", "HOSTNAME"] {
            assert!(help.contains(&format!("[env: {variable}=")), "{variable} in {help}");
        }
    }
}
