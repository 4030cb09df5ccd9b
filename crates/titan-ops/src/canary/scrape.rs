//! What a daemon answers on `/metrics`: Prometheus' text exposition format, version 0.0.4, read strictly. Half a scrape or a line that
//! means nothing makes the whole of it worthless, since a number that is missing would look like one that is small.
//!
//! Written here because the libraries that read this format leave out the lines that they do not understand.

use std::collections::BTreeMap;

/// Bytes and series of one scrape.
pub const MAX_BYTES: usize = 4 << 20;
const MAX_SERIES: usize = 50_000;

/// The series of one scrape, each once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scrape(BTreeMap<Series, f64>);

/// A name and its labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    pub name: String,
    pub labels: BTreeMap<String, String>,
}

/// Where the text stops being a scrape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the metrics: {why}")]
pub struct Unreadable {
    pub line: usize,
    pub why: String,
}

impl Scrape {
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let wrong = |line: usize, why: &str| Unreadable { line: line + 1, why: why.to_owned() };
        if text.len() > MAX_BYTES {
            return Err(wrong(0, "there are more bytes than a scrape may have"));
        }
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(wrong(text.lines().count().saturating_sub(1), "it ends in the middle of a line"));
        }
        let mut found = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (series, value) = series(line).map_err(|why| wrong(number, why))?;
            if found.len() == MAX_SERIES {
                return Err(wrong(number, "there are more series than a scrape may have"));
            }
            if found.insert(series, value).is_some() {
                return Err(wrong(number, "this series was there already"));
            }
        }
        Ok(Scrape(found))
    }

    /// All series of this name.
    pub fn of<'s>(&'s self, name: &str) -> impl Iterator<Item = (&'s Series, f64)> {
        self.0.iter().filter(move |(series, _)| series.name == name).map(|(series, value)| (series, *value))
    }

    #[must_use]
    pub fn get(&self, series: &Series) -> Option<f64> {
        self.0.get(series).copied()
    }
}

fn series(line: &str) -> Result<(Series, f64), &'static str> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace()).ok_or("a name without a value")?;
    let (name, rest) = line.split_at(end);
    if !is_name(name, ":") {
        return Err("what stands first is no name of a metric");
    }
    let mut labels = BTreeMap::new();
    let rest = match rest.strip_prefix('{') {
        Some(inner) => read_labels(inner, &mut labels)?,
        None => rest,
    };
    let mut words = rest.split_whitespace();
    let value = words.next().ok_or("a name without a value")?;
    // Rust reads `inf` and `nan` in any case, and Go, whose format this is, likewise.
    let value: f64 = value.parse().map_err(|_| "the value is no number")?;
    // A time may follow.
    if words.next().is_some_and(|time| time.parse::<i64>().is_err()) || words.next().is_some() {
        return Err("there is more than a value and a time");
    }
    Ok((Series { name: name.to_owned(), labels }, value))
}

/// Reads labels up to the closing brace, and gives what follows it.
fn read_labels<'l>(mut rest: &'l str, labels: &mut BTreeMap<String, String>) -> Result<&'l str, &'static str> {
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Ok(after);
        }
        let (name, after) = rest.split_once('=').ok_or("a label without a value")?;
        let name = name.trim();
        if !is_name(name, "") {
            return Err("the name of a label is none");
        }
        let quoted = after.trim_start().strip_prefix('"').ok_or("the value of a label is not in quotes")?;
        let (value, after) = unquote(quoted)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err("a label is there twice");
        }
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(after) => after,
            None if after.starts_with('}') => after,
            None => return Err("after a label there must be a comma or a brace"),
        };
    }
}

/// The text up to its closing quote, and what follows that.
fn unquote(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, text.get(at + 1..).unwrap_or_default())),
            '\\' => value.push(match characters.next() {
                Some((_, 'n')) => '\n',
                Some((_, '\\')) => '\\',
                Some((_, '"')) => '"',
                _ => return Err("the value of a label has a backslash before nothing that needs one"),
            }),
            other => value.push(other),
        }
    }
    Err("the value of a label has no end")
}

fn is_name(name: &str, more: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || more.contains(c);
    name.chars().all(fits) && name.chars().next().is_some_and(|first| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prometheus_documents_is_read() {
        let text = "# HELP http_requests_total The total number of HTTP requests.\n\
            # TYPE http_requests_total counter\n\
            http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n\
            http_requests_total{method=\"post\",code=\"400\",}    3 1395066363000\n\n\
            msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"Cannot find \\\"FILE\\\"\\n\"} 1.458255915e9\n\
            metric_without_timestamp_and_labels 12.47\n\
            something_weird{problem=\"division by zero\"} +Inf -3982045\n\
            rpc_duration_seconds{quantile=\"0.5\"} NaN\n";
        let scrape = Scrape::parse(text).unwrap();
        let total: f64 = scrape.of("http_requests_total").map(|(_, value)| value).sum();
        assert_eq!(total, 1030.0);
        let (series, value) = scrape.of("msdos_file_access_time_seconds").next().unwrap();
        assert_eq!(series.labels["error"], "Cannot find \"FILE\"\n");
        assert_eq!(value, 1.458_255_915e9);
        assert_eq!(scrape.of("something_weird").next().unwrap().1, f64::INFINITY);
        assert!(scrape.of("rpc_duration_seconds").next().unwrap().1.is_nan());
    }

    #[test]
    fn what_is_no_scrape_is_refused_with_its_line() {
        for (text, why) in [
            ("a 1\nb", "middle of a line"),
            ("a\n", "without a value"),
            ("a x\n", "no number"),
            ("a 1 2 3\n", "more than"),
            ("1a 2\n", "no name"),
            ("a{b} 1\n", "label without"),
            ("a{b=c} 1\n", "not in quotes"),
            ("a{b=\"c} 1\n", "no end"),
            ("a{b=\"\\c\"} 1\n", "backslash"),
            ("a{b=\"c\" d=\"e\"} 1\n", "comma"),
            ("a{b=\"c\",b=\"d\"} 1\n", "twice"),
            ("a 1\na 2\n", "already"),
            ("<html>\n", "without a value"),
        ] {
            let error = Scrape::parse(text).unwrap_err();
            assert!(error.why.contains(why), "{text:?}: {error}");
        }
        assert_eq!(Scrape::parse("a 1\nb x\n").unwrap_err().line, 2);
        assert_eq!(Scrape::parse("").unwrap(), Scrape::default());
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[a-z{}=\",\\\\ 0-9.\n#é-]{0,80}") {
            let _ = Scrape::parse(&text);
        }
    }
}
