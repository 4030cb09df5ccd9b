//! What came of it: a line per seed while it goes on, and one table in the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Of the operations so many per cent must succeed; else the load was too broken for the row to prove anything.
const LEAST_PER_CENT: f64 = 95.0;

#[derive(Debug, Default)]
pub struct Report {
    pub rows: Vec<RowReport>,
}

#[derive(Debug)]
pub struct RowReport {
    name: &'static str,
    what: &'static str,
    must_see: Option<&'static str>,
    /// Why it was not tried.
    pub missing: Option<String>,
    pub seeds: Vec<SeedReport>,
}

/// What came of one seed.
#[derive(Debug, Default)]
pub struct SeedReport {
    pub seed: u64,
    pub faults: u64,
    pub operations: usize,
    pub succeeded: usize,
    pub events: usize,
    pub counted: BTreeMap<&'static str, u64>,
    /// The last answer to an operation that never succeeded.
    pub refusal: Option<String>,
    pub failure: Option<String>,
}

impl SeedReport {
    #[must_use]
    pub fn of(seed: u64) -> Self {
        SeedReport { seed, ..Self::default() }
    }

    #[must_use]
    pub fn failed(self, why: String) -> Self {
        SeedReport { failure: Some(why), ..self }
    }

    pub(super) fn line(&self, row: &str, took: Duration) -> String {
        let verdict = self.failure.as_ref().map_or("ok".to_owned(), |why| format!("FAILED: {why}"));
        let refusal = self.refusal.as_ref().map_or(String::new(), |refusal| format!(" (refused: {refusal})"));
        let counted: String = self.counted.iter().map(|(name, count)| format!(", {count} {name}")).collect();
        format!(
            "{row} seed {}: {} faults, {} of {} operations{refusal}{counted}, {:.1} s: {verdict}",
            self.seed,
            self.faults,
            self.succeeded,
            self.operations,
            took.as_secs_f64()
        )
    }
}

impl RowReport {
    #[must_use]
    pub fn new(name: &'static str, what: &'static str, must_see: Option<&'static str>) -> Self {
        RowReport { name, what, must_see, missing: None, seeds: Vec::new() }
    }

    fn sum(&self, of: impl Fn(&SeedReport) -> u64) -> u64 {
        self.seeds.iter().map(of).sum()
    }

    fn counted(&self, name: &str) -> u64 {
        self.sum(|seed| seed.counted.get(name).copied().unwrap_or(0))
    }

    #[allow(clippy::cast_precision_loss)]
    fn per_cent(&self) -> f64 {
        let operations = self.sum(|seed| seed.operations as u64);
        if operations == 0 { 0.0 } else { self.sum(|seed| seed.succeeded as u64) as f64 * 100.0 / operations as f64 }
    }

    /// Why this row has not shown what it is there for; `None` when it has.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        if self.missing.is_some() {
            return None;
        }
        let failed: Vec<_> = self.seeds.iter().filter(|seed| seed.failure.is_some()).collect();
        if let Some(first) = failed.first() {
            let seeds: Vec<_> = failed.iter().map(|seed| seed.seed.to_string()).collect();
            return Some(format!("seeds {}: {}", seeds.join(", "), first.failure.as_deref().unwrap_or_default()));
        }
        if let Some(idle) = self.seeds.iter().find(|seed| seed.faults == 0) {
            return Some(format!("seed {} has injected no fault", idle.seed));
        }
        if self.seeds.is_empty() {
            return Some("no seed was tried".to_owned());
        }
        if self.per_cent() < LEAST_PER_CENT {
            return Some(format!("{:.1} % of the operations succeeded, less than {LEAST_PER_CENT} %", self.per_cent()));
        }
        self.must_see.filter(|name| self.counted(name) == 0).map(|name| format!("no seed has seen {name}"))
    }

    fn cells(&self) -> Vec<String> {
        let names: std::collections::BTreeSet<_> = self.seeds.iter().flat_map(|seed| seed.counted.keys()).collect();
        let seen: Vec<_> = names.iter().map(|name| format!("{} {name}", self.counted(name))).collect();
        let verdict = match (&self.missing, self.failure()) {
            (Some(missing), _) => format!("not tried: {missing}"),
            (None, Some(failure)) => format!("FAILED: {failure}"),
            (None, None) => "ok".to_owned(),
        };
        vec![
            self.name.to_owned(),
            self.what.to_owned(),
            self.seeds.len().to_string(),
            self.sum(|seed| seed.faults).to_string(),
            self.sum(|seed| seed.operations as u64).to_string(),
            format!("{:.1} %", self.per_cent()),
            self.sum(|seed| seed.events as u64).to_string(),
            seen.join(", "),
            verdict.replace('|', " "),
        ]
    }
}

impl Report {
    /// Whether each row that was tried has shown what it is there for.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.failure().is_none())
    }

    #[must_use]
    pub fn table(&self) -> String {
        let mut out = String::from(
            "| row | fault | seeds | faults | operations | succeeded | events checked | seen | verdict |\n|---|---|---|---|---|---|---|---|---|\n",
        );
        for row in &self.rows {
            let _ = writeln!(out, "| {} |", row.cells().join(" | "));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seeds: Vec<SeedReport>) -> RowReport {
        RowReport { seeds, ..RowReport::new("row", "a fault", Some("refused writes")) }
    }

    fn seed() -> SeedReport {
        let counted = BTreeMap::from([("refused writes", 1)]);
        SeedReport { faults: 2, operations: 100, succeeded: 95, counted, ..SeedReport::of(1) }
    }

    #[test]
    fn a_row_that_proves_nothing_has_failed() {
        let says = |seeds| row(seeds).failure().unwrap_or_default();
        assert_eq!(says(vec![seed()]), "");
        assert!(says(vec![]).contains("no seed"));
        assert!(says(vec![SeedReport { faults: 0, ..seed() }]).contains("no fault"));
        assert!(says(vec![SeedReport { succeeded: 94, ..seed() }]).contains("94.0 %"));
        assert!(says(vec![SeedReport { counted: BTreeMap::new(), ..seed() }]).contains("refused writes"));
        assert!(
            says(vec![seed(), SeedReport { seed: 7, ..seed().failed("L: lost".to_owned()) }])
                .contains("seeds 7: L: lost")
        );
    }

    #[test]
    fn what_was_not_tried_has_not_failed_and_says_so() {
        let report = Report { rows: vec![RowReport { missing: Some("no faketime".to_owned()), ..row(vec![]) }] };
        assert!(report.passed());
        assert!(report.table().contains("not tried: no faketime"));
        assert!(!Report::default().passed());
    }
}
