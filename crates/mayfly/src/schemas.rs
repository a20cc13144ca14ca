use std::io::{ErrorKind, Write, stdout};

use service::StartError;

/// Prints every schema, one JSON object in all. A reader that has seen enough, like `head`, is no failure.
pub(crate) fn print() -> Result<(), StartError> {
    let schemas: serde_json::Map<_, _> =
        shared::schema::all().into_iter().map(|named| (named.name.to_owned(), named.schema.to_value())).collect();
    let text = serde_json::to_string_pretty(&schemas)?;
    match writeln!(stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(StartError::new("cannot print", error)),
        _ => Ok(()),
    }
}
