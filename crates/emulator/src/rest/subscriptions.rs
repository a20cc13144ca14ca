//! `/v1/projects/{project}/subscriptions`.

mod calls;

use super::{
    body::{Body, PageQuery},
    failure::Failure,
    json,
};
use crate::{
    broker::Broker,
    proto::{DeleteSubscriptionRequest, GetSubscriptionRequest, ListSubscriptionsRequest, Subscription, UpdateSubscriptionRequest},
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
        .route("/v1/projects/{project}/subscriptions", get(list))
        .route("/v1/projects/{project}/subscriptions/{subscription}", get(show).put(create).patch(update).delete(delete).post(calls::call))
}

fn name(project: &str, subscription: &str) -> String {
    format!("projects/{project}/subscriptions/{subscription}")
}

fn answer(subscription: Subscription) -> Answer {
    Ok(Json(json!(json::Subscription::from(subscription))))
}

async fn list(State(broker): State<Arc<Broker>>, Path(project): Path<String>, PageQuery { page_size, page_token }: PageQuery) -> Answer {
    let project = format!("projects/{project}");
    let page = broker.list_subscriptions(&ListSubscriptionsRequest { project, page_size, page_token })?;
    let subscriptions: Vec<_> = page.subscriptions.into_iter().map(json::Subscription::from).collect();
    Ok(Json(json!({ "subscriptions": subscriptions, "nextPageToken": page.next_page_token })))
}

async fn show(State(broker): State<Arc<Broker>>, Path((project, subscription)): Path<(String, String)>) -> Answer {
    answer(broker.get_subscription(&GetSubscriptionRequest { subscription: name(&project, &subscription) })?)
}

async fn create(
    State(broker): State<Arc<Broker>>,
    Path((project, subscription)): Path<(String, String)>,
    Body(body): Body<json::Subscription>,
) -> Answer {
    let request = Subscription { name: name(&project, &subscription), ..body.into() };
    answer(broker.create_subscription(request)?)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Update {
    subscription: json::Subscription,
    update_mask: json::FieldMask,
}

async fn update(
    State(broker): State<Arc<Broker>>,
    Path((project, subscription)): Path<(String, String)>,
    Body(Update { subscription: update, update_mask }): Body<Update>,
) -> Answer {
    let update = Subscription { name: name(&project, &subscription), ..update.into() };
    let request = UpdateSubscriptionRequest { subscription: Some(update), update_mask: Some(update_mask.0) };
    answer(broker.update_subscription(request)?)
}

async fn delete(State(broker): State<Arc<Broker>>, Path((project, subscription)): Path<(String, String)>) -> Answer {
    broker.delete_subscription(&DeleteSubscriptionRequest { subscription: name(&project, &subscription) })?;
    Ok(Json(json!({})))
}
