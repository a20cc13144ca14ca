//! The webhook worker.

use std::process::ExitCode;

use worker_webhook::{Sender, Webhook, WebhookSettings};

fn main() -> ExitCode {
    worker::main::<Webhook, WebhookSettings>("worker-webhook", async |settings, _| Ok(Sender::new(&settings)?))
}
