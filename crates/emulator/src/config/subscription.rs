//! A subscription's settings.

use super::{bounds, paths, refuse, unknown_path};
use crate::{
    error::Error,
    names,
    proto::{DeadLetterPolicy, ExpirationPolicy, PushConfig, RetryPolicy, Subscription, subscription::State},
    queue::{Backoff, Policy},
};
use prost_types::FieldMask;
use std::{ops::RangeInclusive, time::Duration};

/// Seconds; also the bounds of a stream's deadline.
pub(crate) const ACK_DEADLINE: RangeInclusive<i32> = 10..=600;
const DEFAULT_ACK_DEADLINE: i32 = 10;

const DEFAULT_RETENTION: Duration = Duration::from_secs(7 * bounds::DAY.as_secs());
const DEFAULT_EXPIRATION: Duration = Duration::from_secs(31 * bounds::DAY.as_secs());

const BACKOFF: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(600);
const DEFAULT_MINIMUM_BACKOFF: Duration = Duration::from_secs(10);
const DEFAULT_MAXIMUM_BACKOFF: Duration = Duration::from_secs(600);

const DELIVERY_ATTEMPTS: RangeInclusive<i32> = 5..=100;
const DEFAULT_DELIVERY_ATTEMPTS: i32 = 5;

/// The settings of a subscription, checked and completed with defaults.
pub(crate) fn check(subscription: Subscription) -> Result<Subscription, Error> {
    names::check_subscription(&subscription.name)?;
    refuse_unsupported(&subscription)?;
    let retention = subscription.message_retention_duration.unwrap_or_else(|| bounds::wire(DEFAULT_RETENTION));
    bounds::within("message_retention_duration", retention, &bounds::RETENTION)?;
    Ok(Subscription {
        push_config: Some(PushConfig::default()),
        ack_deadline_seconds: check_ack_deadline(subscription.ack_deadline_seconds)?,
        message_retention_duration: Some(retention),
        expiration_policy: Some(check_expiration(subscription.expiration_policy)?),
        dead_letter_policy: subscription.dead_letter_policy.map(check_dead_letter).transpose()?,
        retry_policy: subscription.retry_policy.map(check_retry).transpose()?,
        topic_message_retention_duration: None,
        state: State::Active.into(),
        ..subscription
    })
}

/// `current` with the fields in `mask` taken from `update`, checked.
pub(crate) fn update(current: &Subscription, update: Subscription, mask: Option<FieldMask>) -> Result<Subscription, Error> {
    let mut next = current.clone();
    for path in paths(mask)? {
        match path.as_str() {
            "push_config" => next.push_config.clone_from(&update.push_config),
            "bigquery_config" => next.bigquery_config.clone_from(&update.bigquery_config),
            "cloud_storage_config" => next.cloud_storage_config.clone_from(&update.cloud_storage_config),
            "ack_deadline_seconds" => next.ack_deadline_seconds = update.ack_deadline_seconds,
            "retain_acked_messages" => next.retain_acked_messages = update.retain_acked_messages,
            "message_retention_duration" => next.message_retention_duration = update.message_retention_duration,
            "labels" => next.labels.clone_from(&update.labels),
            "expiration_policy" => next.expiration_policy = update.expiration_policy,
            "dead_letter_policy" => next.dead_letter_policy.clone_from(&update.dead_letter_policy),
            "retry_policy" => next.retry_policy = update.retry_policy,
            "enable_exactly_once_delivery" => next.enable_exactly_once_delivery = update.enable_exactly_once_delivery,
            "message_transforms" => next.message_transforms.clone_from(&update.message_transforms),
            _ => return Err(unknown_path(&path)),
        }
    }
    check(next)
}

/// What the queue has to follow. A topic that keeps messages longer than the subscription prolongs its retention.
pub(crate) fn policy(subscription: &Subscription, topic_retention: Option<Duration>) -> Policy {
    let retention = subscription.message_retention_duration.map_or(DEFAULT_RETENTION, bounds::accepted);
    Policy {
        retention: retention.max(topic_retention.unwrap_or_default()),
        retain_acked: subscription.retain_acked_messages,
        retry: subscription.retry_policy.map(|retry| Backoff {
            minimum: retry.minimum_backoff.map_or(DEFAULT_MINIMUM_BACKOFF, bounds::accepted),
            maximum: retry.maximum_backoff.map_or(DEFAULT_MAXIMUM_BACKOFF, bounds::accepted),
        }),
        max_delivery_attempts: subscription.dead_letter_policy.as_ref().and_then(|policy| u32::try_from(policy.max_delivery_attempts).ok()),
    }
}

