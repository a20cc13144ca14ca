use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Instrument, instrument::WithSubscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

use crate::{
    on_both_servers,
    server::{Server, next},
};

on_both_servers! {
    a_trace_goes_on_at_the_consumer,
}

async fn a_trace_goes_on_at_the_consumer(server: &Server) {
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let subscriber = tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer));
    let queue = server.queue().await;
    let mut consumer = queue.consume();

    let published = async {
        let span = tracing::info_span!("submit");
        let context = span.context().span().span_context().clone();
        queue.publish("traced").instrument(span).await;
        context
    };
    let published = published.with_subscriber(subscriber).await;

    let delivery = next(&mut consumer).await;
    assert!(delivery.message.attributes.contains_key("googclient_traceparent"));
    let context = delivery.span_context();
    assert_eq!(context.span().span_context().trace_id(), published.trace_id());
    assert_eq!(context.span().span_context().span_id(), published.span_id());
    delivery.ack();
}
