//! HTTP: the page, the checks, and the same API as the sockets'.

mod assets;
mod checks;
mod client_bundle;
mod events;
mod jobs;
mod page;
mod refusal;
mod requester;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, Method, header},
};
use service::{Process, StartError};
use tower_http::{
    cors::{AllowOrigin, Any, CorsLayer},
    set_header::SetResponseHeaderLayer,
};

pub(crate) use self::client_bundle::Bundle;
use crate::{GatewaySettings, app::App};

/// Everything but socket.io itself.
pub(crate) fn router(
    settings: &GatewaySettings,
    process: &Process,
    app: &Arc<App>,
    bundle: Bundle,
    engine: Router,
) -> Result<Router, StartError> {
    let api = Router::new().merge(jobs::router(settings)).merge(events::router(settings)).with_state(Arc::clone(app));
    let open_to_origins = Router::new().merge(api).merge(engine).layer(cors(&settings.cors_origins)?);
    Ok(Router::new()
        .merge(open_to_origins)
        .merge(page::router(&bundle)?)
        .merge(client_bundle::router(bundle))
        .merge(checks::router(process))
        .merge(process.health.router())
        .layer(SetResponseHeaderLayer::if_not_present(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))))
}

/// Which pages of other origins may read answers. Tokens are no cookies, so there are no credentials to let through.
fn cors(origins: &[String]) -> Result<CorsLayer, StartError> {
    let given: Vec<_> = origins.iter().map(|origin| origin.trim()).filter(|origin| !origin.is_empty()).collect();
    if given.is_empty() {
        return Ok(CorsLayer::new());
    }
    let allowed = if given.contains(&"*") {
        Any.into()
    } else {
        let values: Result<Vec<HeaderValue>, _> = given.iter().map(|origin| HeaderValue::from_str(origin)).collect();
        AllowOrigin::list(values.map_err(|error| StartError::new("CORS_ORIGINS: not an origin", error).of_settings())?)
    };
    Ok(CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER, header::LOCATION, SESSION_HEADER]))
}

/// Carries the token of a session that was made for a request without one.
const SESSION_HEADER: HeaderName = HeaderName::from_static("mayfly-session");
