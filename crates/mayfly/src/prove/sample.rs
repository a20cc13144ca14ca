use serde_json::{Value, json};
use shared::JobId;

/// The kind that gives back what it was given.
const ECHO: &str = "echo";

/// The jobs that prove something.
pub(super) struct Sample {
    pub(super) kind: String,
    /// Of every job, unless it is an echo.
    pub(super) payload: Value,
}

impl Sample {
    /// A submit of a job that takes about so long, if it is an echo.
    pub(super) fn submit(&self, id: JobId, sleep_ms: u64) -> Value {
        let payload = if self.is_echo() { json!({ "text": id, "echo": { "sleepMs": sleep_ms } }) } else { self.payload.clone() };
        json!({ "id": id, "kind": self.kind, "payload": payload })
    }

    /// Whether this end is the one that the job should have.
    pub(super) fn is_right(&self, id: JobId, end: &Value) -> bool {
        end["type"] == "succeeded" && (!self.is_echo() || end["data"]["text"] == json!(id))
    }

    fn is_echo(&self) -> bool {
        self.kind == ECHO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_has_to_come_back_and_others_to_succeed() {
        let (echo, other, id) = (
            Sample { kind: ECHO.to_owned(), payload: Value::Null },
            Sample { kind: "greet".to_owned(), payload: json!({ "name": "you" }) },
            JobId::new(),
        );
        let end = |text: Value| json!({ "type": "succeeded", "data": { "text": text } });
        assert!(echo.is_right(id, &end(json!(id))) && !echo.is_right(id, &end(json!("something else"))));
        assert!(other.is_right(id, &end(json!("anything"))) && !other.is_right(id, &json!({ "type": "failed" })));
        assert_eq!(other.submit(id, 1)["payload"], json!({ "name": "you" }));
    }
}
