//! The machine: what it is, for the report, and waiting until nobody else uses it.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::db::repository;

/// Of all cores together; above that a figure says more about the neighbours than about us.
pub(crate) const QUIET: f64 = 0.15;
const PATIENCE: Duration = Duration::from_secs(60);
/// Shorter ones are the kernel's own work.
const PAUSE: Duration = Duration::from_micros(500);

/// Waits until the machine has nothing to do, or patience ends. Gives the share of its CPU that was used at last.
pub(crate) fn wait_until_quiet() -> f64 {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let used = busy(Duration::from_secs(1));
        if used < QUIET || Instant::now() > give_up {
            return used;
        }
    }
}

/// The share of all cores that is used, by whomever.
fn busy(over: Duration) -> f64 {
    let before = times();
    sleep(over);
    let after = times();
    let (all, idle) = (after.0 - before.0, after.1 - before.1);
    if all > 0.0 { 1.0 - idle / all } else { 0.0 }
}

/// All time and idle time of all cores since the machine started, in ticks.
fn times() -> (f64, f64) {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let fields: Vec<f64> = line.split_whitespace().skip(1).take(8).filter_map(|field| field.parse().ok()).collect();
    // Idle and waiting for a disk.
    (fields.iter().sum(), fields.iter().skip(3).take(2).sum())
}

/// How long threads that only look at the clock, as many as there are cores, stand still while nothing of ours is under way: what
/// other processes take, and a host its guests. A time that is measured then may be longer by as much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pauses {
    pub(crate) longest_ms: f64,
    /// Of all time.
    pub(crate) share: f64,
}

impl Pauses {
    pub(crate) fn measure(over: Duration) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let watches: Vec<_> = (0..cores).map(|_| std::thread::spawn(move || watch_the_clock(over))).collect();
        let seen: Vec<Pauses> = watches.into_iter().filter_map(|watch| watch.join().ok()).collect();
        let share = seen.iter().map(|pauses| pauses.share).sum::<f64>() / seen.len().max(1) as f64;
        Pauses { longest_ms: seen.iter().map(|pauses| pauses.longest_ms).fold(0.0, f64::max), share }
    }

    pub(crate) fn worse(self, other: Self) -> Self {
        Pauses { longest_ms: self.longest_ms.max(other.longest_ms), share: self.share.max(other.share) }
    }
}

fn watch_the_clock(over: Duration) -> Pauses {
    let begun = Instant::now();
    let (mut last, mut longest, mut lost) = (begun, Duration::ZERO, Duration::ZERO);
    while last - begun < over {
        let now = Instant::now();
        let pause = now - last;
        longest = longest.max(pause);
        if pause > PAUSE {
            lost += pause;
        }
        last = now;
    }
    Pauses { longest_ms: longest.as_secs_f64() * 1e3, share: lost.as_secs_f64() / over.as_secs_f64() }
}

/// What it is, as (name, value).
pub(crate) fn facts() -> Vec<(&'static str, String)> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: f64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    vec![
        ("CPU", format!("{cores} x {}", model.trim_start_matches([' ', '\t', ':']))),
        ("memory", format!("{:.0} GiB", kib / 1024.0 / 1024.0)),
        ("kernel", fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()),
        ("commit", commit()),
        ("build", if cfg!(debug_assertions) { "debug: the figures say nothing" } else { "release" }.to_owned()),
        ("date", chrono::Utc::now().format("%Y-%m-%d %H:%M UTC").to_string()),
    ]
}

/// The commit, and whether the tree differs from it.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(repository()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "unknown".to_owned() };
    // The report itself is rewritten by each run.
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/BENCHMARKS.md"]);
    if changed.is_some_and(|changes| !changes.is_empty()) { format!("{commit}, with changes") } else { commit }
}
