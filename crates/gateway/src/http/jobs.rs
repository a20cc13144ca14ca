use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Path, Query, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use shared::{Audience, ErrorCode, JobId, Payload, WireError, client::JobView, client::SubmitOptions};
use tokio::time::timeout;

use super::{SESSION_HEADER, refusal::Refusal, requester::Requester};
use crate::{GatewaySettings, app::App, app::Submission, relay::Data};

/// How long a request's body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
/// What surrounds the payload in a JSON body.
const ENVELOPE: usize = 64 << 10;
const JSON: &str = "application/json";

#[derive(Serialize)]
struct Submitted {
    ok: bool,
    id: JobId,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    duplicate: bool,
}

#[derive(Serialize)]
struct Found {
    ok: bool,
    job: Job,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    #[serde(flatten)]
    view: JobView,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data>,
    /// The media type of data that is not JSON, which is had from `data_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_url: Option<String>,
}

/// What says about a job what the body does not, when the body is the payload itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSubmit {
    kind: String,
    id: Option<JobId>,
    audience: Option<Audience>,
    timeout_ms: Option<u64>,
    max_attempts: Option<u32>,
}

pub(super) fn router(settings: &GatewaySettings) -> Router<Arc<App>> {
    Router::new()
        .route("/v1/jobs", post(submit))
        .route("/v1/jobs/{id}", get(find))
        .route("/v1/jobs/{id}/data", get(data))
        .route("/v1/jobs/{id}/cancel", post(cancel))
        .layer(DefaultBodyLimit::max(settings.max_payload_bytes + ENVELOPE))
}

/// `POST /v1/jobs`: a JSON body like `job:submit`'s argument; or, with any other content type, the payload itself, and the
/// rest in the query: `?kind=thumbnail&id=…`.
async fn submit(State(app): State<Arc<App>>, requester: Requester, request: Request) -> Result<Response, Refusal> {
    let submission = read_submission(request).await;
    let admission = submission.and_then(|submission| app.admit(&requester.caller, &requester.allowance, submission));
    let accepted = match admission {
        Ok(admission) => admission.confirm().await.result?,
        Err(refusal) => {
            app.refused(&refusal);
            return Err(refusal.into());
        }
    };
    let status = if accepted.is_duplicate { StatusCode::OK } else { StatusCode::ACCEPTED };
    let body = Json(Submitted { ok: true, id: accepted.id, duplicate: accepted.is_duplicate });
    let mut response = (status, [(header::LOCATION, format!("/v1/jobs/{}", accepted.id))], body).into_response();
    let token = requester.fresh_session.and_then(|session| HeaderValue::from_str(&session.token).ok());
    if let Some(token) = token {
        response.headers_mut().insert(SESSION_HEADER, token);
    }
    Ok(response)
}

async fn find(State(app): State<Arc<App>>, requester: Requester, Path(id): Path<String>) -> Result<Json<Found>, Refusal> {
    requester.allowance.check_request()?;
    let record = app.get(&requester.caller, job_id(&id)?).await?;
    let binary = record.data.as_ref().filter(|data| data.json().is_none());
    let job = Job {
        data: record.data.as_ref().filter(|_| binary.is_none()).map(Data::of).transpose().map_err(internal)?,
        data_type: binary.map(|data| data.content_type().to_owned()),
        data_url: binary.map(|_| format!("/v1/jobs/{id}/data")),
        view: record.view,
    };
    Ok(Json(Found { ok: true, job }))
}

/// A job's data as it is, whatever it is.
async fn data(State(app): State<Arc<App>>, requester: Requester, Path(id): Path<String>) -> Result<Response, Refusal> {
    requester.allowance.check_request()?;
    let record = app.get(&requester.caller, job_id(&id)?).await?;
    let data = record.data.ok_or_else(|| ErrorCode::NotFound.error("this job has no data yet"))?;
    let content_type = HeaderValue::from_str(data.content_type()).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    // What a job yields is not ours: it must never run as a page of this origin.
    let sandbox = (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    Ok(([(header::CONTENT_TYPE, content_type), sandbox], data.body()).into_response())
}

async fn cancel(State(app): State<Arc<App>>, requester: Requester, Path(id): Path<String>) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Asked {
        ok: bool,
    }

    requester.allowance.check_request()?;
    app.cancel(&requester.caller, job_id(&id)?).await?;
    Ok((StatusCode::ACCEPTED, Json(Asked { ok: true })).into_response())
}

async fn read_submission(request: Request) -> Result<Submission, WireError> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or(JSON).to_owned();
    let query = Query::<RawSubmit>::try_from_uri(request.uri());
    let body = read_body(request).await?;
    if content_type.split(';').next().is_some_and(|media_type| media_type.trim() == JSON) {
        return Submission::from_json(&body);
    }
    let Query(RawSubmit { kind, id, audience, timeout_ms, max_attempts }) = query.map_err(|error| invalid(&error))?;
    let payload = Payload::from_message(Some(&content_type), body).map_err(|error| invalid(&error))?;
    Ok(Submission { id, kind, payload, options: SubmitOptions { timeout_ms, max_attempts }, audience })
}

/// Reads a body within its limit and in time.
pub(super) async fn read_body(request: Request) -> Result<Bytes, WireError> {
    match timeout(BODY_DEADLINE, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(ErrorCode::PayloadTooLarge.error("the body is larger than any payload may be"))
        }
        Ok(Err(rejection)) => Err(invalid(&rejection)),
        Err(_) => Err(invalid(&"the body did not arrive in time")),
    }
}

fn job_id(text: &str) -> Result<JobId, WireError> {
    text.parse().map_err(|error| invalid(&format_args!("`{text}` is not a job's id: {error}")))
}

pub(super) fn invalid(reason: &impl std::fmt::Display) -> WireError {
    ErrorCode::InvalidRequest.error(reason.to_string())
}

fn internal(error: shared::PayloadError) -> WireError {
    ErrorCode::Internal.error(error.to_string())
}
