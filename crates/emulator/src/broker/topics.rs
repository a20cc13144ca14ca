//! The administrative calls of `Publisher`.

use super::{Broker, page::page};
use crate::{
    config,
    error::Error,
    names,
    proto::{
        DeleteTopicRequest, DetachSubscriptionRequest, GetTopicRequest, ListTopicSubscriptionsRequest, ListTopicSubscriptionsResponse,
        ListTopicsRequest, ListTopicsResponse, Topic, UpdateTopicRequest,
    },
    topic,
};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

impl Broker {
    pub(crate) fn create_topic(&self, request: Topic) -> Result<Topic, Error> {
        let config = config::topic::check(request)?;
        match self.write().topics.entry(config.name.clone()) {
            Entry::Occupied(_) => Err(Error::AlreadyExists(config.name)),
            Entry::Vacant(free) => {
                free.insert(Arc::new(topic::Topic::new(config.clone(), self.clock.clone())));
                Ok(config)
            }
        }
    }

    pub(crate) fn get_topic(&self, request: &GetTopicRequest) -> Result<Topic, Error> {
        Ok(self.topic(&request.topic)?.config())
    }

    pub(crate) fn update_topic(&self, request: UpdateTopicRequest) -> Result<Topic, Error> {
        let update = request.topic.unwrap_or_default();
        let topic = self.topic(&update.name)?;
        topic.update(|current| config::topic::update(current, update, request.update_mask))
    }

    pub(crate) fn list_topics(&self, request: &ListTopicsRequest) -> Result<ListTopicsResponse, Error> {
        names::check_project(&request.project)?;
        let prefix = format!("{}/topics/", request.project);
        let page = page(&self.read().topics, &prefix, request.page_size, &request.page_token, |topic| topic.config())?;
        Ok(ListTopicsResponse { topics: page.items, next_page_token: page.next_page_token })
    }

    pub(crate) fn list_topic_subscriptions(
        &self,
        request: &ListTopicSubscriptionsRequest,
    ) -> Result<ListTopicSubscriptionsResponse, Error> {
        let subscriptions = self.topic(&request.topic)?.subscriptions();
        let sorted: BTreeMap<_, _> = subscriptions.into_iter().map(|found| (found.name.clone(), found)).collect();
        let page = page(&sorted, "projects/", request.page_size, &request.page_token, |found| found.name.clone())?;
        Ok(ListTopicSubscriptionsResponse { subscriptions: page.items, next_page_token: page.next_page_token })
    }

    pub(crate) fn delete_topic(&self, request: &DeleteTopicRequest) -> Result<(), Error> {
        let mut registry = self.write();
        registry.topic(&request.topic)?.delete();
        registry.topics.remove(&request.topic);
        Ok(())
    }

    pub(crate) fn detach_subscription(&self, request: &DetachSubscriptionRequest) -> Result<(), Error> {
        let registry = self.write();
        let subscription = registry.subscription(&request.subscription)?;
        if let Some(topic) = registry.topics.get(&subscription.config().topic) {
            topic.unsubscribe(&subscription.name);
        }
        subscription.detach();
        Ok(())
    }
}
