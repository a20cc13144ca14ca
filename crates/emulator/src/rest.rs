//! The services as JSON over HTTP, which is how Google's Rust client administers topics and subscriptions.
//!
//! Each handler translates to the protocol's messages and calls what the gRPC services call.

mod body;
mod failure;
mod json;
mod subscriptions;
mod topics;

use self::failure::Failure;
use crate::{broker::Broker, error::Error};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use std::sync::Arc;
use tonic::Status;

/// Google's 10 MB, in base64 and with some JSON around them.
const REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// Everything on the port that is not gRPC.
pub(crate) fn router(broker: &Arc<Broker>) -> Router {
    Router::new()
        // What Google's emulator answers, and what health checks of it look at.
        .route("/", get("Ok\n"))
        .merge(topics::routes())
        .merge(subscriptions::routes())
        .route("/v1/projects/{project}/schemas", get(|| async { axum::Json(serde_json::json!({})) }))
        .route("/v1/projects/{project}/schemas/{*rest}", any(|| unsupported("schemas")))
        .route("/v1/projects/{project}/snapshots", any(|| unsupported("snapshots")))
        .route("/v1/projects/{project}/snapshots/{*rest}", any(|| unsupported("snapshots")))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(DefaultBodyLimit::max(REQUEST_BYTES))
        .with_state(Arc::clone(broker))
}

async fn unsupported(feature: &'static str) -> Failure {
    Error::Unsupported(feature).into()
}

/// Also catches gRPC calls of services that are not here.
async fn unknown(uri: Uri, headers: HeaderMap) -> Response {
    let grpc = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    if grpc {
        return Status::unimplemented(format!("This emulator has no {}.", uri.path())).into_http::<axum::body::Body>();
    }
    (StatusCode::NOT_FOUND, Failure::from(Error::NotFound(uri.path().into()))).into_response()
}
