//! What exists, by name.

use crate::{error::Error, names, subscription::Subscription, topic::Topic};
use std::{collections::BTreeMap, sync::Arc};

/// Sorted, so that lists come in pages.
#[derive(Debug, Default)]
pub(super) struct Registry {
    pub(super) topics: BTreeMap<String, Arc<Topic>>,
    pub(super) subscriptions: BTreeMap<String, Arc<Subscription>>,
}

impl Registry {
    pub(super) fn topic(&self, name: &str) -> Result<Arc<Topic>, Error> {
        find(&self.topics, name, names::check_topic)
    }

    pub(super) fn subscription(&self, name: &str) -> Result<Arc<Subscription>, Error> {
        find(&self.subscriptions, name, names::check_subscription)
    }
}

fn find<T>(all: &BTreeMap<String, Arc<T>>, name: &str, check: fn(&str) -> Result<(), Error>) -> Result<Arc<T>, Error> {
    match all.get(name) {
        Some(found) => Ok(Arc::clone(found)),
        None => {
            check(name)?;
            Err(Error::NotFound(name.into()))
        }
    }
}
