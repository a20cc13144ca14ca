//! `POST /v1/projects/{project}/subscriptions/{subscription}:{verb}`.

use super::{Answer, name};
use crate::{
    broker::Broker,
    error::Error,
    proto::{
        AcknowledgeRequest, DetachSubscriptionRequest, ModifyAckDeadlineRequest, ModifyPushConfigRequest, PullRequest, SeekRequest,
        seek_request::Target,
    },
    rest::{
        body::{Body, verb},
        json,
    },
};
use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The arguments of all calls; each takes its own.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Arguments {
    ack_ids: Vec<String>,
    ack_deadline_seconds: i32,
    max_messages: i32,
    return_immediately: bool,
    time: Option<json::Timestamp>,
    snapshot: Option<String>,
    push_config: json::PushConfig,
}

pub(super) async fn call(
    State(broker): State<Arc<Broker>>,
    Path((project, segment)): Path<(String, String)>,
    Body(arguments): Body<Arguments>,
) -> Answer {
    let (subscription, verb) = verb(&segment)?;
    let subscription = name(&project, subscription);
    match verb {
        "pull" => return pull(&broker, subscription, &arguments).await,
        "acknowledge" => broker.acknowledge(&AcknowledgeRequest { subscription, ack_ids: arguments.ack_ids })?,
        "modifyAckDeadline" => broker.modify_ack_deadline(&ModifyAckDeadlineRequest {
            subscription,
            ack_ids: arguments.ack_ids,
            ack_deadline_seconds: arguments.ack_deadline_seconds,
        })?,
        "seek" => {
            let time = arguments.time.map(|time| Target::Time(time.0));
            let target = time.or(arguments.snapshot.map(Target::Snapshot));
            broker.seek(SeekRequest { subscription, target })?;
        }
        "detach" => broker.detach_subscription(&DetachSubscriptionRequest { subscription })?,
        "modifyPushConfig" => {
            let push_config = Some(arguments.push_config.into());
            broker.modify_push_config(ModifyPushConfigRequest { subscription, push_config })?;
        }
        _ => return Err(Error::NotFound(segment).into()),
    }
    Ok(Json(json!({})))
}

async fn pull(broker: &Broker, subscription: String, arguments: &Arguments) -> Answer {
    #[expect(deprecated, reason = "clients still send it")]
    let request = PullRequest { subscription, return_immediately: arguments.return_immediately, max_messages: arguments.max_messages };
    let received: Vec<_> = broker.pull(&request).await?.into_iter().map(json::ReceivedMessage::from).collect();
    Ok(Json(json!({ "receivedMessages": received })))
}
