//! What processes cost, as Linux tells under /proc.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, ensure};

/// Linux counts a process's time in hundredths of a second, whatever the kernel's own clock.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of CPU that a process has used; 0 when it is gone.
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    stat(pid).map_or(0.0, |fields| ticks(&fields, 11) + ticks(&fields, 12))
}

/// The same of Postgres: its first process, all children that live and all that have ended.
pub(crate) fn cpu_seconds_of_postgres(postmaster: u32) -> f64 {
    let Some(fields) = stat(postmaster) else { return 0.0 };
    let own: f64 = (11..15).map(|place| ticks(&fields, place)).sum();
    own + children(postmaster).into_iter().map(cpu_seconds).sum::<f64>()
}

/// Resident memory of a process in KiB.
pub(crate) fn resident_kib(pid: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid} is gone"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// The process that started this one.
pub(crate) fn parent(pid: u32) -> anyhow::Result<u32> {
    let fields = stat(pid).with_context(|| format!("process {pid} is not on this machine"))?;
    let parent = fields.get(1).context("no parent")?.parse()?;
    ensure!(parent > 1, "process {pid} has lost its parent");
    Ok(parent)
}

fn children(pid: u32) -> BTreeSet<u32> {
    let Ok(all) = fs::read_dir("/proc") else { return BTreeSet::new() };
    let pids = all.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|child| parent(*child).is_ok_and(|parent| parent == pid)).collect()
}

/// The fields after the name, which stands in brackets and may hold anything: the state comes first.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

fn ticks(fields: &[String], place: usize) -> f64 {
    fields.get(place).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default() / TICKS_PER_SECOND
}
