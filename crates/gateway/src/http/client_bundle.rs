use std::{collections::HashMap, path::Path, sync::Arc};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::get,
};
use service::StartError;

use super::assets::Asset;

/// What Node's server serves of its client, and so what people expect.
const FILES: [&str; 8] = [
    "socket.io.js",
    "socket.io.js.map",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.msgpack.min.js",
    "socket.io.msgpack.min.js.map",
    "socket.io.esm.min.js",
    "socket.io.esm.min.js.map",
];

/// The stock client, if this gateway was given one.
#[derive(Debug, Default)]
pub(crate) struct Bundle(HashMap<&'static str, Asset>);

impl Bundle {
    /// # Errors
    /// When there is a directory, but not what the page needs in it.
    pub(crate) fn load(directory: Option<&Path>) -> Result<Self, StartError> {
        let Some(directory) = directory.filter(|directory| !directory.as_os_str().is_empty()) else { return Ok(Self::default()) };
        let load = |name: &'static str| Some((name, Asset::new(name, std::fs::read(directory.join(name)).ok()?)));
        let bundle = Self(FILES.into_iter().filter_map(load).collect());
        if bundle.is_complete() {
            Ok(bundle)
        } else {
            Err(StartError::plain(format!("SOCKETIO_CLIENT_DIR: there is no {MINIFIED} in {}", directory.display())).of_settings())
        }
    }

    /// Whether the page can do without a CDN.
    pub(super) fn is_complete(&self) -> bool {
        self.0.contains_key(MINIFIED)
    }
}

/// What the page loads.
pub(super) const MINIFIED: &str = "socket.io.min.js";

/// `/socket.io/socket.io.js` and its relatives; 404 for those that are not there.
pub(super) fn router(bundle: Bundle) -> Router {
    let bundle = Arc::new(bundle);
    FILES.into_iter().fold(Router::new(), |router, name| {
        let bundle = Arc::clone(&bundle);
        let serve = async move |headers: HeaderMap| match bundle.0.get(name) {
            Some(asset) => asset.response(&headers),
            None => StatusCode::NOT_FOUND.into_response(),
        };
        router.route(&format!("/socket.io/{name}"), get(serve))
    })
}
