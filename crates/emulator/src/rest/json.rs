//! The protocol's messages as JSON, see <https://protobuf.dev/programming-guides/json/>.
//!
//! Unknown fields are refused, as Google does. Fields that the emulator does not support are read only to be refused
//! with a reason, so their content does not matter.

mod message;
mod scalar;
mod subscription;
mod topic;

pub(super) use self::{
    message::{Message, ReceivedMessage},
    scalar::{FieldMask, Timestamp},
    subscription::{PushConfig, Subscription},
    topic::Topic,
};

use serde_json::Value;

/// Something that is not supported, given or not.
type Unsupported = Option<Value>;

/// A default value in place of whatever was given.
fn given<T: Default>(value: &Unsupported) -> Option<T> {
    value.as_ref().map(|_| T::default())
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
