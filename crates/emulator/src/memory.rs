//! The bound on the memory that messages may take.

use crate::error::Error;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Bytes that all retained messages share.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    limit: usize,
    used: Arc<AtomicUsize>,
}

impl Memory {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: Arc::default() }
    }

    /// Takes `bytes` until the reservation is dropped.
    ///
    /// # Errors
    /// [`Error::MemoryFull`] when they do not fit.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<Reservation, Error> {
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| used.checked_add(bytes).filter(|sum| *sum <= self.limit))
            .map(|_| Reservation { bytes, used: Arc::clone(&self.used) })
            .map_err(|_| Error::MemoryFull { limit: self.limit })
    }
}

/// A share of the [`Memory`].
#[derive(Debug)]
pub(crate) struct Reservation {
    bytes: usize,
    used: Arc<AtomicUsize>,
}

impl Reservation {
    /// Parts with `bytes` of it, or with all it has.
    pub(crate) fn split(&mut self, bytes: usize) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self { bytes, used: Arc::clone(&self.used) }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_can_be_reserved_again() {
        let memory = Memory::new(10);
        let first = memory.reserve(6);
        assert!(first.is_ok());
        assert_eq!(memory.reserve(5).map(drop), Err(Error::MemoryFull { limit: 10 }));
        assert!(memory.reserve(4).is_ok());
        drop(first);
        assert!(memory.reserve(10).is_ok());
    }

    #[test]
    fn parts_are_given_back_one_by_one() {
        let memory = Memory::new(10);
        let mut whole = memory.reserve(10).expect("it fits");
        let part = whole.split(4);
        assert!(memory.reserve(1).is_err());
        drop(part);
        assert!(memory.reserve(4).is_ok());
        drop(whole);
        assert!(memory.reserve(10).is_ok());
    }
}
