//! Model providers as the workers publish them: the API knows nothing of models but these rows.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Nullable, Text, Timestamptz};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Result;

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Provider {
    #[diesel(sql_type = Text)]
    pub name: String,
    /// `offline` or `openai`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub model: String,
    /// `ready`, `failing` or `unknown`.
    #[diesel(sql_type = Text)]
    pub state: String,
    #[serde(rename = "default")]
    #[diesel(sql_type = Bool)]
    pub is_default: bool,
    #[diesel(sql_type = Text)]
    pub detail: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub checked_at: DateTime<Utc>,
}

/// The default first, then by name.
///
/// # Errors
/// When the database does not answer.
pub fn list(connection: &mut PgConnection) -> Result<Vec<Provider>> {
    Ok(sql_query(
        "SELECT name, kind, model, state, is_default, detail, last_error, checked_at FROM providers \
         ORDER BY is_default DESC, name LIMIT 100",
    )
    .load(connection)?)
}

/// Replaces what was published by what this worker offers now. Workers of one installation share their configuration, so
/// the last one to start is right.
///
/// # Errors
/// When the database does not answer.
pub fn publish(connection: &mut PgConnection, providers: &[Provider]) -> Result<()> {
    connection.transaction(|connection| {
        let names: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
        sql_query("DELETE FROM providers WHERE NOT (name = ANY($1))").bind::<Array<Text>, _>(names).execute(connection)?;
        for provider in providers {
            sql_query(
                "INSERT INTO providers (name, kind, model, state, is_default, detail, last_error, checked_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, \
                 model = excluded.model, state = excluded.state, is_default = excluded.is_default, detail = excluded.detail, \
                 last_error = excluded.last_error, checked_at = excluded.checked_at",
            )
            .bind::<Text, _>(&provider.name)
            .bind::<Text, _>(&provider.kind)
            .bind::<Text, _>(&provider.model)
            .bind::<Text, _>(&provider.state)
            .bind::<Bool, _>(provider.is_default)
            .bind::<Text, _>(&provider.detail)
            .bind::<Nullable<Text>, _>(&provider.last_error)
            .bind::<Timestamptz, _>(provider.checked_at)
            .execute(connection)?;
        }
        Ok(())
    })
}

/// Records how the last call of a provider went.
///
/// # Errors
/// When the database does not answer.
pub fn record(connection: &mut PgConnection, name: &str, error: Option<&str>) -> Result<()> {
    sql_query(
        "UPDATE providers SET state = $2, last_error = coalesce($3, last_error), checked_at = now() \
         WHERE name = $1 AND (state <> $2 OR checked_at < now() - interval '10 seconds')",
    )
    .bind::<Text, _>(name)
    .bind::<Text, _>(if error.is_some() { "failing" } else { "ready" })
    .bind::<Nullable<Text>, _>(error)
    .execute(connection)?;
    Ok(())
}
