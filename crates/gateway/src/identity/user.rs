use std::str::FromStr;

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode,
    errors::{Error, ErrorKind},
};
use serde::Deserialize;
use service::StartError;
use shared::{Kind, Timestamp, limits::MAX_AUDIENCE_NAME};

use super::ChannelRights;
use crate::GatewaySettings;

/// Clocks of different machines differ; seconds.
const LEEWAY: u64 = 5;
/// The permission to publish events to others.
const PUBLISH: &str = "publish";

/// Verifies the tokens that the application gives its users.
pub(super) struct UserTokens {
    key: DecodingKey,
    validation: Validation,
}

/// What a good token says.
pub(super) struct User {
    pub(super) id: String,
    /// The kinds that it may submit; none leaves that to the settings.
    pub(super) kinds: Option<Vec<Kind>>,
    pub(super) may_publish: bool,
    /// What it may do in channels beside what everybody may.
    pub(super) channels: ChannelRights,
    pub(super) expires_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    sub: String,
    exp: i64,
    #[serde(default)]
    kinds: Option<Vec<String>>,
    #[serde(default)]
    permissions: Vec<String>,
    #[serde(default)]
    channels: Vec<String>,
    #[serde(default)]
    publish_channels: Vec<String>,
}

impl UserTokens {
    pub(super) fn new(settings: &GatewaySettings) -> Result<Option<Self>, StartError> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let (key, algorithms) = match (given(&settings.auth_jwt_secret), given(&settings.auth_jwt_public_key)) {
            (None, None) => return Ok(None),
            (Some(secret), _) => (DecodingKey::from_secret(secret.as_bytes()), vec![Algorithm::HS256]),
            (None, Some(pem)) => public_key(&pem)?,
        };
        let mut validation = Validation::new(Algorithm::HS256);
        validation.algorithms = algorithms;
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        match given(&settings.auth_jwt_audience) {
            Some(audience) => {
                validation.set_audience(&[audience]);
                validation.set_required_spec_claims(&["exp", "sub", "aud"]);
            }
            None => validation.validate_aud = false,
        }
        Ok(Some(Self { key, validation }))
    }

    pub(super) fn verify(&self, token: &str) -> Result<User, Error> {
        let claims = decode::<Claims>(token, &self.key, &self.validation)?.claims;
        if claims.sub.is_empty() || claims.sub.len() > MAX_AUDIENCE_NAME {
            return Err(ErrorKind::InvalidSubject.into());
        }
        Ok(User {
            id: claims.sub,
            kinds: claims.kinds.as_deref().map(understood),
            may_publish: claims.permissions.iter().any(|permission| permission == PUBLISH),
            channels: ChannelRights { join: understood(&claims.channels), publish: understood(&claims.publish_channels) },
            expires_at: Timestamp::from_second(claims.exp).map_err(|_| ErrorKind::InvalidToken)?,
        })
    }
}

/// Names that are none allow nothing, rather than making the token bad.
fn understood<T: FromStr>(names: &[String]) -> Vec<T> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// A PEM file does not say for which of the three families it is.
fn public_key(pem: &str) -> Result<(DecodingKey, Vec<Algorithm>), StartError> {
    let pem = pem.as_bytes();
    if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
        return Ok((key, vec![Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256]));
    }
    if let Ok(key) = DecodingKey::from_ec_pem(pem) {
        return Ok((key, vec![Algorithm::ES256, Algorithm::ES384]));
    }
    match DecodingKey::from_ed_pem(pem) {
        Ok(key) => Ok((key, vec![Algorithm::EdDSA])),
        Err(error) => Err(StartError::new("AUTH_JWT_PUBLIC_KEY is no RSA, EC or Ed25519 public key in PEM", error).of_settings()),
    }
}
