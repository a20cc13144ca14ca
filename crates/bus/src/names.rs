use std::fmt;

use shared::Kind;

/// A topic's full name, `projects/<project>/topics/<id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(String);

/// A subscription's full name, `projects/<project>/subscriptions/<id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionName {
    path: String,
    /// The id without its instance, so that a metric's label does not grow with every restart.
    label: String,
}

/// The names of everything that one installation has on Pub/Sub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    project: String,
    prefix: String,
}

impl Names {
    /// Names in `project`, all starting with `prefix`.
    #[must_use]
    pub fn new(project: &str, prefix: &str) -> Self {
        Self { project: project.to_owned(), prefix: prefix.to_owned() }
    }

    /// The project that owns it all.
    #[must_use]
    pub fn project(&self) -> &str {
        &self.project
    }

    /// Where jobs of one kind are submitted.
    #[must_use]
    pub fn jobs(&self, kind: &Kind) -> TopicName {
        self.topic(&format!("jobs-{kind}"))
    }

    /// Durable events, and perishable ones when Redis is out.
    #[must_use]
    pub fn events(&self) -> TopicName {
        self.topic("events")
    }

    /// Cancellations.
    #[must_use]
    pub fn control(&self) -> TopicName {
        self.topic("control")
    }

    /// Jobs that nobody could process.
    #[must_use]
    pub fn dead_letter(&self) -> TopicName {
        self.topic("dead-letter")
    }

    /// The subscription that all workers of one kind share.
    #[must_use]
    pub fn job_subscription(&self, kind: &Kind) -> SubscriptionName {
        self.subscription(&format!("jobs-{kind}-worker"))
    }

    /// The subscription that the dead-letter workers share.
    #[must_use]
    pub fn dead_letter_subscription(&self) -> SubscriptionName {
        self.subscription("dead-letter-worker")
    }

    /// The subscription that keeps dead letters for whoever wants to look at them or send them again.
    #[must_use]
    pub fn dead_letter_archive(&self) -> SubscriptionName {
        self.subscription("dead-letter-archive")
    }

    /// The subscription that one process has on `topic` for itself.
    #[must_use]
    pub fn instance_subscription(&self, topic: &TopicName, instance: &str) -> SubscriptionName {
        let topic = topic.id();
        SubscriptionName { path: self.path("subscriptions", &format!("{topic}-{instance}")), label: topic.to_owned() }
    }

    /// The topic `<prefix><name>`.
    #[must_use]
    pub fn topic(&self, name: &str) -> TopicName {
        TopicName(self.path("topics", &format!("{}{name}", self.prefix)))
    }

    /// The subscription `<prefix><name>`.
    #[must_use]
    pub fn subscription(&self, name: &str) -> SubscriptionName {
        let id = format!("{}{name}", self.prefix);
        SubscriptionName { path: self.path("subscriptions", &id), label: id }
    }

    fn path(&self, collection: &str, id: &str) -> String {
        format!("projects/{}/{collection}/{id}", self.project)
    }
}

impl TopicName {
    /// The full name, as the API wants it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0
    }

    /// The last part of the name, as people say it.
    #[must_use]
    pub fn id(&self) -> &str {
        last_part(&self.0)
    }
}

impl SubscriptionName {
    /// The full name, as the API wants it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The last part of the name, as people say it.
    #[must_use]
    pub fn id(&self) -> &str {
        last_part(&self.path)
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Display for SubscriptionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_follow_one_pattern() {
        let names = Names::new("shop", "mayfly-");
        let echo: Kind = "echo".parse().unwrap();
        assert_eq!(names.jobs(&echo).path(), "projects/shop/topics/mayfly-jobs-echo");
        assert_eq!(names.job_subscription(&echo).path(), "projects/shop/subscriptions/mayfly-jobs-echo-worker");
        assert_eq!(names.dead_letter().id(), "mayfly-dead-letter");
        assert_eq!(names.control().to_string(), "mayfly-control");
    }

    #[test]
    fn a_metric_does_not_see_the_instance() {
        let names = Names::new("shop", "mayfly-");
        let mine = names.instance_subscription(&names.events(), "gateway-7f-01234567");
        assert_eq!(mine.path(), "projects/shop/subscriptions/mayfly-events-gateway-7f-01234567");
        assert_eq!(mine.label(), "mayfly-events");
    }
}
