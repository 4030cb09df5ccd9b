//! What a project's documents and contacts have to do with a message, as the model is shown it.

use titan_core::db::PgConnection;
use titan_core::documents::{self, Found};
use titan_core::{Result, contacts};
use uuid::Uuid;

/// Passages and people that are looked at; how many of them fit is a matter of their length.
const MOST_PASSAGES: i64 = 12;
const MOST_PEOPLE: i64 = 10;

#[derive(Debug, Default)]
pub(super) struct Background {
    pub(super) contacts: Vec<String>,
    pub(super) documents: Vec<String>,
}

impl Background {
    /// Empty when it cannot be read, for instance in the time that a statement has: an answer without it is better than none.
    pub(super) fn read(connection: &mut PgConnection, project_id: Uuid, message: &str) -> Self {
        Self::try_read(connection, project_id, message).unwrap_or_else(|error| {
            tracing::warn!(%error, project.id = %project_id, "the answer goes on without documents and contacts");
            Self::default()
        })
    }

    fn try_read(connection: &mut PgConnection, project_id: Uuid, message: &str) -> Result<Self> {
        let found = documents::matching(connection, project_id, message, MOST_PASSAGES)?;
        let documents = worth_showing(&found).map(line).collect();
        Ok(Self { contacts: contacts::named(connection, project_id, message, MOST_PEOPLE)?, documents })
    }
}

/// Those that match at least half as well as the best one: a passage that shares one common word with a long message says
/// nothing.
fn worth_showing(found: &[Found]) -> impl Iterator<Item = &Found> {
    let best = found.first().map_or(0.0, |found| found.score);
    found.iter().filter(move |found| found.score * 2.0 >= best)
}

fn line(found: &Found) -> String {
    format!("{:?}, passage {}: {}", found.name, found.passage + 1, found.excerpt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_matches_are_left_out() {
        let found = |score| Found {
            document_id: Uuid::nil(),
            name: "a \"b\".pdf".to_owned(),
            passage: 0,
            excerpt: "Tea.".to_owned(),
            score,
        };
        let all = [found(4.0), found(2.1), found(1.0)];
        assert_eq!(worth_showing(&all).count(), 2);
        assert_eq!(line(&all[0]), "\"a \\\"b\\\".pdf\", passage 1: Tea.");
        assert_eq!(worth_showing(&[]).count(), 0);
    }
}
