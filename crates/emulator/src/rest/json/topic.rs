//! `google.pubsub.v1.Topic`.

use super::{
    Unsupported, given, is_default,
    scalar::{Duration, Enum},
};
use crate::proto;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Topic {
    name: String,
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    labels: HashMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_retention_duration: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Enum>,
    #[serde(skip_serializing)]
    satisfies_pzs: bool,
    #[serde(skip_serializing)]
    message_storage_policy: Unsupported,
    #[serde(skip_serializing)]
    kms_key_name: String,
    #[serde(skip_serializing)]
    schema_settings: Unsupported,
    #[serde(skip_serializing)]
    ingestion_data_source_settings: Unsupported,
    #[serde(skip_serializing)]
    message_transforms: Vec<serde_json::Value>,
    #[serde(skip_serializing_if = "is_default")]
    tags: HashMap<String, String>,
}

impl From<Topic> for proto::Topic {
    fn from(topic: Topic) -> Self {
        Self {
            name: topic.name,
            labels: topic.labels,
            message_retention_duration: topic.message_retention_duration.map(|duration| duration.0),
            message_storage_policy: given(&topic.message_storage_policy),
            kms_key_name: topic.kms_key_name,
            schema_settings: given(&topic.schema_settings),
            ingestion_data_source_settings: given(&topic.ingestion_data_source_settings),
            message_transforms: topic.message_transforms.iter().map(|_| proto::MessageTransform::default()).collect(),
            tags: topic.tags,
            ..Self::default()
        }
    }
}

impl From<proto::Topic> for Topic {
    fn from(topic: proto::Topic) -> Self {
        Self {
            state: Some(Enum::Name(topic.state().as_str_name().into())),
            name: topic.name,
            labels: topic.labels,
            message_retention_duration: topic.message_retention_duration.map(Duration),
            ..Self::default()
        }
    }
}
