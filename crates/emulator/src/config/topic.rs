//! A topic's settings.

use super::{bounds, paths, refuse, unknown_path};
use crate::{
    error::Error,
    names,
    proto::{Topic, topic::State},
};
use prost_types::FieldMask;
use std::time::Duration;

/// The settings of a new topic, checked.
pub(crate) fn check(topic: Topic) -> Result<Topic, Error> {
    names::check_topic(&topic.name)?;
    refuse(topic.message_storage_policy.is_some(), "message storage policies")?;
    refuse(!topic.kms_key_name.is_empty(), "encryption keys")?;
    refuse(topic.schema_settings.is_some(), "schemas")?;
    refuse(topic.ingestion_data_source_settings.is_some(), "ingestion")?;
    refuse(!topic.message_transforms.is_empty(), "message transforms")?;
    refuse(!topic.tags.is_empty(), "resource tags")?;
    if let Some(retention) = topic.message_retention_duration {
        bounds::within("message_retention_duration", retention, &bounds::RETENTION)?;
    }
    Ok(Topic { satisfies_pzs: false, state: State::Active.into(), ..topic })
}

/// `current` with the fields in `mask` taken from `update`, checked.
pub(crate) fn update(current: &Topic, update: Topic, mask: Option<FieldMask>) -> Result<Topic, Error> {
    let mut next = current.clone();
    for path in paths(mask)? {
        match path.as_str() {
            "labels" => next.labels.clone_from(&update.labels),
            "message_retention_duration" => next.message_retention_duration = update.message_retention_duration,
            "message_storage_policy" => next.message_storage_policy.clone_from(&update.message_storage_policy),
            "schema_settings" => next.schema_settings.clone_from(&update.schema_settings),
            "ingestion_data_source_settings" => {
                next.ingestion_data_source_settings.clone_from(&update.ingestion_data_source_settings);
            }
            "message_transforms" => next.message_transforms.clone_from(&update.message_transforms),
            _ => return Err(unknown_path(&path)),
        }
    }
    check(next)
}

/// For how long the topic itself keeps messages.
pub(crate) fn retention(topic: &Topic) -> Option<Duration> {
    topic.message_retention_duration.map(bounds::accepted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::SchemaSettings;

    fn topic() -> Topic {
        Topic { name: "projects/p/topics/abc".into(), ..Topic::default() }
    }

    fn mask(path: &str) -> Option<FieldMask> {
        Some(FieldMask { paths: vec![path.into()] })
    }

    #[test]
    fn retention_has_bounds() {
        for (seconds, valid) in [(599, false), (600, true), (31 * 86_400, true), (31 * 86_400 + 1, false), (-1, false)] {
            let message_retention_duration = Some(prost_types::Duration { seconds, nanos: 0 });
            let checked = check(Topic { message_retention_duration, ..topic() });
            assert_eq!(checked.is_ok(), valid, "{seconds}");
        }
    }

    #[test]
    fn an_update_touches_only_what_its_mask_names() -> Result<(), Error> {
        let current = Topic { labels: [("a".into(), "1".into())].into(), ..check(topic())? };
        let message_retention_duration = Some(prost_types::Duration { seconds: 600, nanos: 0 });
        let updated = update(&current, Topic { message_retention_duration, ..topic() }, mask("messageRetentionDuration"))?;
        assert_eq!(updated, Topic { message_retention_duration, ..current });
        assert_eq!(retention(&updated), Some(Duration::from_secs(600)));
        Ok(())
    }

    #[test]
    fn a_mask_must_name_fields_that_exist() {
        assert!(matches!(update(&topic(), topic(), None), Err(Error::InvalidArgument(_))));
        assert!(matches!(update(&topic(), topic(), mask("name")), Err(Error::InvalidArgument(_))));
        assert!(matches!(update(&topic(), topic(), mask("nonsense")), Err(Error::InvalidArgument(_))));
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        let with_schema = Topic { schema_settings: Some(SchemaSettings::default()), ..topic() };
        assert_eq!(check(with_schema.clone()), Err(Error::Unsupported("schemas")));
        assert_eq!(update(&topic(), with_schema, mask("schema_settings")), Err(Error::Unsupported("schemas")));
    }
}