/// How long the subscription lives without being used; `None` is for ever.
pub(crate) fn expires_after(subscription: &Subscription) -> Option<Duration> {
    subscription.expiration_policy?.ttl.map(bounds::accepted)
}

fn refuse_unsupported(subscription: &Subscription) -> Result<(), Error> {
    let pushes = subscription.push_config.as_ref().is_some_and(|config| *config != PushConfig::default());
    refuse(pushes, "push subscriptions")?;
    refuse(subscription.bigquery_config.is_some(), "BigQuery subscriptions")?;
    refuse(subscription.cloud_storage_config.is_some(), "Cloud Storage subscriptions")?;
    refuse(subscription.bigtable_config.is_some(), "Bigtable subscriptions")?;
    refuse(subscription.enable_message_ordering, "message ordering")?;
    refuse(!subscription.filter.is_empty(), "filters")?;
    refuse(subscription.enable_exactly_once_delivery, "exactly-once delivery")?;
    refuse(subscription.analytics_hub_subscription_info.is_some(), "Analytics Hub")?;
    refuse(!subscription.message_transforms.is_empty(), "message transforms")?;
    refuse(!subscription.tags.is_empty(), "resource tags")
}

fn check_ack_deadline(seconds: i32) -> Result<i32, Error> {
    match seconds {
        0 => Ok(DEFAULT_ACK_DEADLINE),
        seconds if ACK_DEADLINE.contains(&seconds) => Ok(seconds),
        _ => Err(Error::invalid(format!(
            "Invalid ack_deadline_seconds {seconds}: it must be between {} and {}.",
            ACK_DEADLINE.start(),
            ACK_DEADLINE.end()
        ))),
    }
}

/// No policy means the default; a policy without a ttl means "never".
fn check_expiration(policy: Option<ExpirationPolicy>) -> Result<ExpirationPolicy, Error> {
    let policy = policy.unwrap_or_else(|| ExpirationPolicy { ttl: Some(bounds::wire(DEFAULT_EXPIRATION)) });
    if let Some(ttl) = policy.ttl {
        bounds::within("expiration_policy.ttl", ttl, &(bounds::DAY..=Duration::from_secs(365 * bounds::DAY.as_secs())))?;
    }
    Ok(policy)
}

fn check_dead_letter(policy: DeadLetterPolicy) -> Result<DeadLetterPolicy, Error> {
    names::check_topic(&policy.dead_letter_topic)?;
    let max_delivery_attempts = match policy.max_delivery_attempts {
        0 => DEFAULT_DELIVERY_ATTEMPTS,
        attempts if DELIVERY_ATTEMPTS.contains(&attempts) => attempts,
        attempts => {
            return Err(Error::invalid(format!(
                "Invalid max_delivery_attempts {attempts}: it must be between {} and {}.",
                DELIVERY_ATTEMPTS.start(),
                DELIVERY_ATTEMPTS.end()
            )));
        }
    };
    Ok(DeadLetterPolicy { max_delivery_attempts, ..policy })
}

fn check_retry(policy: RetryPolicy) -> Result<RetryPolicy, Error> {
    let minimum = policy.minimum_backoff.unwrap_or_else(|| bounds::wire(DEFAULT_MINIMUM_BACKOFF));
    let maximum = policy.maximum_backoff.unwrap_or_else(|| bounds::wire(DEFAULT_MAXIMUM_BACKOFF));
    let least = bounds::within("retry_policy.minimum_backoff", minimum, &BACKOFF)?;
    let most = bounds::within("retry_policy.maximum_backoff", maximum, &BACKOFF)?;
    if least > most {
        return Err(Error::invalid("Invalid retry_policy: minimum_backoff must not be more than maximum_backoff."));
    }
    Ok(RetryPolicy { minimum_backoff: Some(minimum), maximum_backoff: Some(maximum) })
}

#[cfg(test)]
mod tests;
