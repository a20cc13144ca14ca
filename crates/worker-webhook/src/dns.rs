use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::{Reach, TargetError};

/// Resolves names to addresses that may be reached. The connection is made to exactly these, so that a name cannot
/// stand for another address by the time it is used.
#[derive(Clone)]
pub(crate) struct GuardedDns {
    reach: Arc<Reach>,
    lookup: Arc<dyn Lookup>,
}

/// Where addresses come from.
pub(crate) trait Lookup: Send + Sync {
    fn lookup(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver, with its hosts file and search domains.
pub(crate) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

impl GuardedDns {
    pub(crate) fn new(reach: Arc<Reach>, lookup: Arc<dyn Lookup>) -> Self {
        Self { reach, lookup }
    }
}

impl Resolve for GuardedDns {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { reach, lookup } = self.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = lookup.lookup(host.clone()).await?;
            // Port 0 stands for the URL's.
            let allowed: Vec<SocketAddr> =
                found.iter().filter(|address| reach.allows(**address)).map(|address| SocketAddr::new(*address, 0)).collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err(TargetError::NotPublic(host).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    struct Fixed(&'static [&'static str]);

    impl Lookup for Fixed {
        fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let addresses = self.0.iter().map(|text| text.parse().unwrap()).collect();
            Box::pin(async { Ok(addresses) })
        }
    }

    async fn resolved(addresses: &'static [&'static str]) -> Result<Vec<String>, String> {
        let dns = GuardedDns::new(Arc::default(), Arc::new(Fixed(addresses)));
        let found = dns.resolve("receiver.example".parse().unwrap()).await.map_err(|error| error.to_string())?;
        Ok(found.map(|address| address.ip().to_string()).collect())
    }

    #[tokio::test]
    async fn of_several_addresses_only_the_public_ones_are_tried() {
        assert_eq!(resolved(&["127.0.0.1", "1.1.1.1", "fd00::1"]).await.unwrap(), ["1.1.1.1"]);
    }

    #[tokio::test]
    async fn a_name_for_private_addresses_is_refused() {
        let error = resolved(&["10.0.0.1", "::1"]).await.unwrap_err();
        assert_eq!(error, "`receiver.example` is not an address of the public internet");
    }
}
