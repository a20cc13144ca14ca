use std::net::IpAddr;

use url::{Host, Url};

use crate::Reach;

/// Why nothing is sent to an address: for good, whatever is tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not `https`, or `http` where that is allowed.
    #[error("webhooks go to {} addresses, not to `{scheme}:`", if *.https_only { "https" } else { "http and https" })]
    Scheme {
        /// What was given.
        scheme: String,
        /// The setting.
        https_only: bool,
    },
    /// A name and password in the URL, which would end up in logs.
    #[error("the URL has a user name or password in it; send an `authorization` header instead")]
    Credentials,
    /// A URL without a host.
    #[error("the URL names no host")]
    NoHost,
    /// An address that is not of the internet, given as such or by a name.
    #[error("`{0}` is not an address of the public internet")]
    NotPublic(String),
}

/// What a URL itself tells; what its name stands for is checked when it is resolved.
///
/// # Errors
/// Whatever forbids sending there.
pub(crate) fn check(url: &Url, reach: &Reach, https_only: bool) -> Result<(), TargetError> {
    if !(url.scheme() == "https" || (url.scheme() == "http" && !https_only)) {
        return Err(TargetError::Scheme { scheme: url.scheme().to_owned(), https_only });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TargetError::Credentials);
    }
    let literal = match url.host() {
        None => return Err(TargetError::NoHost),
        Some(Host::Domain(_)) => return Ok(()),
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
    };
    if reach.allows(literal) { Ok(()) } else { Err(TargetError::NotPublic(literal.to_string())) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn checked(url: &str) -> Result<(), TargetError> {
        check(&url.parse().unwrap(), &Reach::default(), false)
    }

    #[test]
    fn literal_addresses_are_seen_through_every_spelling() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://0/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://169.254.169.254/computeMetadata/v1/",
            "https://10.0.0.1:8443/",
            "http://127.0.0.1./",
            "http://１２７.0.0.1/",
        ] {
            assert!(matches!(checked(url), Err(TargetError::NotPublic(_))), "{url}: {:?}", checked(url));
        }
        assert_eq!(checked("https://1.1.1.1:8443/x"), Ok(()));
        assert_eq!(checked("https://[2606:4700:4700::1111]/"), Ok(()));
    }

    #[test]
    fn an_address_with_a_zone_is_not_a_url() {
        assert!("http://[fe80::1%25eth0]/".parse::<Url>().is_err());
        assert!("http://[fe80::1%eth0]/".parse::<Url>().is_err());
    }

    #[test]
    fn only_the_web_is_spoken() {
        for url in ["ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "data:,x", "unix:/run/docker.sock"] {
            assert!(matches!(checked(url), Err(TargetError::Scheme { .. })), "{url}");
        }
        let plain = "http://example.com/".parse().unwrap();
        assert_eq!(check(&plain, &Reach::default(), false), Ok(()));
        let error = check(&plain, &Reach::default(), true).unwrap_err();
        assert_eq!(error.to_string(), "webhooks go to https addresses, not to `http:`");
    }

    #[test]
    fn passwords_do_not_belong_into_urls() {
        assert_eq!(checked("https://user@example.com/"), Err(TargetError::Credentials));
        assert_eq!(checked("https://:secret@example.com/"), Err(TargetError::Credentials));
    }
}
