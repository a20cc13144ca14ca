use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// A static file and how to tell whether a browser has it already.
#[derive(Debug, Clone)]
pub(super) struct Asset {
    body: Bytes,
    content_type: HeaderValue,
    etag: HeaderValue,
}

/// There is no version in the names, so browsers ask each time, and are mostly told that nothing has changed.
const ALWAYS_ASK: HeaderValue = HeaderValue::from_static("no-cache");

impl Asset {
    /// `name` tells the type by its extension.
    pub(super) fn new(name: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        // A number in hexadecimal is a valid header.
        let etag = HeaderValue::from_str(&format!("\"{:016x}\"", hasher.finish())).unwrap_or(HeaderValue::from_static("\"\""));
        Self { body, content_type: HeaderValue::from_static(content_type(name)), etag }
    }

    /// The file, or 304 if the browser has it.
    pub(super) fn response(&self, request: &HeaderMap) -> Response {
        let known = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let etag = self.etag.to_str().unwrap_or_default();
        let is_known = known.flat_map(|tags| tags.split(',')).any(|tag| tag.trim().trim_start_matches("W/") == etag);
        let headers = [(header::ETAG, self.etag.clone()), (header::CACHE_CONTROL, ALWAYS_ASK)];
        if is_known {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, [(header::CONTENT_TYPE, self.content_type.clone())], self.body.clone()).into_response()
    }
}

fn content_type(name: &str) -> &'static str {
    match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}
