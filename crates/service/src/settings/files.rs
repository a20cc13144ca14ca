//! Values that come as files, as secrets do.

use std::{collections::HashMap, ffi::OsString, fs};

use clap::{Arg, Command};

use super::InvalidSettings;

/// What a variable's name ends with when it holds a path instead of the value.
const SUFFIX: &str = "_FILE";

/// Makes what the files hold the defaults of their settings, so that flags and plain variables win.
pub(super) fn read(command: Command, variable: impl Fn(&str) -> Option<OsString>) -> Result<Command, InvalidSettings> {
    let arguments = command.get_arguments().chain(command.get_subcommands().flat_map(Command::get_arguments));
    let secrets = arguments.filter(|argument| argument.is_hide_env_values_set());
    let names = secrets.filter_map(Arg::get_env).map(|name| name.to_string_lossy().into_owned());
    let mut values = HashMap::new();
    for name in names {
        let of_file = format!("{name}{SUFFIX}");
        let Some(path) = variable(&of_file).filter(|path| !path.is_empty()) else { continue };
        let contents = fs::read_to_string(&path)
            .map_err(|error| InvalidSettings(format!("{of_file}: cannot read {}: {error}", path.to_string_lossy())))?;
        // Editors and `echo` end a file with a line break, which is no part of the value.
        let value = contents.trim_end_matches(['\r', '\n']);
        if !value.is_empty() {
            values.insert(name, value.to_owned());
        }
    }
    let fill = |argument: Arg| {
        let value = argument.get_env().and_then(|name| values.get(&*name.to_string_lossy()).cloned());
        match value {
            Some(value) => argument.default_value(value).hide_default_value(true),
            None => argument,
        }
    };
    Ok(command.mut_args(&fill).mut_subcommands(|command| command.mut_args(&fill)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::path::Path;

    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Settings {
        #[arg(long, env = "MAYFLY_TEST_WORD", hide_env_values = true)]
        word: Option<String>,
        /// Not hidden, so nobody looks for a file.
        #[arg(long, env = "MAYFLY_TEST_NUMBER", default_value_t = 1)]
        number: u16,
    }

    /// What is set if the word's file is this one.
    fn parsed(path: &Path, arguments: &[&str]) -> Result<Command, String> {
        let variable =
            |name: &str| ["MAYFLY_TEST_WORD_FILE", "MAYFLY_TEST_NUMBER_FILE"].contains(&name).then(|| path.as_os_str().to_owned());
        let mut command = read(Settings::command(), variable).map_err(|invalid| invalid.to_string())?;
        command.try_get_matches_from_mut([&["test"], arguments].concat()).map_err(|error| error.to_string())?;
        Ok(command)
    }

    fn word(contents: &str, arguments: &[&str]) -> Option<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), contents).unwrap();
        let matches = parsed(file.path(), &[]).unwrap().try_get_matches_from([&["test"], arguments].concat()).unwrap();
        assert_eq!(matches.get_one::<u16>("number"), Some(&1), "what is no secret keeps its default");
        matches.get_one::<String>("word").cloned()
    }

    #[test]
    fn a_file_gives_the_value_without_the_line_break_at_its_end() {
        assert_eq!(word("secret\n", &[]).unwrap(), "secret");
        assert_eq!(word(" two\nlines\r\n", &[]).unwrap(), " two\nlines");
    }

    #[test]
    fn a_flag_wins_and_an_empty_file_is_none() {
        assert_eq!(word("secret", &["--word", "open"]).unwrap(), "open");
        assert_eq!(word("\n", &[]), None);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let complaint = parsed(Path::new("/nowhere/word"), &[]).unwrap_err();
        assert!(complaint.starts_with("MAYFLY_TEST_WORD_FILE: cannot read /nowhere/word: "), "{complaint}");
    }

    #[test]
    fn help_does_not_show_what_is_in_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "hunter2").unwrap();
        let help = parsed(file.path(), &[]).unwrap().render_long_help().to_string();
        assert!(!help.contains("hunter2"), "{help}");
    }
}
