//! However a command ends, the right word for it is found, and none of its processes is left.

use std::time::{Duration, Instant};

use titan_sandbox::{Error, Exit};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::kit::{Kind, Kit, carrying, eventually, everywhere, marker};

/// A process that has left its group, its session and its parent, hears no signal that can be ignored, and has a name that is
/// no text and looks like the end of one.
fn clinging(marker: &str) -> String {
    let prctl = libc::SYS_prctl;
    format!(
        r#"perl -e 'use POSIX; fork and exit; POSIX::setsid(); fork and exit;
             $SIG{{$_}} = "IGNORE" for qw(TERM INT HUP QUIT); exec {{ "perl" }} "perl", "-e", "my \$n = qq{{\\xff) S 1 (x}}; syscall({prctl}, 15, \$n); sleep 1 while 1", "{marker}"'"#
    )
}

everywhere! {
    async fn codes_and_signals_are_told_apart(kit: Kit) {
        for (script, exit) in [
            ("exit 0", Exit::Code(0)),
            ("exit 42", Exit::Code(42)),
            ("exit 137", Exit::Code(137)),
            ("kill -SEGV $$", Exit::Signal(11)),
            ("kill -KILL $$", Exit::Signal(9)),
        ] {
            let done = kit.run(kit.bash(script)).await.expect("it runs");
            assert_eq!(done.ended.exit, exit, "{script}: {}", done.words());
        }
    }
}

everywhere! {
    async fn a_program_that_is_not_there_is_named(kit: Kit) {
        let command = titan_sandbox::Command::new("no-such-program", kit.work());
        let error = kit.run(command).await.expect_err("it is not there");
        assert!(matches!(error, Error::Program { .. }), "{error:?}");
        assert_eq!(error.to_string(), "no-such-program did not start: No such file or directory (os error 2)");
    }
}

everywhere! {
    async fn what_it_left_behind_ends_with_it(kit: Kit) {
        let marker = marker();
        let script = format!("{}\nsleep 0.3; grep -l . /dev/null; echo started", clinging(&marker));
        let started = Instant::now();
        let done = kit.run(kit.bash(&script)).await.expect("it runs");
        assert_eq!(done.stdout(), "started\n", "{}", done.words());
        assert_eq!(carrying(&marker), 0, "it is still there");
        assert!(started.elapsed() < Duration::from_secs(5), "nobody waited for it");
    }
}

everywhere! {
    async fn a_cancel_asks_and_then_forces(kit: Kit) {
        let marker = marker();
        let script = format!("trap 'echo asked' TERM\n{}\necho up; while :; do sleep 0.05; done", clinging(&marker));
        let mut command = kit.bash(&script);
        command.limits.grace = Duration::from_millis(500);
        let cancel = CancellationToken::new();
        let asked = async {
            eventually("it is up", Duration::from_secs(10), || carrying(&marker) == 1).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            cancel.cancel();
            Instant::now()
        };
        let (done, asked) = tokio::join!(kit.run_until(command, cancel.clone()), asked);
        let done = done.expect("it ran");
        assert_eq!(done.ended.exit, Exit::Canceled);
        assert!(done.stdout().contains("asked"), "it was asked first: {}", done.words());
        let took = asked.elapsed();
        assert!(took >= Duration::from_millis(450) && took < Duration::from_secs(3), "{took:?}");
        assert_eq!(carrying(&marker), 0);
    }
}

everywhere! {
    async fn who_ends_when_asked_is_not_forced(kit: Kit) {
        let mut command = kit.bash("trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done");
        command.limits.grace = Duration::from_secs(20);
        let cancel = CancellationToken::new();
        let later = cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(700)).await;
            later.cancel();
        });
        let done = kit.run_until(command, cancel).await.expect("it ran");
        assert_eq!((done.ended.exit, done.stdout().as_str()), (Exit::Canceled, "up\nbye\n"));
        assert!(done.ended.wall < Duration::from_secs(10));
    }
}

everywhere! {
    async fn the_wall_time_ends_it(kit: Kit) {
        let marker = marker();
        let mut command = kit.bash(&format!("trap '' TERM\n{}\nwhile :; do sleep 0.05; done", clinging(&marker)));
        command.limits.wall = Duration::from_millis(800);
        command.limits.grace = Duration::from_millis(200);
        let done = kit.run(command).await.expect("it ran");
        assert_eq!(done.ended.exit, Exit::TimedOut);
        assert!(done.ended.wall >= Duration::from_millis(950) && done.ended.wall < Duration::from_secs(4), "{:?}", done.ended.wall);
        assert_eq!(carrying(&marker), 0);
    }
}

everywhere! {
    async fn who_stops_waiting_leaves_nothing(kit: Kit) {
        let marker = marker();
        let command = kit.bash(&format!("trap '' TERM\n{}\nwhile :; do sleep 0.05; done", clinging(&marker)));
        let (events, _heard) = mpsc::channel(4);
        let sandbox = kit.sandbox.clone();
        let run = tokio::spawn(async move { sandbox.run(command, events, CancellationToken::new()).await });
        eventually("it is up", Duration::from_secs(10), || carrying(&marker) == 1).await;
        run.abort();
        eventually("it is gone", Duration::from_secs(1), || carrying(&marker) == 0).await;
    }
}

everywhere! {
    async fn a_cancel_before_the_start_still_ends_it(kit: Kit) {
        let cancel = CancellationToken::new();
        cancel.cancel();
        let done = kit.run_until(kit.bash("sleep 30"), cancel).await.expect("it ran");
        assert_eq!(done.ended.exit, Exit::Canceled);
        assert!(done.ended.wall < Duration::from_secs(5));
    }
}

/// The stage hears that its caller is gone, even when nobody could say so: here the whole caller is killed.
#[tokio::test]
async fn who_is_killed_leaves_nothing() {
    for kind in [Kind::Bubblewrap, Kind::Landlock] {
        let marker = marker();
        // What it leaves behind goes with this one.
        let place = tempfile::tempdir().expect("a directory");
        std::fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("open");
        let mut caller = std::process::Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "endings::helper_that_is_killed", "--ignored", "--nocapture"])
            .env("TMPDIR", place.path())
            .env("TITAN_SANDBOX_TEST", format!("{kind:?} {marker}"))
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("a caller");
        eventually("its command is up", Duration::from_secs(20), || carrying(&marker) == 1).await;
        caller.kill().expect("killed");
        caller.wait().expect("waited for");
        eventually("it is gone", Duration::from_secs(1), || carrying(&marker) == 0).await;
    }
}

#[tokio::test]
#[ignore = "the part of who_is_killed_leaves_nothing that is killed"]
async fn helper_that_is_killed() {
    let Ok(order) = std::env::var("TITAN_SANDBOX_TEST") else { return };
    let (kind, marker) = order.split_once(' ').expect("two words");
    let kit = Kit::new(if kind == "Landlock" { Kind::Landlock } else { Kind::Bubblewrap }).await;
    let command = kit.bash(&format!("{}\nsleep 60", clinging(marker)));
    let _ = kit.run(command).await;
}
