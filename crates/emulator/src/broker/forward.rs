//! To the dead letter topic.

use super::Broker;
use crate::{
    error::Error,
    names,
    proto::{self, PubsubMessage},
    queue::DeadLetter,
    subscription::Subscription,
};

impl Broker {
    /// Publishes what `subscription` has given up on. What cannot be published stays there and is delivered again.
    pub(super) fn forward(&self, subscription: &Subscription, letters: Vec<DeadLetter>) {
        if letters.is_empty() {
            return;
        }
        let config = subscription.config();
        for letter in letters {
            let outcome = self.forward_one(&config, &letter);
            if let Err(error) = &outcome {
                tracing::warn!(
                    subscription = config.name,
                    message = letter.message.id.0,
                    %error,
                    "a dead letter could not be forwarded"
                );
            }
            subscription.forwarded(&letter, outcome.is_ok());
        }
    }

    fn forward_one(&self, source: &proto::Subscription, letter: &DeadLetter) -> Result<(), Error> {
        let policy = source.dead_letter_policy.as_ref();
        // The policy may have been taken away a moment ago.
        let policy = policy.ok_or_else(|| Error::FailedPrecondition("There is no dead letter policy.".into()))?;
        let topic = self.topic(&policy.dead_letter_topic)?;
        self.publish_to(&topic, vec![address(source, letter)])?;
        Ok(())
    }
}

/// The message with attributes that say where it comes from.
fn address(source: &proto::Subscription, letter: &DeadLetter) -> PubsubMessage {
    let mut message = letter.message.decode();
    let id = source.name.rsplit('/').next().unwrap_or_default();
    message.attributes.extend(
        [
            ("CloudPubSubDeadLetterSourceDeliveryCount", letter.attempts.to_string()),
            ("CloudPubSubDeadLetterSourceSubscription", id.to_owned()),
            ("CloudPubSubDeadLetterSourceSubscriptionProject", names::project_of(&source.name).to_owned()),
            ("CloudPubSubDeadLetterSourceTopicPublishTime", prost_types::Timestamp::from(letter.message.published).to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    message
}
