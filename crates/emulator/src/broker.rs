//! All topics and subscriptions, and every call of the protocol on them but the streaming one.

mod deliver;
mod forward;
mod page;
mod publish;
mod registry;
mod subscriptions;
mod timekeeper;
mod topics;

pub(crate) use self::deliver::{Seat, modified_deadline, parse};

use self::registry::Registry;
use crate::{clock::Clock, error::Error, memory::Memory, message::MessageId, subscription::Subscription, topic::Topic};
use std::sync::{
    Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU64, Ordering},
};
use tokio_util::sync::CancellationToken;

/// See the module.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) clock: Clock,
    /// Cancelled when the server stops: streams and waiting calls end.
    pub(crate) shutdown: CancellationToken,
    registry: RwLock<Registry>,
    memory: Memory,
    next_id: AtomicU64,
}

impl Broker {
    pub(crate) fn new(memory_bytes: usize, clock: Clock) -> Self {
        Self {
            shutdown: CancellationToken::new(),
            registry: RwLock::default(),
            memory: Memory::new(memory_bytes),
            // Ids do not repeat after a restart, as those who deduplicate by them expect: one microsecond, one message.
            next_id: AtomicU64::new(clock.now().as_micros()),
            clock,
        }
    }

    /// # Errors
    /// [`Error::InvalidArgument`], [`Error::NotFound`]
    pub(crate) fn topic(&self, name: &str) -> Result<Arc<Topic>, Error> {
        self.read().topic(name)
    }

    /// A subscription that can be used.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`], [`Error::NotFound`], [`Error::FailedPrecondition`] if it is detached.
    pub(crate) fn active_subscription(&self, name: &str) -> Result<Arc<Subscription>, Error> {
        let subscription = self.read().subscription(name)?;
        subscription.check_active()?;
        Ok(subscription)
    }

    fn next_id(&self) -> MessageId {
        MessageId(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    fn read(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Registry> {
        self.registry.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
