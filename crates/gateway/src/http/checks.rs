use axum::{Json, Router, http::StatusCode, routing::get};
use serde::Serialize;
use service::Process;

#[derive(Serialize)]
struct Healthy {
    status: &'static str,
    hostname: String,
}

/// `/health`, which says who serves, and `/lbz`, which tells a load balancer whether to send new clients here.
pub(super) fn router(process: &Process) -> Router {
    let (hostname, health) = (process.hostname.clone(), process.health.clone());
    Router::new().route("/health", get(async move || Json(Healthy { status: "ok", hostname: hostname.clone() }))).route(
        "/lbz",
        get(async move || if health.is_ready() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "not now") }),
    )
}
