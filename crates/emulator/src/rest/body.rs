//! Request bodies, query strings and path segments.

use super::failure::Failure;
use crate::error::Error;
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};

/// A JSON body whatever its content type says; none at all is `{}`.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| Error::invalid(rejection.body_text()))?;
        let json = if bytes.is_empty() { b"{}" } else { &bytes[..] };
        serde_json::from_slice(json).map(Self).map_err(|error| Error::invalid(format!("Invalid JSON payload received: {error}.")).into())
    }
}

/// The query string of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PageQuery {
    pub(super) page_size: i32,
    pub(super) page_token: String,
}

impl<S: Sync> FromRequestParts<S> for PageQuery {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Query(page) = Query::try_from_uri(&parts.uri).map_err(|rejection| Error::invalid(rejection.body_text()))?;
        Ok(page)
    }
}

/// `{id}:{verb}`
pub(super) fn verb(segment: &str) -> Result<(&str, &str), Error> {
    segment.rsplit_once(':').ok_or_else(|| Error::invalid(format!("{segment:?} lacks a verb, as in {segment}:publish.")))
}
