//! The walls of bubblewrap: namespaces of users, processes, files, network, messages and names, in which only what stands here is
//! laid out. The stage is the first process inside.
//!
//! Two of its options are left out on purpose. `--die-with-parent` follows the *thread* that started it, and a runtime's
//! threads come and go; the stage's socket follows the process. `--seccomp` would bind the stage too, which binds the command
//! by itself.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::{ETC, INSIDE_USER, Launch, SYSTEM, environment};
use crate::command::{Command, Network};
use crate::private::{GATE, Private, SOCKET};
use crate::protocol::{Order, Serving, Walls};
use crate::sandbox::Sandbox;

/// Where the command finds its directory.
pub(crate) const WORK: &str = "/work";
/// Where those lie that outlive it.
pub(crate) const CACHES: &str = "/var/cache";
/// Where the stage, the command's input and the proxy's socket lie inside.
const OURS: &str = "/run/titan";

pub(super) fn plan(
    sandbox: &Sandbox,
    command: &Command,
    workdir: &Path,
    caches: &[(String, PathBuf)],
    read_only: &[(PathBuf, PathBuf)],
    private: &Private,
    start_as: Option<(u32, u32)>,
) -> Launch {
    let mut args = Arguments(Vec::new());
    let user = INSIDE_USER.to_string();
    args.all([
        "--unshare-user",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]);
    args.all([
        "--uid",
        &user,
        "--gid",
        &user,
        "--hostname",
        "sandbox",
        "--new-session",
        "--as-pid-1",
        "--cap-drop",
        "ALL",
    ]);
    system(&mut args);
    let scratch = command.limits.scratch.to_string();
    // The kernel's settings among them belong to root, and a command may have root's number.
    args.all(["--proc", "/proc", "--remount-ro", "/proc"]);
    devices(&mut args, private);
    args.all(["--perms", "1777", "--size", &scratch, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]);
    args.all(["--perms", "1777", "--size", &scratch, "--tmpfs", "/tmp"]);
    args.all(["--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"]);
    for path in ETC {
        args.all(["--ro-bind-try", path, path]);
    }
    for (from, to) in private.made_up() {
        args.bind("--ro-bind", &from, to);
    }
    args.bind("--bind", workdir, WORK);
    for (name, real) in caches {
        args.bind("--bind", real, Path::new(CACHES).join(name));
    }
    for (path, real) in read_only {
        args.bind("--ro-bind", real, path);
    }
    args.bind("--ro-bind", sandbox.stage(), format!("{OURS}/stage"));
    args.bind("--ro-bind", &private.stdin(), format!("{OURS}/stdin"));
    args.bind("--ro-bind", &private.egress(), format!("{OURS}/egress"));
    // Last, because everything above still had to be laid into it.
    args.all(["--remount-ro", "/", "--chdir", WORK, "--"]);
    args.all([format!("{OURS}/stage")]);
    let order = Order {
        program: command.program.clone(),
        args: command.args.clone(),
        env: environment(command, Path::new("/tmp")),
        directory: WORK.into(),
        stdin: format!("{OURS}/stdin").into(),
        limits: command.limits.clone(),
        walls: Walls::Bubblewrap,
        egress: (command.network != Network::None).then(|| format!("{OURS}/egress/{SOCKET}").into()),
        inbound: command
            .inbound
            .as_ref()
            .map(|inbound| Serving { gate: format!("{OURS}/egress/{GATE}").into(), port: inbound.port }),
    };
    Launch { program: sandbox.bubblewrap().to_owned(), args: args.0, order, start_as }
}

/// Programs and libraries. Where `/bin` is a link into `/usr`, so it is inside.
fn system(args: &mut Arguments) {
    for path in SYSTEM {
        match fs::read_link(path) {
            Ok(target) => args.bind("--symlink", &target, path),
            Err(_) => args.all(["--ro-bind-try", path, path]),
        }
    }
}

/// Devices that hold nothing. A command with root's number gets copies, because it would own the machine's and could change their
/// mode; anybody else gets the machine's.
fn devices(args: &mut Arguments, private: &Private) {
    args.all(["--perms", "0755", "--tmpfs", "/dev"]);
    for (name, copy) in private.devices() {
        let machines = PathBuf::from(format!("/dev/{name}"));
        args.bind("--dev-bind", copy.as_ref().unwrap_or(&machines), &machines);
    }
    for (number, name) in ["stdin", "stdout", "stderr"].into_iter().enumerate() {
        args.all(["--symlink".to_owned(), format!("/proc/self/fd/{number}"), format!("/dev/{name}")]);
    }
    args.all(["--symlink", "/proc/self/fd", "/dev/fd"]);
}

struct Arguments(Vec<OsString>);

impl Arguments {
    fn all<T: Into<OsString>>(&mut self, words: impl IntoIterator<Item = T>) {
        self.0.extend(words.into_iter().map(Into::into));
    }

    fn bind(&mut self, how: &str, from: &Path, to: impl AsRef<Path>) {
        self.0.extend([how.into(), from.as_os_str().to_owned(), to.as_ref().as_os_str().to_owned()]);
    }
}
