//! The program as a shell runs it.

use std::process::{Command, Output};

const TITLE: &str = {{ title }};

fn app(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_app")).args(arguments).output().expect("the program")
}

#[test]
fn it_says_what_it_is() {
    let output = app(&["about"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with(TITLE));
}

#[test]
fn a_wrong_command_line_is_told_on_standard_error() {
    let output = app(&["dance"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty() && String::from_utf8_lossy(&output.stderr).contains("dance"));
}
