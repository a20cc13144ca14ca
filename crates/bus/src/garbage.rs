use std::time::Duration;

use google_cloud_pubsub::model::Subscription;
use shared::Timestamp;
use tokio::time::Instant;

use crate::{BusError, Names, SubscriptionName, admin::Admin, alive};

/// A subscription that one process had for itself and left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandoned {
    /// What it is called.
    pub name: SubscriptionName,
    /// When its process was last known to be alive, to the minute.
    pub last_alive: Timestamp,
}

/// This installation's subscriptions whose process has not been alive for so long.
pub(crate) async fn abandoned(admin: &Admin, names: &Names, idle: Duration, deadline: Duration) -> Result<Vec<Abandoned>, BusError> {
    let project = format!("projects/{}", names.project());
    let oldest = Timestamp::now() - idle;
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let page = admin.list_subscriptions(&project, &token, Instant::now() + deadline).await?;
        found.extend(page.subscriptions.iter().filter_map(|subscription| read(subscription, names)));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    found.retain(|abandoned| abandoned.last_alive < oldest);
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// An instance subscription of this installation. Its topic says whose it is: the prefix of one installation may begin another's.
fn read(subscription: &Subscription, names: &Names) -> Option<Abandoned> {
    let topic = [names.events(), names.control()].into_iter().find(|topic| topic.path() == subscription.topic)?;
    let instance = subscription.name.rsplit('/').next()?.strip_prefix(topic.id())?.strip_prefix('-')?;
    Some(Abandoned { name: names.instance_subscription(&topic, instance), last_alive: alive::last_alive(subscription)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(id: &str, topic: &str) -> Subscription {
        let (name, topic) = (format!("projects/shop/subscriptions/{id}"), format!("projects/shop/topics/{topic}"));
        Subscription::new().set_name(name).set_topic(topic).set_labels([alive::label()])
    }

    #[test]
    fn only_what_one_process_of_this_installation_had_for_itself_is_considered() {
        let names = Names::new("shop", "mayfly-");
        assert!(read(&subscription("mayfly-events-pod-1", "mayfly-events"), &names).is_some());
        assert!(read(&subscription("mayfly-control-pod-1", "mayfly-control"), &names).is_some());
        for (id, topic) in [
            ("mayfly-jobs-echo-worker", "mayfly-jobs-echo"),
            ("mayfly-events-archive", "other-events"),
            ("mayfly-events-control-pod-1", "mayfly-events-control"),
            ("mayfly-events-pod-1", "_deleted-topic_"),
            ("mayfly-events", "mayfly-events"),
        ] {
            assert_eq!(read(&subscription(id, topic), &names), None, "{id}");
        }
        let unlabelled = subscription("mayfly-events-archive", "mayfly-events").set_labels([("team", "sales")]);
        assert_eq!(read(&unlabelled, &names), None, "somebody's own");
    }
}
