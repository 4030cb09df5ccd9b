//! The clock of one worker is an hour off, ahead or behind, by libfaketime: leases, beats and times of jobs are the
//! database's, so nobody loses a job and nothing is put off.

use std::path::PathBuf;

use anyhow::Context as _;

use super::super::Row;
use super::super::load::Mix;
use super::super::trial::Trial;
use super::nobody_was_rescued;

pub(super) const ROW: Row =
    Row::new("wrong-clock", "the clock of one worker is an hour off", harm).needs(missing).not_in_tests();

fn library() -> Option<PathBuf> {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    folders.iter().map(|folder| PathBuf::from(folder).join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file())
}

fn missing() -> Option<String> {
    library().is_none().then(|| "libfaketime is not here: apt-get install faketime".to_owned())
}

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    let library = library().context("libfaketime")?;
    let url = trial.database.url.clone();
    trial.set_up(1)?;
    let off = if trial.dice.coin() { "+1h" } else { "-1h" };
    let lie = [("LD_PRELOAD", &*library.to_string_lossy()), ("FAKETIME", off), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    trial.worker_at(&url, &lie)?;
    trial.faults += 1;
    // Some of the answers have to be tried again, which is a time in the future.
    const WORDS: &[(&str, super::super::history::Expect)] =
        &[("", super::super::history::Expect::Completed), ("[500]", super::super::history::Expect::Completed)];
    trial.load(&Mix { words: WORDS, ..Mix::default() })?;
    trial.moment(3000..=4000);
    trial.stop_load()?;
    let name = &trial.workers[1].name;
    let done = trial.database.count(&format!("SELECT count(*) FROM steps WHERE worker = '{name}'"))?;
    trial.counted.insert("steps done by it", u64::try_from(done)?);
    trial
        .until("the end of all jobs", || Ok((trial.database.count("SELECT count(*) FROM jobs")? == 0).then_some(())))?;
    nobody_was_rescued(trial)
}
