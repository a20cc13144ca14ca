//! `google.pubsub.v1.Publisher`.

use crate::{
    broker::Broker,
    error::Error,
    proto::{
        DeleteTopicRequest, DetachSubscriptionRequest, DetachSubscriptionResponse, GetTopicRequest, ListTopicSnapshotsRequest,
        ListTopicSnapshotsResponse, ListTopicSubscriptionsRequest, ListTopicSubscriptionsResponse, ListTopicsRequest, ListTopicsResponse,
        PublishRequest, PublishResponse, Topic, UpdateTopicRequest, server::publisher_server::Publisher,
    },
};
use std::sync::Arc;
use tonic::{Request, Response, Status, async_trait};

pub(super) struct Service(pub(super) Arc<Broker>);

#[async_trait]
impl Publisher for Service {
    async fn create_topic(&self, request: Request<Topic>) -> Result<Response<Topic>, Status> {
        Ok(Response::new(self.0.create_topic(request.into_inner())?))
    }

    async fn update_topic(&self, request: Request<UpdateTopicRequest>) -> Result<Response<Topic>, Status> {
        Ok(Response::new(self.0.update_topic(request.into_inner())?))
    }

    async fn publish(&self, request: Request<PublishRequest>) -> Result<Response<PublishResponse>, Status> {
        Ok(Response::new(self.0.publish(request.into_inner())?))
    }

    async fn get_topic(&self, request: Request<GetTopicRequest>) -> Result<Response<Topic>, Status> {
        Ok(Response::new(self.0.get_topic(request.get_ref())?))
    }

    async fn list_topics(&self, request: Request<ListTopicsRequest>) -> Result<Response<ListTopicsResponse>, Status> {
        Ok(Response::new(self.0.list_topics(request.get_ref())?))
    }

    async fn list_topic_subscriptions(
        &self,
        request: Request<ListTopicSubscriptionsRequest>,
    ) -> Result<Response<ListTopicSubscriptionsResponse>, Status> {
        Ok(Response::new(self.0.list_topic_subscriptions(request.get_ref())?))
    }

    async fn list_topic_snapshots(&self, _: Request<ListTopicSnapshotsRequest>) -> Result<Response<ListTopicSnapshotsResponse>, Status> {
        Err(Error::Unsupported("snapshots").into())
    }

    async fn delete_topic(&self, request: Request<DeleteTopicRequest>) -> Result<Response<()>, Status> {
        Ok(Response::new(self.0.delete_topic(request.get_ref())?))
    }

    async fn detach_subscription(
        &self,
        request: Request<DetachSubscriptionRequest>,
    ) -> Result<Response<DetachSubscriptionResponse>, Status> {
        self.0.detach_subscription(request.get_ref())?;
        Ok(Response::new(DetachSubscriptionResponse {}))
    }
}
