//! `google.pubsub.v1.Subscriber`.

use super::streaming_pull::{self, Responses};
use crate::{
    broker::Broker,
    error::Error,
    proto::{
        AcknowledgeRequest, CreateSnapshotRequest, DeleteSnapshotRequest, DeleteSubscriptionRequest, GetSnapshotRequest,
        GetSubscriptionRequest, ListSnapshotsRequest, ListSnapshotsResponse, ListSubscriptionsRequest, ListSubscriptionsResponse,
        ModifyAckDeadlineRequest, ModifyPushConfigRequest, PullRequest, SeekRequest, SeekResponse, Snapshot, StreamingPullRequest,
        Subscription, UpdateSnapshotRequest, UpdateSubscriptionRequest, server::subscriber_server::Subscriber,
    },
    wire::PullResponse,
};
use std::sync::Arc;
use tonic::{Request, Response, Status, Streaming, async_trait};

const SNAPSHOTS: Error = Error::Unsupported("snapshots");

pub(super) struct Service(pub(super) Arc<Broker>);

#[async_trait]
impl Subscriber for Service {
    type StreamingPullStream = Responses;

    async fn create_subscription(&self, request: Request<Subscription>) -> Result<Response<Subscription>, Status> {
        Ok(Response::new(self.0.create_subscription(request.into_inner())?))
    }

    async fn get_subscription(&self, request: Request<GetSubscriptionRequest>) -> Result<Response<Subscription>, Status> {
        Ok(Response::new(self.0.get_subscription(request.get_ref())?))
    }

    async fn update_subscription(&self, request: Request<UpdateSubscriptionRequest>) -> Result<Response<Subscription>, Status> {
        Ok(Response::new(self.0.update_subscription(request.into_inner())?))
    }

    async fn list_subscriptions(&self, request: Request<ListSubscriptionsRequest>) -> Result<Response<ListSubscriptionsResponse>, Status> {
        Ok(Response::new(self.0.list_subscriptions(request.get_ref())?))
    }

    async fn delete_subscription(&self, request: Request<DeleteSubscriptionRequest>) -> Result<Response<()>, Status> {
        Ok(Response::new(self.0.delete_subscription(request.get_ref())?))
    }

    async fn modify_ack_deadline(&self, request: Request<ModifyAckDeadlineRequest>) -> Result<Response<()>, Status> {
        Ok(Response::new(self.0.modify_ack_deadline(request.get_ref())?))
    }

    async fn acknowledge(&self, request: Request<AcknowledgeRequest>) -> Result<Response<()>, Status> {
        Ok(Response::new(self.0.acknowledge(request.get_ref())?))
    }

    async fn pull(&self, request: Request<PullRequest>) -> Result<Response<PullResponse>, Status> {
        let received_messages = self.0.pull(request.get_ref()).await?;
        Ok(Response::new(PullResponse { received_messages }))
    }

    async fn streaming_pull(
        &self,
        request: Request<Streaming<StreamingPullRequest>>,
    ) -> Result<Response<Self::StreamingPullStream>, Status> {
        Ok(Response::new(streaming_pull::serve(Arc::clone(&self.0), request.into_inner())))
    }

    async fn modify_push_config(&self, request: Request<ModifyPushConfigRequest>) -> Result<Response<()>, Status> {
        Ok(Response::new(self.0.modify_push_config(request.into_inner())?))
    }

    async fn get_snapshot(&self, _: Request<GetSnapshotRequest>) -> Result<Response<Snapshot>, Status> {
        Err(SNAPSHOTS.into())
    }

    async fn list_snapshots(&self, _: Request<ListSnapshotsRequest>) -> Result<Response<ListSnapshotsResponse>, Status> {
        Err(SNAPSHOTS.into())
    }

    async fn create_snapshot(&self, _: Request<CreateSnapshotRequest>) -> Result<Response<Snapshot>, Status> {
        Err(SNAPSHOTS.into())
    }

    async fn update_snapshot(&self, _: Request<UpdateSnapshotRequest>) -> Result<Response<Snapshot>, Status> {
        Err(SNAPSHOTS.into())
    }

    async fn delete_snapshot(&self, _: Request<DeleteSnapshotRequest>) -> Result<Response<()>, Status> {
        Err(SNAPSHOTS.into())
    }

    async fn seek(&self, request: Request<SeekRequest>) -> Result<Response<SeekResponse>, Status> {
        self.0.seek(request.into_inner())?;
        Ok(Response::new(SeekResponse {}))
    }
}
