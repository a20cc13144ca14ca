//! Trace context in message attributes: W3C names behind `googclient_`, as Google's Python and Node clients write them.
//!
//! The Rust client puts it into gRPC metadata only, which ends at the server.

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use shared::Attributes;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const PREFIX: &str = "googclient_";

/// Writes the current span's context, if it has one, into the attributes.
pub(crate) fn inject(attributes: &mut Attributes) {
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut Writer(attributes));
}

/// The context that the publisher wrote; an empty one if it wrote none.
pub(crate) fn extract(attributes: &Attributes) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Reader(attributes))
}

struct Writer<'a>(&'a mut Attributes);

impl Injector for Writer<'_> {
    fn set(&mut self, key: &str, value: String) {
        // `tracestate` is set even when it is empty; an empty attribute tells nobody anything.
        if !value.is_empty() {
            self.0.insert(format!("{PREFIX}{key}"), value);
        }
    }
}

struct Reader<'a>(&'a Attributes);

impl Extractor for Reader<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(&format!("{PREFIX}{key}")).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().filter_map(|key| key.strip_prefix(PREFIX)).collect()
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TraceContextExt;

    use super::*;

    #[test]
    fn a_foreign_publishers_context_becomes_the_parent() {
        let attributes =
            Attributes::from([("googclient_traceparent".to_owned(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned())]);
        let context = extract(&attributes);
        assert_eq!(context.span().span_context().trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert!(context.span().span_context().is_remote());
    }

    #[test]
    fn without_a_trace_nothing_is_written() {
        let mut attributes = Attributes::new();
        inject(&mut attributes);
        assert_eq!(attributes, Attributes::new());
    }
}
