//! Defaults, bounds and updates.

use super::*;
use crate::proto::BigQueryConfig;

fn subscription() -> Subscription {
    Subscription { name: "projects/p/subscriptions/abc".into(), topic: "projects/p/topics/abc".into(), ..Subscription::default() }
}

fn mask(path: &str) -> Option<FieldMask> {
    Some(FieldMask { paths: vec![path.into()] })
}

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

fn is_invalid<T>(checked: Result<T, Error>) -> bool {
    matches!(checked, Err(Error::InvalidArgument(_)))
}

#[test]
fn what_is_not_set_gets_googles_defaults() -> Result<(), Error> {
    let checked = check(subscription())?;
    assert_eq!(checked.ack_deadline_seconds, 10);
    assert_eq!(checked.message_retention_duration, seconds(7 * 86_400));
    assert_eq!(checked.expiration_policy, Some(ExpirationPolicy { ttl: seconds(31 * 86_400) }));
    assert_eq!(checked.state(), State::Active);
    let policy = policy(&checked, None);
    assert_eq!((policy.retry, policy.max_delivery_attempts, policy.retain_acked), (None, None, false));

    let dead_letter_policy = Some(DeadLetterPolicy { dead_letter_topic: "projects/p/topics/dead".into(), max_delivery_attempts: 0 });
    let checked = check(Subscription { retry_policy: Some(RetryPolicy::default()), dead_letter_policy, ..subscription() })?;
    let policy = super::policy(&checked, None);
    assert_eq!(policy.retry.map(|retry| (retry.minimum.as_secs(), retry.maximum.as_secs())), Some((10, 600)));
    assert_eq!(policy.max_delivery_attempts, Some(5));
    Ok(())
}

#[test]
fn the_ack_deadline_has_bounds() {
    for (ack_deadline_seconds, valid) in [(-1, false), (0, true), (9, false), (10, true), (600, true), (601, false)] {
        let checked = check(Subscription { ack_deadline_seconds, ..subscription() });
        assert_eq!(checked.is_ok(), valid, "{ack_deadline_seconds}");
    }
}

#[test]
fn retention_and_expiration_have_bounds() {
    for (length, valid) in [(599, false), (600, true), (31 * 86_400, true), (31 * 86_400 + 1, false)] {
        let checked = check(Subscription { message_retention_duration: seconds(length), ..subscription() });
        assert_eq!(checked.is_ok(), valid, "{length}");
    }
    for (ttl, valid) in [(seconds(86_399), false), (seconds(86_400), true), (seconds(-1), false), (None, true)] {
        let checked = check(Subscription { expiration_policy: Some(ExpirationPolicy { ttl }), ..subscription() });
        assert_eq!(checked.is_ok(), valid, "{ttl:?}");
    }
}

#[test]
fn an_expiration_policy_without_ttl_means_never() -> Result<(), Error> {
    let never = check(Subscription { expiration_policy: Some(ExpirationPolicy { ttl: None }), ..subscription() })?;
    assert_eq!(expires_after(&never), None);
    assert_eq!(expires_after(&check(subscription())?), Some(DEFAULT_EXPIRATION));
    Ok(())
}

#[test]
fn backoff_has_bounds_and_an_order() {
    let with = |minimum, maximum| {
        let retry_policy = Some(RetryPolicy { minimum_backoff: minimum, maximum_backoff: maximum });
        check(Subscription { retry_policy, ..subscription() })
    };
    assert!(with(seconds(0), seconds(600)).is_ok());
    assert!(with(seconds(5), seconds(5)).is_ok());
    assert!(is_invalid(with(seconds(601), None)));
    assert!(is_invalid(with(seconds(-1), None)));
    assert!(is_invalid(with(seconds(20), seconds(10))));
    assert!(is_invalid(with(None, seconds(5))));
}

