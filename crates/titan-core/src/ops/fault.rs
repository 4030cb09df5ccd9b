//! What is wrong with a proposal: all of it at once, each with its place and with what would be right.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// More are not told one by one.
pub const MOST_FAULTS: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PatchFault)]
pub struct Fault {
    /// Where: `patches[3].path`, or a path of the repository when the change has been applied already.
    pub field: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// Those found so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    told: Vec<Fault>,
    more: usize,
}

impl Faults {
    pub(super) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        if self.told.len() < MOST_FAULTS {
            self.told.push(Fault { field: field.into(), message: message.into() });
        } else {
            self.more += 1;
        }
    }

    /// At most [`MOST_FAULTS`]; when there were more, the last one says how many.
    pub(super) fn into_inner(mut self) -> Vec<Fault> {
        if self.more > 0 {
            // The one that makes room for the number is not told either.
            let message = format!("and {} more faults that are not told here; mend these first", self.more + 1);
            self.told.pop();
            self.told.push(Fault { field: "patches".to_owned(), message });
        }
        self.told
    }

    /// The value, when nothing was found.
    pub(super) fn or<T>(self, value: T) -> Result<T, Vec<Fault>> {
        if self.told.is_empty() { Ok(value) } else { Err(self.into_inner()) }
    }
}

/// A name or a line as it is quoted in a sentence: not more than can be read, and nothing that a terminal would obey.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let short = crate::text::head(text, LONGEST);
    if short.len() < text.len() { format!("{short:?}...") } else { format!("{text:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_a_hundred_are_told_and_the_last_says_how_many_more() {
        for (found, told) in [(0, 0), (1, 1), (100, 100), (101, 100), (250, 100)] {
            let mut faults = Faults::default();
            (0..found).for_each(|at| faults.add(format!("patches[{at}]"), "is wrong"));
            let list = faults.into_inner();
            assert_eq!(list.len(), told);
            if found > told {
                let message = format!("and {} more faults", found - told + 1);
                assert!(list[told - 1].message.starts_with(&message), "{:?}", list[told - 1]);
            }
        }
    }

    #[test]
    fn what_is_quoted_is_short_and_harmless() {
        assert_eq!(quoted("a\u{1b}[2J"), r#""a\u{1b}[2J""#);
        assert_eq!(quoted(&"é".repeat(81)), format!("\"{}\"...", "é".repeat(80)));
    }
}
