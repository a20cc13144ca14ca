use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use shared::{ErrorCode, client::SessionInfo};

use super::refusal::Refusal;
use crate::{
    allowance::Allowance,
    app::App,
    identity::{Caller, Role},
    net::Connection,
};

/// Who sent a request, by its bearer token. Without one it is somebody new, whose session is given back with the answer.
pub(super) struct Requester {
    pub(super) caller: Caller,
    pub(super) allowance: Arc<Allowance>,
    pub(super) fresh_session: Option<SessionInfo>,
}

impl FromRequestParts<Arc<App>> for Requester {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let Some(value) = parts.headers.get(header::AUTHORIZATION) else {
            let fresh = app.identities.anonymous()?;
            // Sessions cost nothing to make, so strangers share the allowance of where they come from.
            let address = parts.extensions.get::<Arc<Connection>>().map(|connection| connection.peer.ip().to_string());
            let allowance = app.allowances.of(format!("address:{}", address.unwrap_or_default()));
            return Ok(Self { caller: fresh.caller, allowance, fresh_session: Some(fresh.session) });
        };
        let token = value.to_str().ok().and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, token) = token.ok_or_else(|| ErrorCode::Unauthorized.error("Authorization must be `Bearer <token>`"))?;
        let caller = app.identities.bearer(token.trim())?;
        let name = match (caller.role, &caller.session, &caller.user) {
            (Role::Service, ..) => "service".to_owned(),
            (_, Some(session), _) => format!("session:{session}"),
            (_, None, user) => format!("user:{}", user.as_deref().unwrap_or_default()),
        };
        Ok(Self { allowance: app.allowances.of(name), caller, fresh_session: None })
    }
}
