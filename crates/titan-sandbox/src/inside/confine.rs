//! The restrictions, in the one order in which they can be laid on. They are laid on a thread, not on the process: the kernel
//! keeps identity, capabilities, Landlock and seccomp for each thread, and a child gets those of the thread that starts it. So
//! the stage stays able to watch and kill while the command is bound, and no code has to run between fork and exec.

use std::fs::File;
use std::io;
use std::process::{Command, Stdio};
use std::thread;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, RulesetCreated,
    RulesetCreatedAttr as _, Scope, path_beneath_rules,
};
use rustix::process::{Gid, Pid, Resource, Rlimit, Uid, getrlimit, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, set_capabilities, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};

use super::{filter, forward};
use crate::protocol::{Grants, Order, Report, Walls};

/// The least Landlock that is enough. Versions before Linux 6.12 let a command send signals to everything of its user, and
/// reach servers on abstract sockets: a wall with a door is refused.
const LANDLOCK: ABI = ABI::V6;

/// Threads of the stage itself, which count against the limit of processes.
const OWN_THREADS: u64 = 8;

/// Starts the command behind all of them, or says which part did not work; nothing runs then.
pub(super) fn start(order: &Order, proxy: Option<u16>) -> Result<Pid, Report> {
    limit(order).map_err(|error| Report::Walls(format!("a limit could not be set: {error}")))?;
    let stdin = File::open(&order.stdin).map_err(|error| Report::Walls(format!("its input is not there: {error}")))?;
    // The restrictions end with this thread; only the command keeps them.
    thread::scope(|scope| {
        let thread =
            thread::Builder::new().name("command".into()).spawn_scoped(scope, || start_here(order, proxy, stdin));
        let thread = thread.map_err(|error| Report::Walls(format!("no thread: {error}")))?;
        thread.join().unwrap_or_else(|_| Err(Report::Walls("the stage broke".into())))
    })
}

fn start_here(order: &Order, proxy: Option<u16>, stdin: File) -> Result<Pid, Report> {
    confine(&order.walls).map_err(Report::Walls)?;
    let mut command = Command::new(&order.program);
    command.args(&order.args).current_dir(&order.directory).stdin(Stdio::from(stdin));
    command.env_clear().envs(&order.env);
    if let Some(port) = proxy {
        command.envs(proxy_variables(port));
    }
    let child = command.spawn().map_err(|error| Report::Program(error.to_string()))?;
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| Report::Program("it has no number".into()))
}

/// What programs look at to find a proxy: curl, git and Python the first ones, npm, cargo and Node.js their own. What runs on
/// the loopback inside is reached without it.
fn proxy_variables(port: u16) -> Vec<(&'static str, String)> {
    let proxy = format!("http://127.0.0.1:{port}");
    let mut variables = vec![("NODE_USE_ENV_PROXY", "1".to_owned())];
    for name in [
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "npm_config_proxy",
        "npm_config_https_proxy",
        "CARGO_HTTP_PROXY",
    ] {
        variables.push((name, proxy.clone()));
    }
    for name in ["no_proxy", "NO_PROXY"] {
        variables.push((name, "localhost,127.0.0.1,::1".to_owned()));
    }
    variables
}

fn limit(order: &Order) -> io::Result<()> {
    let limits = &order.limits;
    let mut all = vec![
        (Resource::Core, 0),
        (Resource::Fsize, limits.file_size),
        (Resource::Nofile, limits.open_files),
        // Queues of messages lie in the kernel's memory, where no look finds them.
        (Resource::Msgqueue, 0),
    ];
    if let Walls::Bubblewrap = order.walls {
        // Counted for each user in each user namespace, so this is of this command alone; root is never held by it. Elsewhere
        // it would count everything else of the same user.
        all.push((Resource::Nproc, limits.processes + OWN_THREADS + threads_of_forward(order)));
    }
    for (resource, limit) in all {
        // One that is lower already stays: only the powerful may raise it.
        let limit = Some(getrlimit(resource).maximum.map_or(limit, |held| held.min(limit)));
        setrlimit(resource, Rlimit { current: limit, maximum: limit })?;
    }
    Ok(())
}

/// Binds this thread.
fn confine(walls: &Walls) -> Result<(), String> {
    let failed = |what: &'static str| move |error: rustix::io::Errno| format!("{what}: {error}");
    let ruleset = match walls {
        Walls::Bubblewrap => None,
        Walls::Landlock(grants) => Some(ruleset(grants).map_err(|error| format!("Landlock: {error}"))?),
    };
    if let Walls::Landlock(Grants { identity: Some((user, group)), .. }) = walls {
        let (user, group) = (Uid::from_raw(*user), Gid::from_raw(*group));
        set_thread_groups(&[]).map_err(failed("supplementary groups"))?;
        set_thread_res_gid(group, group, group).map_err(failed("the group"))?;
        set_thread_res_uid(user, user, user).map_err(failed("the user"))?;
    }
    clear_ambient_capability_set().map_err(failed("ambient capabilities"))?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .map_err(failed("capabilities"))?;
    set_no_new_privs(true).map_err(failed("no new privileges"))?;
    if let Some(ruleset) = ruleset {
        ruleset.restrict_self().map_err(|error| format!("Landlock: {error}"))?;
    }
    for program in filter::programs(walls).map_err(|error| format!("the filter of system calls: {error}"))? {
        seccompiler::apply_filter(&program).map_err(|error| format!("the filter of system calls: {error}"))?;
    }
    Ok(())
}

/// Everything that Landlock knows is refused but what is granted here. Sockets are the filter's: it refuses all of them.
fn ruleset(grants: &Grants) -> Result<RulesetCreated, landlock::RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::Execute;
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules(&grants.read, read))?
        .add_rules(path_beneath_rules(READABLE, read))?
        .add_rules(path_beneath_rules(DEVICES, AccessFs::ReadFile | AccessFs::WriteFile))?;
    // Device files are made by nobody.
    let write = AccessFs::from_all(LANDLOCK) & !(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    ruleset = ruleset.add_rules(path_beneath_rules(&grants.write, write))?;
    Ok(ruleset)
}

/// What says how large the machine is. Not the directories of processes: they tell what everything else here is doing.
const READABLE: [&str; 9] = [
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/loadavg",
    "/proc/uptime",
    "/proc/version",
    "/proc/filesystems",
    "/proc/sys",
    "/sys/devices/system/cpu",
];

const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// The threads that copy for the command are of the stage's own, and count all the same.
fn threads_of_forward(order: &Order) -> u64 {
    let out = order.egress.as_ref().map_or(0, |_| forward::MAX_THREADS);
    out + order.inbound.as_ref().map_or(0, |_| forward::SERVING_THREADS)
}
