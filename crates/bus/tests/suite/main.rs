//! What the bus promises, told as stories. Each is written once and runs against both servers: the embedded emulator and Google's.
//!
//! Google's comes from `MAYFLY_GOOGLE_EMULATOR` (`host:port`); without that, each test process starts its own with `gcloud`.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests")]

mod consuming;
mod garbage;
mod google;
mod leaving;
mod outages;
mod proxy;
mod publishing;
mod server;
mod topology;
mod tracing_context;

/// Runs every story against both servers.
macro_rules! on_both_servers {
    ($($story:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test]
            async fn $story() {
                super::$story(&$crate::server::Server::embedded().await).await;
            })+
        }
        mod google {
            $(#[tokio::test]
            async fn $story() {
                if let Some(server) = $crate::server::Server::google().await {
                    super::$story(&server).await;
                }
            })+
        }
    };
}
use on_both_servers;
