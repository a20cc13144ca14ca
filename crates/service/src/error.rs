use std::{error::Error, fmt};

/// Why a process could not start, or could not go on: one line for whoever started it.
#[derive(Debug)]
pub struct StartError {
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StartError {
    /// Says what was tried, naming the port, file or address, and why it failed.
    pub fn new(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), source: Some(source.into()) }
    }

    /// Says all there is to say.
    pub fn plain(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        let mut cause = self.source.as_deref().map(|error| error as &dyn Error);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Not `Error` itself, so that `?` can turn every error into one.
impl<E: Error + Send + Sync + 'static> From<E> for StartError {
    fn from(error: E) -> Self {
        let source = error.source().map(ToString::to_string);
        let what = error.to_string();
        match source.filter(|source| !what.contains(source.as_str())) {
            Some(source) => Self::plain(format!("{what}: {source}")),
            None => Self::plain(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_line_that_names_the_cause() {
        let error = StartError::new("cannot listen on 127.0.0.1:9000", std::io::Error::other("address in use"));
        assert_eq!(error.to_string(), "cannot listen on 127.0.0.1:9000: address in use");
    }
}
