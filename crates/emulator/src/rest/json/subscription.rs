//! `google.pubsub.v1.Subscription`.

use super::{
    Unsupported, given, is_default,
    scalar::{Duration, Enum},
};
use crate::proto;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Subscription {
    name: String,
    topic: String,
    ack_deadline_seconds: i32,
    #[serde(skip_serializing_if = "is_default")]
    retain_acked_messages: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_retention_duration: Option<Duration>,
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    labels: HashMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_policy: Option<ExpirationPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter_policy: Option<DeadLetterPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_policy: Option<RetryPolicy>,
    #[serde(skip_serializing_if = "is_default")]
    detached: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_message_retention_duration: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Enum>,
    push_config: PushConfig,
    #[serde(skip_serializing)]
    enable_message_ordering: bool,
    #[serde(skip_serializing)]
    filter: String,
    #[serde(skip_serializing)]
    enable_exactly_once_delivery: bool,
    #[serde(skip_serializing)]
    bigquery_config: Unsupported,
    #[serde(skip_serializing)]
    cloud_storage_config: Unsupported,
    #[serde(skip_serializing)]
    bigtable_config: Unsupported,
    #[serde(skip_serializing)]
    analytics_hub_subscription_info: Unsupported,
    #[serde(skip_serializing)]
    message_transforms: Vec<serde_json::Value>,
    #[serde(skip_serializing)]
    tags: HashMap<String, String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct ExpirationPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<Duration>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct DeadLetterPolicy {
    dead_letter_topic: String,
    max_delivery_attempts: i32,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct RetryPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_backoff: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_backoff: Option<Duration>,
}

/// Empty for a pull subscription, and anything else is refused.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PushConfig(serde_json::Map<String, serde_json::Value>);

impl From<PushConfig> for proto::PushConfig {
    fn from(config: PushConfig) -> Self {
        // The fields' names are enough to tell it from an empty one.
        Self { attributes: config.0.into_iter().map(|(name, _)| (name, String::new())).collect(), ..Self::default() }
    }
}

impl From<Subscription> for proto::Subscription {
    fn from(subscription: Subscription) -> Self {
        Self {
            name: subscription.name,
            topic: subscription.topic,
            ack_deadline_seconds: subscription.ack_deadline_seconds,
            retain_acked_messages: subscription.retain_acked_messages,
            message_retention_duration: subscription.message_retention_duration.map(|duration| duration.0),
            labels: subscription.labels,
            expiration_policy: subscription
                .expiration_policy
                .map(|policy| proto::ExpirationPolicy { ttl: policy.ttl.map(|duration| duration.0) }),
            dead_letter_policy: subscription.dead_letter_policy.map(|policy| proto::DeadLetterPolicy {
                dead_letter_topic: policy.dead_letter_topic,
                max_delivery_attempts: policy.max_delivery_attempts,
            }),
            retry_policy: subscription.retry_policy.map(|policy| proto::RetryPolicy {
                minimum_backoff: policy.minimum_backoff.map(|duration| duration.0),
                maximum_backoff: policy.maximum_backoff.map(|duration| duration.0),
            }),
            push_config: Some(subscription.push_config.into()),
            enable_message_ordering: subscription.enable_message_ordering,
            filter: subscription.filter,
            enable_exactly_once_delivery: subscription.enable_exactly_once_delivery,
            bigquery_config: given(&subscription.bigquery_config),
            cloud_storage_config: given(&subscription.cloud_storage_config),
            bigtable_config: given(&subscription.bigtable_config),
            analytics_hub_subscription_info: given(&subscription.analytics_hub_subscription_info),
            message_transforms: subscription.message_transforms.iter().map(|_| <_>::default()).collect(),
            tags: subscription.tags,
            ..Self::default()
        }
    }
}

impl From<proto::Subscription> for Subscription {
    fn from(subscription: proto::Subscription) -> Self {
        Self {
            state: Some(Enum::Name(subscription.state().as_str_name().into())),
            name: subscription.name,
            topic: subscription.topic,
            ack_deadline_seconds: subscription.ack_deadline_seconds,
            retain_acked_messages: subscription.retain_acked_messages,
            message_retention_duration: subscription.message_retention_duration.map(Duration),
            labels: subscription.labels,
            expiration_policy: subscription.expiration_policy.map(|policy| ExpirationPolicy { ttl: policy.ttl.map(Duration) }),
            dead_letter_policy: subscription.dead_letter_policy.map(|policy| DeadLetterPolicy {
                dead_letter_topic: policy.dead_letter_topic,
                max_delivery_attempts: policy.max_delivery_attempts,
            }),
            retry_policy: subscription.retry_policy.map(|policy| RetryPolicy {
                minimum_backoff: policy.minimum_backoff.map(Duration),
                maximum_backoff: policy.maximum_backoff.map(Duration),
            }),
            detached: subscription.detached,
            topic_message_retention_duration: subscription.topic_message_retention_duration.map(Duration),
            ..Self::default()
        }
    }
}
