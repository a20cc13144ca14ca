//! From a publisher into the queues.

use super::Broker;
use crate::{
    error::Error,
    message::Message,
    proto::{PublishRequest, PublishResponse, PubsubMessage},
    topic::Topic,
};
use prost::Message as _;
use std::sync::Arc;

// Google's limits, https://cloud.google.com/pubsub/quotas#resource_limits
const REQUEST_BYTES: usize = 10_000_000;
const REQUEST_MESSAGES: usize = 1000;
const ATTRIBUTES: usize = 100;
const ATTRIBUTE_KEY_BYTES: usize = 256;
const ATTRIBUTE_VALUE_BYTES: usize = 1024;
const ORDERING_KEY_BYTES: usize = 1024;

impl Broker {
    /// All messages are published, or none.
    pub(crate) fn publish(&self, request: PublishRequest) -> Result<PublishResponse, Error> {
        let topic = self.topic(&request.topic)?;
        check(&request)?;
        let messages = self.publish_to(&topic, request.messages)?;
        Ok(PublishResponse { message_ids: messages.iter().map(|message| message.id.0.to_string()).collect() })
    }

    pub(super) fn publish_to(&self, topic: &Topic, messages: Vec<PubsubMessage>) -> Result<Vec<Arc<Message>>, Error> {
        let bytes = messages.iter().map(Message::cost).sum();
        let mut memory = self.memory.reserve(bytes).or_else(|_| {
            self.sweep();
            self.memory.reserve(bytes)
        })?;
        let now = self.clock.now();
        let stamp = |message: PubsubMessage| {
            let share = memory.split(Message::cost(&message));
            Arc::new(Message::publish(self.next_id(), now, message, share))
        };
        let messages: Vec<_> = messages.into_iter().map(stamp).collect();
        topic.publish(&messages)?;
        Ok(messages)
    }
}

fn check(request: &PublishRequest) -> Result<(), Error> {
    if request.messages.is_empty() {
        return Err(Error::invalid("The value for message_count is too small. You passed 0 in the request, but the minimum value is 1."));
    }
    at_most("message_count", request.messages.len(), REQUEST_MESSAGES)?;
    at_most("request_size", request.encoded_len(), REQUEST_BYTES)?;
    request.messages.iter().try_for_each(check_message)
}

fn check_message(message: &PubsubMessage) -> Result<(), Error> {
    if message.data.is_empty() && message.attributes.is_empty() {
        return Err(Error::invalid("Some messages in the batch are empty: a message needs data or an attribute."));
    }
    at_most("attribute_count", message.attributes.len(), ATTRIBUTES)?;
    at_most("ordering_key", message.ordering_key.len(), ORDERING_KEY_BYTES)?;
    for (key, value) in &message.attributes {
        if key.is_empty() {
            return Err(Error::invalid("An attribute key must not be empty."));
        }
        at_most("attribute_key", key.len(), ATTRIBUTE_KEY_BYTES)?;
        at_most("attribute_value", value.len(), ATTRIBUTE_VALUE_BYTES)?;
    }
    Ok(())
}

fn at_most(what: &str, value: usize, most: usize) -> Result<(), Error> {
    if value <= most {
        return Ok(());
    }
    Err(Error::invalid(format!("The value for {what} is too large. You passed {value} in the request, but the maximum value is {most}.")))
}
