//! The contacts that a message names: a model that answers it is told who they are.

use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::Contact;
use crate::Result;
use crate::db::Prepare as _;
use crate::words::Words;

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    role: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    organisation: Option<String>,
}

/// A line for each contact of whose name a word stands in the text, those with most such words first. How the person is
/// reached is not told: who is to write to somebody looks that up.
///
/// # Errors
/// When the database does not answer.
pub fn named(connection: &mut PgConnection, project_id: Uuid, text: &str, limit: i64) -> Result<Vec<String>> {
    let words = Words::in_text(text).telling();
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Named> = sql_query(
        "SELECT name, role, organisation FROM (SELECT c.*, (SELECT count(*) FROM unnest($2) AS word \
           WHERE word = ANY (regexp_split_to_array(lower(c.name), '[^[:alnum:]]+'))) AS named \
         FROM contacts c WHERE c.project_id = $1) AS counted WHERE named > 0 ORDER BY named DESC, id DESC LIMIT $3",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<Array<Text>, _>(words.each())
    .bind::<BigInt, _>(limit)
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().map(Named::line).collect())
}

impl Named {
    fn line(self) -> String {
        line(&self.name, self.role.as_deref(), self.organisation.as_deref())
    }
}

impl Contact {
    /// Who it is, as a model is told.
    #[must_use]
    pub fn line(&self) -> String {
        line(&self.name, self.role.as_deref(), self.organisation.as_deref())
    }
}

fn line(name: &str, role: Option<&str>, organisation: Option<&str>) -> String {
    let more: Vec<&str> = [role, organisation].into_iter().flatten().collect();
    if more.is_empty() { name.to_owned() } else { format!("{name} ({})", more.join(", ")) }
}
