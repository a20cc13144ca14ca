//! The job types that run in this process.

use service::StartError;
use worker::Builder;

use crate::settings::Settings;

/// Every job type, with what its jobs share.
pub(crate) fn register(worker: Builder, settings: &Settings) -> Result<Builder, StartError> {
    Ok(worker
        .register::<worker_echo::Echo>(settings.echo.clone())
        .register::<worker_thumbnail::Thumbnail>(worker_thumbnail::Studio::new(&settings.thumbnail))
        .register::<worker_webhook::Webhook>(worker_webhook::Sender::new(&settings.webhook)?))
}
