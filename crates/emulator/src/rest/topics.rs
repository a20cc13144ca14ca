//! `/v1/projects/{project}/topics`.

use super::{
    body::{Body, PageQuery, verb},
    failure::Failure,
    json,
};
use crate::{
    broker::Broker,
    error::Error,
    proto::{
        DeleteTopicRequest, GetTopicRequest, ListTopicSubscriptionsRequest, ListTopicsRequest, PublishRequest, Topic, UpdateTopicRequest,
    },
};
use axum::{
    Json, Router,
    extract::{Path, State},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

type Answer = Result<Json<Value>, Failure>;

pub(super) fn routes() -> Router<Arc<Broker>> {
    Router::new()
        .route("/v1/projects/{project}/topics", get(list))
        .route("/v1/projects/{project}/topics/{topic}", get(show).put(create).patch(update).delete(delete).post(call))
        .route("/v1/projects/{project}/topics/{topic}/subscriptions", get(list_subscriptions))
        .route("/v1/projects/{project}/topics/{topic}/snapshots", get(|| super::unsupported("snapshots")))
}

fn name(project: &str, topic: &str) -> String {
    format!("projects/{project}/topics/{topic}")
}

fn answer(topic: Topic) -> Answer {
    Ok(Json(json!(json::Topic::from(topic))))
}

async fn list(State(broker): State<Arc<Broker>>, Path(project): Path<String>, PageQuery { page_size, page_token }: PageQuery) -> Answer {
    let project = format!("projects/{project}");
    let page = broker.list_topics(&ListTopicsRequest { project, page_size, page_token })?;
    let topics: Vec<_> = page.topics.into_iter().map(json::Topic::from).collect();
    Ok(Json(json!({ "topics": topics, "nextPageToken": page.next_page_token })))
}

async fn show(State(broker): State<Arc<Broker>>, Path((project, topic)): Path<(String, String)>) -> Answer {
    answer(broker.get_topic(&GetTopicRequest { topic: name(&project, &topic) })?)
}

async fn create(
    State(broker): State<Arc<Broker>>,
    Path((project, topic)): Path<(String, String)>,
    Body(body): Body<json::Topic>,
) -> Answer {
    let request = Topic { name: name(&project, &topic), ..body.into() };
    answer(broker.create_topic(request)?)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Update {
    topic: json::Topic,
    update_mask: json::FieldMask,
}

async fn update(
    State(broker): State<Arc<Broker>>,
    Path((project, topic)): Path<(String, String)>,
    Body(Update { topic: update, update_mask }): Body<Update>,
) -> Answer {
    let update = Topic { name: name(&project, &topic), ..update.into() };
    let request = UpdateTopicRequest { topic: Some(update), update_mask: Some(update_mask.0) };
    answer(broker.update_topic(request)?)
}

async fn delete(State(broker): State<Arc<Broker>>, Path((project, topic)): Path<(String, String)>) -> Answer {
    broker.delete_topic(&DeleteTopicRequest { topic: name(&project, &topic) })?;
    Ok(Json(json!({})))
}

async fn list_subscriptions(
    State(broker): State<Arc<Broker>>,
    Path((project, topic)): Path<(String, String)>,
    PageQuery { page_size, page_token }: PageQuery,
) -> Answer {
    let request = ListTopicSubscriptionsRequest { topic: name(&project, &topic), page_size, page_token };
    let page = broker.list_topic_subscriptions(&request)?;
    Ok(Json(json!({ "subscriptions": page.subscriptions, "nextPageToken": page.next_page_token })))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Publish {
    messages: Vec<json::Message>,
}

async fn call(State(broker): State<Arc<Broker>>, Path((project, segment)): Path<(String, String)>, Body(body): Body<Publish>) -> Answer {
    let (topic, verb) = verb(&segment)?;
    if verb != "publish" {
        return Err(Error::NotFound(segment).into());
    }
    let messages = body.messages.into_iter().map(Into::into).collect();
    let published = broker.publish(PublishRequest { topic: name(&project, topic), messages })?;
    Ok(Json(json!({ "messageIds": published.message_ids })))
}
