use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How the specification marks a symmetric secret.
const PREFIX: &str = "whsec_";
/// The specification's bounds on a secret, in bytes.
const SECRET_SIZE: std::ops::RangeInclusive<usize> = 24..=64;

/// Signs after the [Standard Webhooks](https://www.standardwebhooks.com) specification, with one secret or, while one
/// replaces another, with several.
#[derive(Clone)]
pub struct Signer {
    keys: Vec<Hmac<Sha256>>,
}

/// A secret that cannot be used. It does not say what the secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Only spaces.
    #[error("there is no secret in it")]
    Empty,
    /// One without the mark.
    #[error("secret {0} does not begin with `{PREFIX}`")]
    Prefix(usize),
    /// One that does not decode.
    #[error("secret {0} is not base64 after `{PREFIX}`")]
    Base64(usize),
    /// One that is too short to be safe, or longer than the specification allows.
    #[error("secret {0} has {1} bytes, where {start} to {end} are allowed", start = SECRET_SIZE.start(), end = SECRET_SIZE.end())]
    Size(usize, usize),
}

impl Signer {
    /// Reads secrets that are separated by spaces, each `whsec_` and base64.
    ///
    /// # Errors
    /// Naming the first wrong one by its place, from 1.
    pub fn new(secrets: &str) -> Result<Self, SecretError> {
        let keys = secrets.split_whitespace().zip(1..).map(|(secret, place)| key(secret, place)).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(SecretError::Empty) } else { Ok(Self { keys }) }
    }

    /// The value of `webhook-signature`: one signature per secret. `timestamp` is in seconds since 1970.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let signatures = self.keys.iter().map(|key| {
            let mut mac = key.clone();
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(body);
            format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({} secrets)", self.keys.len())
    }
}

fn key(secret: &str, place: usize) -> Result<Hmac<Sha256>, SecretError> {
    let encoded = secret.strip_prefix(PREFIX).ok_or(SecretError::Prefix(place))?;
    let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| SecretError::Base64(place))?;
    if !SECRET_SIZE.contains(&bytes.len()) {
        return Err(SecretError::Size(place, bytes.len()));
    }
    Ok(Hmac::new_from_slice(&bytes).expect("HMAC takes keys of any length"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const OTHER: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    /// What the specification's own libraries compute for the above.
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    #[test]
    fn signatures_are_those_of_the_reference() {
        assert_eq!(Signer::new(SECRET).unwrap().sign(ID, 1_649_367_553, BODY), SIGNATURE);
    }

    #[test]
    fn while_secrets_are_replaced_receivers_may_know_either() {
        let signed = Signer::new(&format!("{OTHER}  {SECRET}")).unwrap().sign(ID, 1_649_367_553, BODY);
        let signatures: Vec<_> = signed.split(' ').collect();
        assert_eq!((signatures.len(), signatures[1]), (2, SIGNATURE));
        assert_ne!(signatures[0], SIGNATURE);
    }

    #[test]
    fn a_wrong_secret_is_named_by_its_place_and_never_shown() {
        assert_eq!(Signer::new("  ").unwrap_err(), SecretError::Empty);
        assert_eq!(Signer::new(&format!("{SECRET} plain")).unwrap_err(), SecretError::Prefix(2));
        assert_eq!(Signer::new("whsec_%%%").unwrap_err(), SecretError::Base64(1));
        assert_eq!(Signer::new("whsec_c2hvcnQ=").unwrap_err().to_string(), "secret 1 has 5 bytes, where 24 to 64 are allowed");
        assert_eq!(format!("{:?}", Signer::new(SECRET).unwrap()), "Signer(1 secrets)");
    }
}
