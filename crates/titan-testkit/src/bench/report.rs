//! The report: Markdown for docs/BENCHMARKS.md, and JSON with every sample for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::figure::{Figure, Target, median, number};
use super::machine;
use super::peers::{Measure, Peers};

/// What a run of the bench came to.
#[derive(Debug, Serialize)]
pub struct Report {
    pub quick: bool,
    pub machine: Vec<(&'static str, String)>,
    pub postgres: Vec<(String, String)>,
    pub limits: BTreeMap<&'static str, Vec<f64>>,
    pub figures: Vec<Figure>,
    /// Rows that could not be measured to their end, and why.
    pub failures: Vec<(&'static str, String)>,
}

/// Of the peers, in the order of the columns.
const COLUMNS: [(Measure, &str); 8] = [
    (Measure::Drain1, "drain, 1 process, jobs/s"),
    (Measure::Drain2, "drain, 2 processes, jobs/s"),
    (Measure::TwoSteps, "two durable steps, runs/s"),
    (Measure::Enqueue, "enqueue one by one, jobs/s"),
    (Measure::Bulk, "enqueue in bulk, jobs/s"),
    (Measure::StartP50, "start p50, ms"),
    (Measure::StartP99, "start p99, ms"),
    (Measure::Restart, "run again after kill -9, s"),
];

impl Report {
    pub(super) fn begin(quick: bool, postgres: Vec<(String, String)>) -> Self {
        let (limits, figures, failures) = (BTreeMap::new(), Vec::new(), Vec::new());
        Report { quick, machine: machine::facts(), postgres, limits, figures, failures }
    }

    #[must_use]
    pub fn markdown(&self, peers: &Peers) -> String {
        let mut out = String::from(
            "# What Titan does per second\n\n\
             Written by `make bench`. Absolute figures belong to one machine on one day: compare the shares of the limits, \
             which were measured right before and after, and the peers of the same run. Medians; the range in brackets.\n",
        );
        if self.quick {
            out.push_str("\n**A quick run, to see that all of it works: the figures say nothing.**\n");
        }
        self.facts(&mut out);
        self.table(&mut out, peers);
        self.limits(&mut out);
        if !peers.is_empty() {
            self.peers(&mut out, peers);
        }
        out
    }

    fn facts(&self, out: &mut String) {
        out.push_str("\n## Where\n\n| | |\n|---|---|\n");
        for (name, value) in &self.machine {
            line_of(out, &[name, value]);
        }
        let settings: Vec<_> = self.postgres.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        line_of(out, &["Postgres", &settings.join(", ")]);
    }

    fn table(&self, out: &mut String, peers: &Peers) {
        out.push_str("\n## Figures\n\n| row | what | figure | limit | share of it | target | met |\n|---|---|---|---|---|---|---|\n");
        for figure in &self.figures {
            let held = figure.limit.filter(|held| held.value > 0.0);
            let limit = held.map_or(String::new(), |held| format!("{} ({})", number(held.value), held.against.name()));
            let share = held.map_or(String::new(), |held| number(figure.median() / held.value));
            let met = match (figure.met(peers), &figure.target) {
                (_, Target::None) => "",
                (Some(true), _) => "yes",
                (Some(false), _) => "**no**",
                (None, _) => "not measured",
            };
            let note = if figure.note.is_empty() { String::new() } else { format!("<br>{}", figure.note) };
            let what = format!("{}{note}", figure.what);
            line_of(out, &[figure.row, &what, &value(figure), &limit, &share, &figure.target.to_string(), met]);
        }
        for (row, why) in &self.failures {
            line_of(
                out,
                &[row, &format!("failed: {}", why.replace(['|', '\n'], " ")), "not measured", "", "", "", "**no**"],
            );
        }
    }

    fn limits(&self, out: &mut String) {
        if self.limits.is_empty() {
            return;
        }
        out.push_str("\n## What Postgres itself does\n\nBy pgbench with a narrow table, before and after all rows; rows per second.\n\n");
        out.push_str("| limit | rows/s | range |\n|---|---|---|\n");
        for (name, samples) in &self.limits {
            line_of(out, &[name, &number(median(samples)), &range(samples)]);
        }
    }

    fn peers(&self, out: &mut String, peers: &Peers) {
        out.push_str("\n## Peers in the same run\n\nIn brackets: how many times that is what Titan did; for times, how many times as long it took.\n\n");
        let titles: Vec<_> = COLUMNS.iter().map(|(_, title)| *title).collect();
        let _ = writeln!(out, "| | {} |\n|---|{}", titles.join(" | "), "---|".repeat(titles.len()));
        let ours: Vec<_> = COLUMNS.iter().map(|(measure, _)| self.ours(*measure)).collect();
        let own: Vec<_> = ours.iter().map(|ours| ours.map_or("not measured".to_owned(), number)).collect();
        line_of(out, &["**Titan**", &own.join(" | ")]);
        for peer in peers.names() {
            let cell =
                |((measure, _), ours): (&(Measure, &str), &Option<f64>)| match (peers.median(peer, *measure), ours) {
                    (None, _) => "not measured".to_owned(),
                    (Some(theirs), Some(ours)) if theirs > 0.0 => {
                        format!("{} ({})", number(theirs), number(ours / theirs))
                    }
                    (Some(theirs), _) => number(theirs),
                };
            let cells: Vec<_> = COLUMNS.iter().zip(&ours).map(cell).collect();
            line_of(out, &[peer, &cells.join(" | ")]);
        }
    }

    /// Our own figure for a column of the peers.
    fn ours(&self, measure: Measure) -> Option<f64> {
        self.figures.iter().find(|figure| figure.compares == Some(measure)).map(Figure::median)
    }
}

/// A figure in one line, for whoever watches.
#[must_use]
pub fn line(figure: &Figure) -> String {
    let held = figure.limit.filter(|held| held.value > 0.0);
    let share = held.map_or(String::new(), |held| {
        format!(", {} of limit {}", number(figure.median() / held.value), held.against.name())
    });
    format!("{}: {}: {}{share}", figure.row, figure.what, value(figure))
}

fn value(figure: &Figure) -> String {
    if figure.samples.is_empty() {
        return "not measured".to_owned();
    }
    let range = if figure.samples.len() > 1 { format!(" ({})", range(&figure.samples)) } else { String::new() };
    format!("{} {}{range}", number(figure.median()), figure.unit)
}

fn range(samples: &[f64]) -> String {
    let least = samples.iter().copied().fold(f64::INFINITY, f64::min);
    let most = samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{} to {}", number(least), number(most))
}

fn line_of(out: &mut String, cells: &[&str]) {
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}
