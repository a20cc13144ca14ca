use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use shared::WireError;

/// An error as an HTTP answer: its code as status, and the same body that a socket gets.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) WireError);

#[derive(Serialize)]
struct Body {
    ok: bool,
    error: WireError,
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = status(&self.0.code);
        let retry_after = self.0.retry_after_ms.map(|millis| HeaderValue::from(millis.div_ceil(1000)));
        let mut response = (status, Json(Body { ok: false, error: self.0 })).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

fn status(code: &str) -> StatusCode {
    match code {
        "invalid_request" | "unknown_kind" => StatusCode::BAD_REQUEST,
        "payload_too_large" => StatusCode::PAYLOAD_TOO_LARGE,
        "unauthorized" => StatusCode::UNAUTHORIZED,
        "forbidden" => StatusCode::FORBIDDEN,
        "rate_limited" | "too_many_jobs" => StatusCode::TOO_MANY_REQUESTS,
        "queue_unavailable" | "draining" => StatusCode::SERVICE_UNAVAILABLE,
        "not_found" => StatusCode::NOT_FOUND,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