#[test]
fn dead_letter_attempts_have_bounds() {
    let with = |topic: &str, max_delivery_attempts| {
        let dead_letter_policy = Some(DeadLetterPolicy { dead_letter_topic: topic.into(), max_delivery_attempts });
        check(Subscription { dead_letter_policy, ..subscription() })
    };
    for (attempts, valid) in [(-1, false), (4, false), (5, true), (100, true), (101, false)] {
        assert_eq!(with("projects/p/topics/dead", attempts).is_ok(), valid, "{attempts}");
    }
    assert!(is_invalid(with("nonsense", 5)));
}

#[test]
fn a_topic_that_keeps_messages_longer_prolongs_the_retention() -> Result<(), Error> {
    let checked = check(Subscription { message_retention_duration: seconds(600), ..subscription() })?;
    assert_eq!(policy(&checked, None).retention, Duration::from_secs(600));
    assert_eq!(policy(&checked, Some(Duration::from_secs(900))).retention, Duration::from_secs(900));
    assert_eq!(policy(&checked, Some(Duration::from_secs(300))).retention, Duration::from_secs(600));
    Ok(())
}

#[test]
fn what_is_not_supported_is_refused() {
    let push_config = Some(PushConfig { push_endpoint: "https://example.com".into(), ..PushConfig::default() });
    for unsupported in [
        Subscription { push_config, ..subscription() },
        Subscription { bigquery_config: Some(BigQueryConfig::default()), ..subscription() },
        Subscription { enable_message_ordering: true, ..subscription() },
        Subscription { enable_exactly_once_delivery: true, ..subscription() },
        Subscription { filter: "attributes:kind".into(), ..subscription() },
        Subscription { tags: [("a".into(), "b".into())].into(), ..subscription() },
    ] {
        assert!(matches!(check(unsupported.clone()), Err(Error::Unsupported(_))), "{unsupported:?}");
    }
    assert!(check(Subscription { push_config: Some(PushConfig::default()), ..subscription() }).is_ok());
}

#[test]
fn an_update_touches_only_what_its_mask_names() -> Result<(), Error> {
    let current = check(subscription())?;
    let everything = Subscription {
        ack_deadline_seconds: 60,
        retain_acked_messages: true,
        message_retention_duration: seconds(600),
        labels: [("a".into(), "b".into())].into(),
        expiration_policy: Some(ExpirationPolicy { ttl: seconds(86_400) }),
        dead_letter_policy: Some(DeadLetterPolicy { dead_letter_topic: "projects/p/topics/dead".into(), max_delivery_attempts: 7 }),
        retry_policy: Some(RetryPolicy { minimum_backoff: seconds(1), maximum_backoff: seconds(2) }),
        ..subscription()
    };
    let updated = update(&current, everything.clone(), mask("ackDeadlineSeconds"))?;
    assert_eq!(updated, Subscription { ack_deadline_seconds: 60, ..current.clone() });

    let paths = [
        "ack_deadline_seconds",
        "retain_acked_messages",
        "message_retention_duration",
        "labels",
        "expiration_policy",
        "dead_letter_policy",
        "retry_policy",
        "push_config",
    ];
    let all = Some(FieldMask { paths: paths.map(String::from).into() });
    assert_eq!(update(&current, everything.clone(), all)?, check(everything)?);
    Ok(())
}

#[test]
fn an_update_is_checked_like_a_creation() -> Result<(), Error> {
    let current = check(subscription())?;
    assert!(is_invalid(update(&current, Subscription { ack_deadline_seconds: 5, ..subscription() }, mask("ack_deadline_seconds"))));
    let exactly_once = Subscription { enable_exactly_once_delivery: true, ..subscription() };
    assert!(matches!(update(&current, exactly_once, mask("enable_exactly_once_delivery")), Err(Error::Unsupported(_))));
    for fixed in ["name", "topic", "filter", "enable_message_ordering", "detached", "nonsense"] {
        assert!(is_invalid(update(&current, subscription(), mask(fixed))), "{fixed}");
    }
    assert!(is_invalid(update(&current, subscription(), None)));
    Ok(())
}
