use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use worker::{Job, JobError, JobHandle};

/// What a client submits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct __TYPE__ {
    /// Anything but nothing.
    pub text: String,
}

/// What it gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct __TYPE__Result {
    /// How many characters the text has.
    pub characters: usize,
}

impl Job for __TYPE__ {
    const KIND: &'static str = "__NAME__";
    type Context = ();
    type Output = __TYPE__Result;

    async fn run(self, job: &JobHandle, _: &()) -> Result<__TYPE__Result, JobError> {
        if self.text.is_empty() {
            return Err(JobError::fail("no_text", "there is no text to count"));
        }
        job.progress(0.5);
        Ok(__TYPE__Result { characters: self.text.chars().count() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_counts_characters() {
        let run = worker::testing::run(__TYPE__ { text: "élan".to_owned() }, &()).await;
        assert_eq!(run.progress(), [0.5]);
        assert_eq!(run.result, Ok(__TYPE__Result { characters: 4 }));
    }

    #[tokio::test]
    async fn nothing_cannot_be_counted() {
        let run = worker::testing::run(__TYPE__ { text: String::new() }, &()).await;
        assert_eq!(run.result.map_err(|error| error.wire().code.to_string()), Err("no_text".to_owned()));
    }
}
