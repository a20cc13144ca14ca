use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// How many headers a job may add.
const MAX_HEADERS: usize = 16;
/// How long they may be together, in bytes: servers refuse more than a few KiB.
const MAX_BYTES: usize = 8 << 10;

/// Headers that a job may not add.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadersError {
    /// One that this worker, the transport or a proxy sets, or that somebody else might be fooled with.
    #[error("the header `{0}` may not be set; `authorization`, `idempotency-key` and `x-…` may")]
    Forbidden(String),
    /// One that HTTP cannot carry.
    #[error("the header `{0}` has a name or value that HTTP does not allow")]
    Invalid(String),
    /// Too many, or too long.
    #[error("there may be {MAX_HEADERS} headers of {MAX_BYTES} bytes together")]
    TooMany,
}

/// Lets through what receivers ask for, and nothing that changes what the request is or where it seems to come from.
///
/// # Errors
/// Naming the first header that may not be sent.
pub(crate) fn checked(headers: &BTreeMap<String, String>) -> Result<HeaderMap, HeadersError> {
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if headers.len() > MAX_HEADERS || bytes > MAX_BYTES {
        return Err(HeadersError::TooMany);
    }
    let header = |(name, value): (&String, &String)| {
        let invalid = || HeadersError::Invalid(name.clone());
        let checked_name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        if !is_allowed(checked_name.as_str()) {
            return Err(HeadersError::Forbidden(name.clone()));
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| invalid())?;
        value.set_sensitive(true);
        Ok((checked_name, value))
    };
    headers.iter().map(header).collect()
}

/// `name` is in lower case. Proxies take `x-forwarded-…` and `x-real-ip` for the sender's address, some servers
/// `x-original-…`, `x-rewrite-…` and `x-http-method-…` for another request.
fn is_allowed(name: &str) -> bool {
    const FOOLING: [&str; 6] = ["x-forwarded", "x-real-ip", "x-original", "x-rewrite", "x-http-method", "x-method"];
    match name {
        "authorization" | "idempotency-key" => true,
        name => name.starts_with("x-") && !FOOLING.iter().any(|prefix| name.starts_with(prefix)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn check(name: &str, value: &str) -> Result<HeaderMap, HeadersError> {
        checked(&BTreeMap::from([(name.to_owned(), value.to_owned())]))
    }

    #[test]
    fn what_receivers_ask_for_is_sent() {
        for name in ["Authorization", "idempotency-key", "X-Api-Key", "x-event"] {
            assert_eq!(check(name, "value").unwrap()[name], "value");
        }
    }

    #[test]
    fn what_changes_the_request_is_not() {
        for name in [
            "host",
            "Content-Length",
            "content-type",
            "transfer-encoding",
            "connection",
            "te",
            "upgrade",
            "expect",
            "cookie",
            "webhook-id",
            "Webhook-Signature",
            "proxy-authorization",
            "metadata-flavor",
            "X-Forwarded-For",
            "x-real-ip",
            "x-original-url",
            "X-HTTP-Method-Override",
            "user-agent",
        ] {
            assert_eq!(check(name, "x"), Err(HeadersError::Forbidden(name.to_owned())), "{name}");
        }
    }

    #[test]
    fn a_header_cannot_smuggle_another() {
        assert_eq!(check("x-a", "1\r\nhost: evil"), Err(HeadersError::Invalid("x-a".to_owned())));
        assert_eq!(check("x-a\r\nhost", "1"), Err(HeadersError::Invalid("x-a\r\nhost".to_owned())));
    }

    #[test]
    fn there_are_not_too_many() {
        let many = (0..=MAX_HEADERS).map(|n| (format!("x-{n}"), String::new())).collect();
        assert_eq!(checked(&many), Err(HeadersError::TooMany));
        assert_eq!(check("x-long", &"x".repeat(MAX_BYTES)), Err(HeadersError::TooMany));
    }
}
