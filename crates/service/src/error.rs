use std::{error::Error, fmt};

use crate::{InvalidSettings, exit};

/// Why a process could not start, or could not go on: one line for whoever started it.
#[derive(Debug)]
pub struct StartError {
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    is_of_settings: bool,
}

impl StartError {
    /// Says what was tried, naming the port, file or address, and why it failed.
    pub fn new(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), source: Some(source.into()), is_of_settings: false }
    }

    /// Says all there is to say.
    pub fn plain(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None, is_of_settings: false }
    }

    /// Whoever started the process has to mend a setting: it ends with [`exit::USAGE`](crate::exit::USAGE).
    #[must_use]
    pub fn of_settings(self) -> Self {
        Self { is_of_settings: true, ..self }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        if self.is_of_settings { exit::USAGE } else { exit::FAILURE }
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
        let start = match source.filter(|source| !what.contains(source.as_str())) {
            Some(source) => Self::plain(format!("{what}: {source}")),
            None => Self::plain(what),
        };
        Self { is_of_settings: is_of_settings(&error), ..start }
    }
}

/// Whether a setting is at the bottom of it.
fn is_of_settings(error: &(dyn Error + 'static)) -> bool {
    error.is::<InvalidSettings>() || error.source().is_some_and(is_of_settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_for_whoever_typed_it_to_mend() {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Wrapped(#[from] InvalidSettings);

        let invalid = || InvalidSettings::new("PORT must be a number");
        assert_eq!(StartError::from(invalid()).exit_code(), 64);
        assert_eq!(StartError::from(Wrapped(invalid())).exit_code(), 64);
        assert_eq!(StartError::from(Wrapped(invalid())).to_string(), "PORT must be a number");
        assert_eq!(StartError::from(std::io::Error::other("address in use")).exit_code(), 1);
    }

    #[test]
    fn it_is_one_line_that_names_the_cause() {
        let error = StartError::new("cannot listen on 127.0.0.1:9000", std::io::Error::other("address in use"));
        assert_eq!(error.to_string(), "cannot listen on 127.0.0.1:9000: address in use");
    }
}
