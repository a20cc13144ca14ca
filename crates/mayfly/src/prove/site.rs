use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use reqwest::{Client, Url, redirect::Policy};

/// How long anything may take to connect.
const CONNECT: Duration = Duration::from_secs(5);

/// The installation that is looked at.
pub(super) struct Site {
    url: Url,
    pub(super) http: Client,
    pub(super) token: Option<String>,
}

/// A URL that nothing can be asked of.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("{0} has no host to connect to; expected something like https://jobs.example.com")]
    NoHost(Url),
    #[error("cannot make HTTP requests")]
    Http(#[from] reqwest::Error),
}

impl Site {
    /// All connections go to `address` if there is one, the certificate is that of the URL all the same.
    pub(super) fn new(url: Url, address: Option<IpAddr>, token: Option<String>) -> Result<Self, Unusable> {
        let host = match url.host_str() {
            Some(host) if matches!(url.scheme(), "http" | "https") => host.to_owned(),
            _ => return Err(Unusable::NoHost(url)),
        };
        // Websockets begin as HTTP/1.1, and redirects are looked at rather than followed.
        let mut http = Client::builder().http1_only().redirect(Policy::none()).no_proxy().connect_timeout(CONNECT);
        if let Some(address) = address {
            // Port 0 stands for the URL's.
            http = http.resolve(&host, SocketAddr::new(address, 0));
        }
        Ok(Self { url, http: http.build()?, token })
    }

    pub(super) fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// A path of the installation.
    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url.set_query(None);
        url
    }

    /// The page without encryption.
    pub(super) fn insecure_page(&self) -> Url {
        let mut url = self.at("/");
        // Only URLs without a host refuse, and this one has one.
        let _ = url.set_scheme("http");
        let _ = url.set_port(None);
        url
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn everything_is_asked_of_the_urls_host() {
        let site = Site::new("https://jobs.example.com".parse().unwrap(), None, None).unwrap();
        assert_eq!(site.at("/socket.io/socket.io.js").as_str(), "https://jobs.example.com/socket.io/socket.io.js");
        assert_eq!(site.insecure_page().as_str(), "http://jobs.example.com/");
    }

    #[test]
    fn what_is_no_place_is_said_to_be_none() {
        let unusable = Site::new("mailto:jobs@example.com".parse().unwrap(), None, None).err().unwrap();
        assert!(unusable.to_string().starts_with("mailto:jobs@example.com has no host"), "{unusable}");
    }
}
