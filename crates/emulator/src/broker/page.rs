//! Long lists, in pieces.

use crate::error::Error;
use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Included, Unbounded},
};

const DEFAULT_SIZE: usize = 100;
const LARGEST: usize = 1000;

/// One piece of a list, and the token for the next; empty after the last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next_page_token: String,
}

/// The entries whose key starts with `prefix`, after the one that `token` names.
pub(super) fn page<T, U>(
    all: &BTreeMap<String, T>,
    prefix: &str,
    size: i32,
    token: &str,
    show: impl Fn(&T) -> U,
) -> Result<Page<U>, Error> {
    let size = match usize::try_from(size) {
        Ok(0) => DEFAULT_SIZE,
        Ok(size) => size.min(LARGEST),
        Err(_) => return Err(Error::invalid(format!("Invalid page_size {size}: it must not be negative."))),
    };
    let from = match token {
        "" => Included(prefix),
        token if token.starts_with(prefix) => Excluded(token),
        _ => return Err(Error::invalid("Invalid page_token: it must come from an earlier page of the same list.")),
    };
    let mut rest = all.range::<str, _>((from, Unbounded)).take_while(|(name, _)| name.starts_with(prefix)).peekable();
    let mut items = Vec::new();
    let mut last = "";
    while items.len() < size
        && let Some((name, item)) = rest.next()
    {
        items.push(show(item));
        last = name;
    }
    let next_page_token = rest.peek().map_or_else(String::new, |_| last.to_owned());
    Ok(Page { items, next_page_token })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> BTreeMap<String, u32> {
        [("a/1", 1), ("b/1", 2), ("b/2", 3), ("b/3", 4), ("c/1", 5)].map(|(name, item)| (name.into(), item)).into()
    }

    #[test]
    fn pages_follow_each_other_to_the_end() -> Result<(), Error> {
        let first = page(&list(), "b/", 2, "", |item| *item)?;
        assert_eq!(first.items, [2, 3]);
        let second = page(&list(), "b/", 2, &first.next_page_token, |item| *item)?;
        assert_eq!(second, Page { items: vec![4], next_page_token: String::new() });
        Ok(())
    }

    #[test]
    fn a_page_that_ends_with_the_list_is_the_last() -> Result<(), Error> {
        assert_eq!(page(&list(), "b/", 3, "", |item| *item)?.next_page_token, "");
        assert_eq!(page(&list(), "b/", 0, "", |item| *item)?.items.len(), 3);
        Ok(())
    }

    #[test]
    fn bad_sizes_and_foreign_tokens_are_refused() {
        assert!(page(&list(), "b/", -1, "", |item| *item).is_err());
        assert!(page(&list(), "b/", 1, "a/1", |item| *item).is_err());
    }
}
