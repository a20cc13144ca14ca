//! `mayfly-emulator`, the process.

use crate::harness::*;
use std::process::{Output, Stdio};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mayfly-emulator"));
    command.env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// A process that listens, and where.
async fn start() -> (Child, String) {
    let mut child = command().env("PUBSUB_EMULATOR_LISTEN", "127.0.0.1:0").spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = async {
        loop {
            let line = lines.next_line().await.unwrap().expect("it should say where it listens");
            if let Some((_, address)) = line.split_once("PUBSUB_EMULATOR_HOST=") {
                return address.split_whitespace().next().unwrap().to_owned();
            }
        }
    };
    let address = in_time(address).await;
    // Nobody reads any more, and it must not mind.
    (child, address)
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn it_listens_and_stops_on_sigterm() {
    let (mut child, address) = start().await;
    let response = in_time(reqwest::get(format!("http://{address}/"))).await.unwrap();
    assert_eq!(in_time(response.text()).await.unwrap(), "Ok\n");
    let pid = child.id().unwrap().to_string();
    assert!(in_time(Command::new("kill").args(["-TERM", &pid]).status()).await.unwrap().success());
    assert!(in_time(child.wait()).await.unwrap().success());
}

#[tokio::test]
async fn a_taken_port_is_one_line_and_exit_code_1() {
    let (_child, address) = start().await;
    let second = in_time(command().env("PUBSUB_EMULATOR_LISTEN", &address).output()).await.unwrap();
    assert_eq!(second.status.code(), Some(1));
    let text = stderr(&second);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(&address), "{text}");
}

#[tokio::test]
async fn a_bad_variable_is_one_line_that_names_it_and_exit_code_64() {
    for (variable, value) in [("PUBSUB_EMULATOR_LISTEN", "nowhere"), ("PUBSUB_EMULATOR_MEMORY_MB", "0")] {
        let output = in_time(command().env(variable, value).output()).await.unwrap();
        assert_eq!(output.status.code(), Some(64));
        let text = stderr(&output);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(variable) && text.contains(value), "{text}");
    }
}

#[tokio::test]
async fn help_is_not_an_error() {
    let output = in_time(command().arg("--help").output()).await.unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("PUBSUB_EMULATOR_LISTEN"));
}
