use clap::{ArgAction, Args};

/// What an echo worker allows.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Echo")]
pub struct EchoSettings {
    /// Let payloads end this process, as a job with a bug in native code would; for tests only
    #[arg(long, env = "ECHO_MAY_ABORT", value_name = "BOOL", default_value_t = false, action = ArgAction::Set)]
    pub echo_may_abort: bool,
}
