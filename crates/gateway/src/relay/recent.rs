use std::{
    borrow::Borrow,
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// A map that forgets whatever came in first when there is too much.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    most: usize,
    values: HashMap<K, V>,
    order: VecDeque<K>,
    has_forgotten: bool,
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    /// Remembers `most` things.
    pub(super) fn new(most: usize) -> Self {
        Self { most, values: HashMap::new(), order: VecDeque::new(), has_forgotten: false }
    }

    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.values.get(key)
    }

    /// Whether there was more than it could remember.
    pub(super) fn has_forgotten(&self) -> bool {
        self.has_forgotten
    }

    /// Remembers, in place of what was remembered under this key. Tells whether the key is new, as far as is remembered.
    pub(super) fn insert(&mut self, key: K, value: V) -> bool {
        if self.values.insert(key.clone(), value).is_some() {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.values.remove(&oldest);
            self.has_forgotten = true;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_time_is_told_and_memory_is_bounded() {
        let mut recent = Recent::new(3);
        assert!(recent.insert("first", 1));
        assert!(!recent.insert("first", 2));
        assert_eq!(recent.get("first"), Some(&2));
        for other in ["second", "third", "fourth"] {
            assert!(recent.insert(other, 0));
        }
        assert_eq!((recent.values.len(), recent.order.len()), (3, 3));
        assert!(recent.insert("first", 3));
    }
}
