//! Agents as the workers publish them: the API knows nothing of prompts but these rows.

use diesel::sql_types::{Bool, Nullable, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Error, Result};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, QueryableByName)]
pub struct Agent {
    /// As a task names it.
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Text)]
    pub description: String,
    /// The model that it asks unless the task names one; null for the default model.
    #[diesel(sql_type = Nullable<Text>)]
    pub model: Option<String>,
    /// Whether it answers when a task names none.
    #[serde(rename = "default")]
    #[diesel(sql_type = Bool)]
    pub is_default: bool,
}

/// The default first, then by name.
///
/// # Errors
/// When the database does not answer.
pub fn list(connection: &mut PgConnection) -> Result<Vec<Agent>> {
    let sql = "SELECT name, title, description, model, is_default FROM agents ORDER BY is_default DESC, name LIMIT 200";
    Ok(sql_query(sql).load(connection)?)
}

/// That there is one of that name.
///
/// # Errors
/// [`Error::Invalid`] with the names that there are.
pub fn check(connection: &mut PgConnection, name: &str) -> Result<()> {
    let agents = list(connection)?;
    if agents.iter().any(|agent| agent.name == name) {
        return Ok(());
    }
    let message = if agents.is_empty() {
        "no worker has told of its agents yet; start one, or leave this out for the default".to_owned()
    } else {
        let names: Vec<&str> = agents.iter().map(|agent| agent.name.as_str()).collect();
        format!("there is no agent {name:?}; there are {}", names.join(", "))
    };
    Err(Error::invalid("payload.agent", message))
}

/// Replaces what was published. Workers of one installation share their version, so the last one to start is right.
///
/// # Errors
/// When the database does not answer.
pub fn publish(connection: &mut PgConnection, agents: &[Agent]) -> Result<()> {
    connection.transaction(|connection| {
        // Two workers that start at once follow each other.
        sql_query("LOCK TABLE agents IN SHARE ROW EXCLUSIVE MODE").execute(connection)?;
        sql_query("DELETE FROM agents").execute(connection)?;
        for agent in agents {
            sql_query("INSERT INTO agents (name, title, description, model, is_default) VALUES ($1, $2, $3, $4, $5)")
                .bind::<Text, _>(&agent.name)
                .bind::<Text, _>(&agent.title)
                .bind::<Text, _>(&agent.description)
                .bind::<Nullable<Text>, _>(&agent.model)
                .bind::<Bool, _>(agent.is_default)
                .execute(connection)?;
        }
        Ok(())
    })
}
