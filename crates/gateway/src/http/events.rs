use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::StatusCode,
    routing::post,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shared::{Audience, Notification};

use super::{
    jobs::{invalid, read_body},
    refusal::Refusal,
    requester::Requester,
};
use crate::{GatewaySettings, app::App};

/// What surrounds the data in a body.
const ENVELOPE: usize = 64 << 10;

#[derive(Deserialize)]
struct Publish {
    audience: Audience,
    #[serde(default = "message")]
    event: String,
    #[serde(default)]
    data: Option<Box<RawValue>>,
    #[serde(default)]
    id: Option<String>,
}

#[derive(Serialize)]
struct Published {
    ok: bool,
    id: String,
}

pub(super) fn router(settings: &GatewaySettings) -> Router<Arc<App>> {
    Router::new().route("/v1/events", post(publish)).layer(DefaultBodyLimit::max(settings.max_payload_bytes + ENVELOPE))
}

/// `POST /v1/events`: `{ audience, event?, data?, id? }` to everybody of the audience, as `channel:event`.
async fn publish(State(app): State<Arc<App>>, requester: Requester, request: Request) -> Result<(StatusCode, Json<Published>), Refusal> {
    requester.allowance.check_request()?;
    let body = read_body(request).await?;
    let Publish { audience, event, data, id } = serde_json::from_slice(&body).map_err(|error| invalid(&error))?;
    let id = id.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let notification = Notification { id: id.clone(), audience, event, data: data.map(Into::into) };
    app.notify(&requester.caller, &notification).await?;
    Ok((StatusCode::ACCEPTED, Json(Published { ok: true, id })))
}

/// What a notification is called whose publisher did not care.
fn message() -> String {
    "message".to_owned()
}
