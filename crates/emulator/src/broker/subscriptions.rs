//! The administrative calls of `Subscriber`.

use super::{Broker, page::page};
use crate::{
    clock::Time,
    config,
    error::Error,
    names,
    proto::{
        DeleteSubscriptionRequest, GetSubscriptionRequest, ListSubscriptionsRequest, ListSubscriptionsResponse, ModifyPushConfigRequest,
        SeekRequest, Subscription, UpdateSubscriptionRequest, seek_request::Target,
    },
};
use prost_types::FieldMask;
use std::sync::Arc;

impl Broker {
    pub(crate) fn create_subscription(self: &Arc<Self>, request: Subscription) -> Result<Subscription, Error> {
        let config = config::subscription::check(Subscription { detached: false, ..request })?;
        let mut registry = self.write();
        if registry.subscriptions.contains_key(&config.name) {
            return Err(Error::AlreadyExists(config.name));
        }
        if let Some(policy) = &config.dead_letter_policy {
            registry.topic(&policy.dead_letter_topic)?;
        }
        let subscription = registry.topic(&config.topic)?.subscribe(config)?;
        registry.subscriptions.insert(subscription.name.clone(), Arc::clone(&subscription));
        self.keep_time(&subscription);
        Ok(subscription.config())
    }

    pub(crate) fn get_subscription(&self, request: &GetSubscriptionRequest) -> Result<Subscription, Error> {
        Ok(self.read().subscription(&request.subscription)?.config())
    }

    pub(crate) fn update_subscription(&self, request: UpdateSubscriptionRequest) -> Result<Subscription, Error> {
        let update = request.subscription.unwrap_or_default();
        // Two updates at a time would lose one of them.
        let registry = self.write();
        let subscription = registry.subscription(&update.name)?;
        let config = config::subscription::update(&subscription.config(), update, request.update_mask)?;
        if let Some(policy) = &config.dead_letter_policy {
            registry.topic(&policy.dead_letter_topic)?;
        }
        subscription.set_config(config);
        Ok(subscription.config())
    }

    /// Every subscription is a pull subscription, and may only be told to stay one.
    pub(crate) fn modify_push_config(&self, request: ModifyPushConfigRequest) -> Result<(), Error> {
        let update = Subscription { name: request.subscription, push_config: request.push_config, ..Subscription::default() };
        let update_mask = Some(FieldMask { paths: vec!["push_config".into()] });
        self.update_subscription(UpdateSubscriptionRequest { subscription: Some(update), update_mask }).map(drop)
    }

    pub(crate) fn list_subscriptions(&self, request: &ListSubscriptionsRequest) -> Result<ListSubscriptionsResponse, Error> {
        names::check_project(&request.project)?;
        let prefix = format!("{}/subscriptions/", request.project);
        let registry = self.read();
        let page = page(&registry.subscriptions, &prefix, request.page_size, &request.page_token, |found| found.config())?;
        Ok(ListSubscriptionsResponse { subscriptions: page.items, next_page_token: page.next_page_token })
    }

    pub(crate) fn delete_subscription(&self, request: &DeleteSubscriptionRequest) -> Result<(), Error> {
        let mut registry = self.write();
        let subscription = registry.subscription(&request.subscription)?;
        registry.subscriptions.remove(&subscription.name);
        if let Some(topic) = registry.topics.get(&subscription.config().topic) {
            topic.unsubscribe(&subscription.name);
        }
        subscription.end(Error::NotFound(subscription.name.clone()));
        Ok(())
    }

    pub(crate) fn seek(&self, request: SeekRequest) -> Result<(), Error> {
        let subscription = self.active_subscription(&request.subscription)?;
        let moment = match request.target {
            Some(Target::Time(time)) => Time::from(time),
            Some(Target::Snapshot(_)) => return Err(Error::Unsupported("snapshots")),
            None => return Err(Error::invalid("A seek needs a time.")),
        };
        let topic = self.read().topics.get(&subscription.config().topic).cloned();
        match topic {
            Some(topic) => topic.seek(&subscription, moment),
            None => subscription.seek(moment, []),
        }
        Ok(())
    }
}
