//! All processes of the command: everything that descends from this one. Orphans fall to this process, so that none drops out by
//! losing its parent. Read from `/proc` a few times a second; the numbers are the kernel's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, kill_process, kill_process_group};

/// A look at all of them.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Sample {
    /// With threads.
    pub processes: u64,
    /// Resident bytes, a page that several share counted for each.
    pub memory: u64,
    /// Of those that live, and of those whose end was awaited.
    pub cpu_user: Duration,
    pub cpu_system: Duration,
}

/// What `/proc/<pid>/stat` says of one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stat {
    parent: i32,
    threads: u64,
    pages: u64,
    user: u64,
    system: u64,
    children_user: u64,
    children_system: u64,
    is_dead: bool,
}

pub(super) fn sample() -> Sample {
    let (mut user, mut system) = (0, 0);
    let mut sample = Sample::default();
    if let Some(own) = stat("self") {
        user += own.children_user;
        system += own.children_system;
    }
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    for (_, stat) in ours() {
        sample.processes += if stat.is_dead { 1 } else { stat.threads };
        sample.memory += stat.pages * page;
        user += stat.user + stat.children_user;
        system += stat.system + stat.children_system;
    }
    let tick = Duration::from_secs(1) / u32::try_from(rustix::param::clock_ticks_per_second()).unwrap_or(100).max(1);
    let times = |ticks: u64| tick.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX));
    sample.cpu_user = times(user);
    sample.cpu_system = times(system);
    sample
}

/// The bytes they hold with each shared page counted once. It takes longer than a look, so it is asked only before a verdict.
pub(super) fn exact_memory() -> u64 {
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    // One that closes itself to others counts in full; one that ended since has nothing any more.
    let resident = |pid: i32| stat(&pid.to_string()).map_or(0, |stat| stat.pages * page);
    let of = |(pid, _)| proportional(pid).unwrap_or_else(|| resident(pid));
    ours().into_iter().map(of).sum()
}

/// Bytes in shared memory of System V, which need not be mapped by anybody. Only for who has a namespace of its own.
pub(super) fn system_v_memory() -> u64 {
    let text = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    let mut lines = text.lines();
    let Some(column) = lines.next().and_then(|names| names.split_whitespace().position(|name| name == "rss")) else {
        return 0;
    };
    lines.filter_map(|line| line.split_whitespace().nth(column)?.parse::<u64>().ok()).sum()
}

/// Sends a signal to all. Each may be gone by then, which is as good.
pub(super) fn signal_all(signal: Signal) {
    for (pid, _) in ours() {
        if let Some(pid) = Pid::from_raw(pid) {
            let _ = kill_process(pid, signal);
        }
    }
}

/// Kills all of them. The first process of a namespace does it in one call, which nothing that forks can outrun.
pub(super) fn kill_all() {
    if getpid() == Pid::INIT {
        // The group "1" is kill(-1): every process in sight but the caller's own.
        let _ = kill_process_group(Pid::INIT, Signal::KILL);
        return;
    }
    // Stopped first, so that what forks stands still; again, because a fork may have been under way.
    for _ in 0..200 {
        let living: Vec<i32> = ours().iter().filter(|(_, stat)| !stat.is_dead).map(|(pid, _)| *pid).collect();
        if living.is_empty() {
            return;
        }
        for signal in [Signal::STOP, Signal::KILL] {
            for pid in living.iter().filter_map(|pid| Pid::from_raw(*pid)) {
                let _ = kill_process(pid, signal);
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn ours() -> Vec<(i32, Stat)> {
    descendants(getpid().as_raw_nonzero().get())
}

/// All processes that descend from one, without itself.
pub(crate) fn descendants(of: i32) -> Vec<(i32, Stat)> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let Ok(pid) = name.parse::<i32>() else { continue };
        if let Some(stat) = stat(name) {
            all.insert(pid, stat);
        }
    }
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for (pid, stat) in &all {
        children.entry(stat.parent).or_default().push(*pid);
    }
    let (mut found, mut open, mut seen) = (Vec::new(), vec![of], BTreeSet::from([of]));
    while let Some(parent) = open.pop() {
        for child in children.get(&parent).into_iter().flatten() {
            if seen.insert(*child) {
                open.push(*child);
                found.extend(all.get(child).map(|stat| (*child, *stat)));
            }
        }
    }
    found
}

fn stat(pid: &str) -> Option<Stat> {
    // A process names itself, with bytes that need not be text: it must not drop out of sight by that.
    parse(&String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/stat")).ok()?))
}

/// The fields after the name, which may itself hold spaces and parentheses. Numbers are those of proc(5), less three.
fn parse(line: &str) -> Option<Stat> {
    let fields: Vec<&str> = line.get(line.rfind(')')? + 1..)?.split_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    Some(Stat {
        is_dead: matches!(*fields.first()?, "Z" | "X"),
        parent: fields.get(1)?.parse().ok()?,
        user: number(11)?,
        system: number(12)?,
        children_user: number(13)?,
        children_system: number(14)?,
        threads: number(17)?,
        pages: number(21)?,
    })
}

fn proportional(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_name_may_look_like_the_line_around_it() {
        let line = "42 (a) R 1 (b c) S 7 42 42 0 -1 4194560 100 0 0 0 11 12 13 14 20 0 3 0 999 1000000 250 18446744073709551615";
        let stat = parse(line).expect("a line of stat");
        assert_eq!((stat.parent, stat.user, stat.system, stat.threads, stat.pages), (7, 11, 12, 3, 250));
        assert_eq!((stat.children_user, stat.children_system, stat.is_dead), (13, 14, false));
    }

    #[test]
    fn this_process_has_one() {
        assert!(super::stat("self").is_some_and(|stat| stat.pages > 0));
    }
}
