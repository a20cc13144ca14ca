//! The messages and services of `google.pubsub.v1`.

pub(crate) use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::*;

/// `google.protobuf.Empty`, by a name that the service generator can parse.
pub(crate) type Empty = ();

/// The server traits that `build.rs` writes.
pub(crate) mod server {
    #![allow(missing_docs, unreachable_pub, rust_2018_idioms, clippy::all, clippy::semicolon_if_nothing_returned, reason = "generated")]
    tonic::include_proto!("google.pubsub.v1.Publisher");
    tonic::include_proto!("google.pubsub.v1.Subscriber");
}
