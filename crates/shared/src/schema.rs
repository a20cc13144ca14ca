//! JSON Schemas of what clients and services say, for whoever writes one in another language.

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use crate::{Audience, ErrorCode, EventType, WireError, client};

/// Every schema under its type's name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NamedSchema {
    /// The type.
    pub name: &'static str,
    /// Draft 2020-12.
    pub schema: Schema,
}

/// All schemas, in the order of a conversation.
#[must_use]
pub fn all() -> Vec<NamedSchema> {
    fn named<T: JsonSchema>(name: &'static str) -> NamedSchema {
        NamedSchema { name, schema: schema_for!(T) }
    }
    vec![
        named::<client::Auth>("Auth"),
        named::<client::Welcome>("Welcome"),
        named::<client::SubmitOptions>("SubmitOptions"),
        named::<client::ResumeJob>("ResumeJob"),
        named::<client::ResumedJob>("ResumedJob"),
        named::<client::JobView>("JobView"),
        named::<client::Status>("Status"),
        named::<EventType>("EventType"),
        named::<Audience>("Audience"),
        named::<WireError>("WireError"),
        named::<ErrorCode>("ErrorCode"),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    #[test]
    fn every_schema_has_a_type_and_none_is_named_twice() {
        let all = super::all();
        let names: std::collections::HashSet<_> = all.iter().map(|named| named.name).collect();
        assert_eq!(names.len(), all.len());
        for named in all {
            let schema = serde_json::to_value(&named.schema).unwrap();
            assert!(schema.get("type").or_else(|| schema.get("enum")).or_else(|| schema.get("oneOf")).is_some(), "{}", named.name);
        }
    }
}
