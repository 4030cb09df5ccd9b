//! Prometheus' text exposition format, version 0.0.4: a family with its help and type, then its samples.
//!
//! Written here because the libraries at hand write OpenMetrics, where a counter's family and its samples have different
//! names, and want to own the numbers; ours are read from the database at the moment of the scrape.

use std::fmt::Write as _;

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// The text so far. All samples of a family stand together, as the format asks.
#[derive(Debug, Default)]
pub struct Text(String);

/// One family, to which samples are added.
pub struct Family<'a> {
    text: &'a mut Text,
    name: &'static str,
}

impl Text {
    /// Begins a family. Its name, and those of labels, are ours: only values and help texts need escaping.
    pub fn family(&mut self, kind: Kind, name: &'static str, help: &str) -> Family<'_> {
        let word = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a String never fails.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {word}");
        Family { text: self, name }
    }

    #[must_use]
    pub fn finish(self) -> String {
        self.0
    }
}

impl Family<'_> {
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) -> &mut Self {
        self.part("", labels, value)
    }

    /// A sample of a histogram: `_bucket`, `_sum` or `_count`.
    pub fn part(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) -> &mut Self {
        let out = &mut self.text.0;
        let _ = write!(out, "{}{suffix}", self.name);
        for (place, (label, word)) in labels.iter().enumerate() {
            let _ = write!(out, "{}{label}=\"{}\"", if place == 0 { '{' } else { ',' }, escaped(word));
        }
        out.push_str(if labels.is_empty() { "" } else { "}" });
        let _ = writeln!(out, " {value}");
        self
    }
}

fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_written_as_the_format_says() {
        let mut text = Text::default();
        text.family(Kind::Gauge, "a", "one\ntwo \\").sample(&[], 1.0).sample(&[("x", "q\"\\\n"), ("y", "")], 0.25);
        text.family(Kind::Histogram, "h", "").part("_bucket", &[("le", "+Inf")], 3e9);
        assert_eq!(
            text.finish(),
            "# HELP a one\\ntwo \\\\\n# TYPE a gauge\na 1\na{x=\"q\\\"\\\\\\n\",y=\"\"} 0.25\n\
             # HELP h \n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 3000000000\n"
        );
    }
}
