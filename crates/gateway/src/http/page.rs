use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;
use serde::Deserialize;
use service::StartError;
use tower_http::set_header::SetResponseHeaderLayer;

use super::{
    assets::Asset,
    client_bundle::{Bundle, MINIFIED},
};

/// The page's files: part of the program, except in debug builds, which read them from where they are edited.
#[derive(RustEmbed)]
#[folder = "page/"]
struct Files;

/// Where the client comes from when this gateway has none.
#[derive(Deserialize)]
struct Cdn {
    url: String,
    integrity: String,
}

/// The line of the page that stands for the client.
const PLACEHOLDER: &str = "<!-- socket.io-client -->";

/// `/` and what belongs to it.
pub(super) fn router(bundle: &Bundle) -> Result<Router, StartError> {
    let (tag, scripts) = if bundle.is_complete() {
        (format!(r#"<script src="/socket.io/{MINIFIED}"></script>"#), "'self'".to_owned())
    } else {
        let file = Files::get("client-cdn.json").ok_or_else(|| StartError::plain("the page lacks client-cdn.json"))?;
        let Cdn { url, integrity } = serde_json::from_slice(&file.data)?;
        let tag = format!(r#"<script src="{url}" integrity="{integrity}" crossorigin="anonymous"></script>"#);
        (tag, format!("'self' {url}"))
    };
    // Everything comes from here, but for the one script of the CDN; pictures are made in the browser.
    let policy = format!(
        "default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy)?;
    Ok(Router::new()
        .route("/", get(async move |headers: HeaderMap| index(&tag, &headers)))
        .route("/page/{*path}", get(file))
        .layer(SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, policy))
        .layer(SetResponseHeaderLayer::overriding(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"))))
}

fn index(tag: &str, headers: &HeaderMap) -> Response {
    match Files::get("index.html") {
        Some(file) => Asset::new("index.html", String::from_utf8_lossy(&file.data).replace(PLACEHOLDER, tag)).response(headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn file(Path(path): Path<String>, headers: HeaderMap) -> Response {
    match Files::get(&path) {
        Some(file) => Asset::new(&path, file.data.into_owned()).response(&headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
