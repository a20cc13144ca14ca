//! The settings of topics and subscriptions: which are supported, their defaults and their bounds.
//!
//! Every field of the protocol that is not honoured is refused, so that no test passes against a promise nobody keeps.

mod bounds;
pub(crate) mod subscription;
pub(crate) mod topic;

use crate::error::Error;
use prost_types::FieldMask;

/// The fields that an update names, in the protocol's spelling.
fn paths(mask: Option<FieldMask>) -> Result<Vec<String>, Error> {
    let paths = mask.unwrap_or_default().paths;
    if paths.is_empty() {
        return Err(Error::invalid("The update_mask in the request must be set, and must contain a non-empty paths list."));
    }
    Ok(paths.iter().map(|path| snake_case(path)).collect())
}

/// JSON spells `ackDeadlineSeconds` what the protocol calls `ack_deadline_seconds`.
fn snake_case(path: &str) -> String {
    let mut snake = String::with_capacity(path.len() + 4);
    for letter in path.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn unknown_path(path: &str) -> Error {
    Error::invalid(format!("Invalid update_mask provided in the request: {path:?} is not a field that can be updated."))
}

/// Refuses `feature` if the request asks for it.
fn refuse(asked: bool, feature: &'static str) -> Result<(), Error> {
    if asked { Err(Error::Unsupported(feature)) } else { Ok(()) }
}
