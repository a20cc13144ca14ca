use std::collections::{HashSet, VecDeque};

/// How many ids are remembered: minutes of redeliveries at hundreds of notifications a second.
const REMEMBERED: usize = 16_384;

/// Tells a notification that comes a second time, as Pub/Sub's messages may.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    /// Whether this is the first time, as far as is remembered.
    pub(super) fn is_new(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_time_is_told_and_memory_is_bounded() {
        let mut seen = Seen::default();
        assert!(seen.is_new("first"));
        assert!(!seen.is_new("first"));
        for number in 0..REMEMBERED {
            seen.is_new(&number.to_string());
        }
        assert_eq!((seen.ids.len(), seen.order.len()), (REMEMBERED, REMEMBERED));
        assert!(seen.is_new("first"));
    }
}
