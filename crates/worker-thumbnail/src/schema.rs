use schemars::{Schema, SchemaGenerator, json_schema};

/// Binary has no type in JSON: over socket.io it is an attachment, on Pub/Sub a MessagePack `bin`.
pub(crate) fn binary(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "binary" })
}
