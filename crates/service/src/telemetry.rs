use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tracing_subscriber::{EnvFilter, Layer, Registry, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{LogFormat, ServiceSettings, StartError};

/// Keeps traces flowing; [`Telemetry::flush`] before the process ends.
pub(crate) struct Telemetry(SdkTracerProvider);

/// How long the last traces may take to leave.
const FLUSH_DEADLINE: Duration = Duration::from_secs(1);

impl Telemetry {
    /// Starts logging to standard error, and tracing. Must run inside the runtime, which the exporter needs.
    ///
    /// Without an exporter spans are not recorded, but still have ids, so that a trace which began elsewhere goes on
    /// through Mayfly's messages.
    pub(crate) fn start(service: &'static str, settings: &ServiceSettings) -> Result<Self, StartError> {
        let provider =
            SdkTracerProvider::builder().with_resource(Resource::builder().with_service_name(format!("mayfly-{service}")).build());
        let provider = match &settings.otlp_endpoint {
            None => provider.with_sampler(Sampler::AlwaysOff),
            Some(endpoint) => {
                let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
                let exporter = exporter.map_err(|error| StartError::new(format!("cannot send traces to {endpoint}"), error))?;
                provider.with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn))).with_batch_exporter(exporter)
            }
        }
        .build();
        let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("mayfly"));
        let filter = EnvFilter::try_new(&settings.log).map_err(|error| StartError::new("LOG is not valid", error).of_settings())?;
        Registry::default()
            .with(filter)
            .with(traces)
            .with(log_lines(settings.log_format))
            .try_init()
            .map_err(|error| StartError::new("cannot start logging", error))?;
        Ok(Self(provider))
    }

    pub(crate) fn flush(&self) {
        // What could not be sent by now is lost; there is nobody left to tell.
        let _ = self.0.shutdown_with_timeout(FLUSH_DEADLINE);
    }
}

fn log_lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).compact().boxed(),
    }
}
