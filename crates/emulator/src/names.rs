//! Resource names: `projects/{project}/topics/{topic}` and their like.

use crate::error::Error;

/// What the name of a deleted topic is replaced with.
pub(crate) const DELETED_TOPIC: &str = "_deleted-topic_";

/// Checks the name of an existing or a new topic.
pub(crate) fn check_topic(name: &str) -> Result<(), Error> {
    check(name, "topics")
}

/// Checks the name of an existing or a new subscription.
pub(crate) fn check_subscription(name: &str) -> Result<(), Error> {
    check(name, "subscriptions")
}

/// Checks the parent of a list.
pub(crate) fn check_project(name: &str) -> Result<(), Error> {
    match name.strip_prefix("projects/") {
        Some(project) if is_project(project) => Ok(()),
        _ => Err(Error::invalid(format!("Invalid project name: {name:?}; expected projects/{{project}}."))),
    }
}

/// The project that owns a resource.
pub(crate) fn project_of(name: &str) -> &str {
    name.split('/').nth(1).unwrap_or_default()
}

fn check(name: &str, collection: &str) -> Result<(), Error> {
    let mut parts = name.split('/');
    let valid = parts.next() == Some("projects")
        && parts.next().is_some_and(is_project)
        && parts.next() == Some(collection)
        && parts.next().is_some_and(is_id)
        && parts.next().is_none();
    if valid {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "Invalid resource name: {name:?}; expected projects/{{project}}/{collection}/{{id}}, where the id has 3 to 255 \
         letters, digits or -._~+%, starts with a letter and not with \"goog\"."
    )))
}

fn is_project(project: &str) -> bool {
    !project.is_empty() && !project.contains('/')
}

fn is_id(id: &str) -> bool {
    (3..=255).contains(&id.len())
        && id.starts_with(|first: char| first.is_ascii_alphabetic())
        && id.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._~+%".contains(letter))
        && !id.starts_with("goog")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_names_pass() {
        assert_eq!(check_topic("projects/p/topics/mayfly-jobs-echo"), Ok(()));
        assert_eq!(check_subscription("projects/example.com:p/subscriptions/a.b_c~d+e%20"), Ok(()));
        assert_eq!(check_project("projects/p"), Ok(()));
        assert_eq!(project_of("projects/p/topics/abc"), "p");
    }

    #[test]
    fn malformed_names_are_refused() {
        let long = format!("projects/p/topics/{}", "a".repeat(256));
        for name in [
            "",
            "abc",
            "projects/p",
            "projects//topics/abc",
            "projects/p/topics/",
            "projects/p/topics/ab",
            "projects/p/topics/1abc",
            "projects/p/topics/google-x",
            "projects/p/topics/a b c",
            "projects/p/topics/abc/def",
            "projects/p/subscriptions/abc",
            DELETED_TOPIC,
            &long,
        ] {
            assert!(check_topic(name).is_err(), "{name:?}");
        }
        for name in ["", "p", "projects/", "projects/p/topics"] {
            assert!(check_project(name).is_err(), "{name:?}");
        }
    }
}
