use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use shared::{ErrorCode, SessionId, Timestamp, WireError, client::SessionInfo};
use tracing::warn;

/// Keeps a session token from passing as any other kind of token.
const AUDIENCE: &str = "mayfly-session";

/// Issues and verifies the proofs of sessions. No gateway remembers a session: the token is all there is.
pub(super) struct SessionTokens {
    sign: EncodingKey,
    verify: DecodingKey,
    validation: Validation,
    ttl: Duration,
}

/// What a good token proves.
pub(super) struct KnownSession {
    pub(super) id: SessionId,
    /// Who was signed in when it was issued.
    user: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sid: SessionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    aud: String,
    exp: i64,
}

impl SessionTokens {
    pub(super) fn new(secret: Option<&str>, ttl: Duration) -> Self {
        let secret = secret.filter(|secret| !secret.is_empty()).map(|secret| secret.as_bytes().to_vec()).unwrap_or_else(|| {
            warn!("SESSION_SECRET is not set: sessions end with this process and are unknown to other gateways");
            rand::random::<[u8; 32]>().to_vec()
        });
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud"]);
        validation.leeway = 0;
        Self { sign: EncodingKey::from_secret(&secret), verify: DecodingKey::from_secret(&secret), validation, ttl }
    }

    pub(super) fn issue(&self, id: SessionId, user: Option<&str>) -> Result<SessionInfo, WireError> {
        let expires_at = Timestamp::now() + self.ttl;
        let claims = Claims { sid: id, user: user.map(str::to_owned), aud: AUDIENCE.to_owned(), exp: expires_at.as_second() };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.sign)
            .map_err(|error| ErrorCode::Internal.error(format!("cannot sign a session token: {error}")))?;
        Ok(SessionInfo { id, token, expires_at })
    }

    /// None for whatever is no good any more: a client comes back with anything.
    pub(super) fn verify(&self, token: &str) -> Option<KnownSession> {
        let claims = decode::<Claims>(token, &self.verify, &self.validation).ok()?.claims;
        Some(KnownSession { id: claims.sid, user: claims.user })
    }
}

impl KnownSession {
    /// An anonymous session may become a user's. A user's session is nobody else's, not even after signing out.
    pub(super) fn may_be_used_by(&self, user: Option<&str>) -> bool {
        self.user.is_none() || self.user.as_deref() == user
    }
}
