//! Which walls are found, and what is refused before anything runs.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use titan_sandbox::{Command, Error, Sandbox, Settings, Variant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::kit::{Kind, Kit, is_root};

fn stage() -> Option<PathBuf> {
    Some(env!("CARGO_BIN_EXE_titan-stage").into())
}

#[tokio::test]
async fn the_best_walls_are_taken() {
    let sandbox = Sandbox::detect(Settings { stage: stage(), ..Settings::default() }).await.expect("walls");
    assert_eq!(sandbox.variant(), Variant::Bubblewrap);
}

/// The stage lies beside the tests, where it also lies beside a daemon.
#[tokio::test]
async fn the_stage_is_found_by_itself() {
    Sandbox::detect(Settings::default()).await.expect("walls");
}

#[tokio::test]
async fn where_bubblewrap_is_refused_there_is_landlock() {
    let dir = tempfile::tempdir().expect("a directory");
    let broken = dir.path().join("bwrap");
    fs::write(&broken, "#!/bin/sh\necho 'No permissions to create a new namespace' >&2\nexit 1\n").expect("a program");
    fs::set_permissions(&broken, Permissions::from_mode(0o755)).expect("permissions");
    let settings = Settings { stage: stage(), bubblewrap: Some(broken), ..Settings::default() };
    let sandbox = Sandbox::detect(settings.clone()).await.expect("walls");
    assert_eq!(sandbox.variant(), Variant::Landlock);
    let refused =
        Sandbox::detect(Settings { variant: Some(Variant::Bubblewrap), ..settings }).await.expect_err("no walls");
    insta::assert_snapshot!(refused.to_string());
}

#[tokio::test]
async fn without_walls_nothing_runs() {
    let settings = Settings { stage: Some("/bin/false".into()), ..Settings::default() };
    let refused = Sandbox::detect(settings).await.expect_err("no walls");
    assert_eq!(refused.reasons.len(), 2, "{refused}");
    let settings = Settings {
        stage: Some("/nowhere/titan-stage".into()),
        variant: Some(Variant::Landlock),
        ..Settings::default()
    };
    Sandbox::detect(settings).await.expect_err("no stage");
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_a_reason() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let plain = || Command::new("true", kit.work());
    let mut commands = vec![
        Command::new("", kit.work()),
        Command::new("true", "/nowhere"),
        Command::new("true", "/usr/bin"),
        Command::new("true", "/"),
        Command::new("true", "/etc/ssl"),
        Command::new("true", "/tmp"),
        Command::new("true", "/bin/../etc"),
    ];
    for name in ["", "A=B"] {
        let mut command = plain();
        command.env.insert(name.to_owned(), "x".to_owned());
        commands.push(command);
    }
    for word in ["a\0b".to_owned(), "x".repeat(2_000_000)] {
        let mut command = plain();
        command.args.push(word);
        commands.push(command);
    }
    for path in ["/", "/proc/1", "/work/x", "relative", "/usr/../root", "/nowhere"] {
        let mut command = plain();
        command.read_only.push(path.into());
        commands.push(command);
    }
    let mut command = plain();
    command.limits.wall = Duration::ZERO;
    commands.push(command);
    let mut command = plain();
    command.limits.processes = 0;
    commands.push(command);
    let mut reasons = Vec::new();
    for command in commands {
        let error = kit.run(command).await.expect_err("it cannot be run");
        assert!(matches!(error, Error::BadCommand(_)), "{error:?}");
        reasons.push(error.to_string());
    }
    insta::assert_debug_snapshot!(reasons);
}

/// Root owns the system, and Landlock does not keep an owner from its own.
#[tokio::test]
async fn landlock_does_not_run_as_root() {
    if !is_root() {
        return;
    }
    let kit = Kit::new(Kind::Landlock).await;
    let dir = tempfile::tempdir().expect("a directory of root");
    let error = kit.run(Command::new("true", dir.path())).await.expect_err("as root");
    assert!(error.to_string().contains("belongs to root"), "{error}");
}

/// Many at once, as many workers would.
#[tokio::test]
async fn runs_do_not_get_in_each_others_way() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let mut runs = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (sandbox, command) = (kit.sandbox.clone(), kit.bash(&format!("echo {number} > {number}; exit {number}")));
        runs.spawn(async move {
            let (events, _) = mpsc::channel(1);
            (number, sandbox.run(command, events, CancellationToken::new()).await.expect("it runs").exit)
        });
    }
    while let Some(run) = runs.join_next().await {
        let (number, exit) = run.expect("no panic");
        assert_eq!(exit, titan_sandbox::Exit::Code(number));
        assert_eq!(fs::read_to_string(kit.work().join(number.to_string())).expect("its file"), format!("{number}\n"));
    }
}
