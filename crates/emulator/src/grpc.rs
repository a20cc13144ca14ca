//! The two services as gRPC.

mod publisher;
mod streaming_pull;
mod subscriber;

use crate::{
    broker::Broker,
    proto::server::{publisher_server::PublisherServer, subscriber_server::SubscriberServer},
};
use std::sync::Arc;
use tonic::service::Routes;

/// Google's limit for a request is 10 MB; a little more gets in, so that it can be refused with a reason.
const REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// Adds both services to other routes of the same port.
pub(crate) fn add_to(routes: Routes, broker: &Arc<Broker>) -> Routes {
    let publisher = PublisherServer::new(publisher::Service(Arc::clone(broker)));
    let subscriber = SubscriberServer::new(subscriber::Service(Arc::clone(broker)));
    routes.add_service(publisher.max_decoding_message_size(REQUEST_BYTES)).add_service(subscriber.max_decoding_message_size(REQUEST_BYTES))
}
