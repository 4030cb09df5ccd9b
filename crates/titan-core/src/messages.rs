//! The conversation of a project, read. Messages are written by the engine: the question when a task is submitted, the
//! answer when its step is done.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::attachments::Attachment;
use crate::db::Prepare as _;
use crate::page::Page;
use crate::{Error, Result};

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Message {
    pub id: Uuid,
    pub project_id: Uuid,
    pub task_id: Uuid,
    pub run_id: Option<Uuid>,
    /// `user` or `assistant`.
    pub role: String,
    /// The agent that was asked, or that answers.
    pub agent: Option<String>,
    pub content: String,
    /// What was sent along.
    pub attachments: Vec<Attachment>,
    /// A summary stands in for it when a model is asked.
    pub summarised: bool,
    pub created_at: DateTime<Utc>,
    #[serde(skip)]
    ordinal: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    project_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    task_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    run_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Nullable<Text>)]
    agent: Option<String>,
    #[diesel(sql_type = Text)]
    content: String,
    #[diesel(sql_type = Nullable<Jsonb>)]
    attachments: Option<Value>,
    #[diesel(sql_type = Bool)]
    summarised: bool,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    ordinal: i64,
}

impl TryFrom<Row> for Message {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Message {
            attachments: parsed(row.attachments)?,
            id: row.id,
            project_id: row.project_id,
            task_id: row.task_id,
            run_id: row.run_id,
            role: row.role,
            agent: row.agent,
            content: row.content,
            summarised: row.summarised,
            created_at: row.created_at,
            ordinal: row.ordinal,
        })
    }
}

fn parsed(attachments: Option<Value>) -> Result<Vec<Attachment>> {
    let Some(attachments) = attachments else { return Ok(Vec::new()) };
    serde_json::from_value(attachments).map_err(|error| Error::Internal(format!("attachments of a message: {error}")))
}

/// What a question brought along: the attachments that its task's payload names, in that order. Payloads of older versions may
/// hold anything.
const ATTACHMENTS: &str = "(SELECT jsonb_agg(jsonb_build_object('id', a.id, 'name', a.name, 'media_type', a.media_type, \
       'size', a.size, 'created_at', a.created_at) ORDER BY named.place) \
     FROM jsonb_array_elements_text(CASE WHEN jsonb_typeof(t.payload -> 'attachments') = 'array' \
       THEN t.payload -> 'attachments' ELSE '[]' END) WITH ORDINALITY AS named (id, place) \
     JOIN attachments a ON a.project_id = m.project_id AND a.id = \
       CASE WHEN named.id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN named.id::uuid END \
     WHERE m.role = 'user') AS attachments";

fn select() -> String {
    format!(
        "SELECT m.id, m.project_id, m.task_id, m.run_id, m.role, t.payload ->> 'agent' AS agent, m.content, {ATTACHMENTS}, \
           m.ordinal <= coalesce((SELECT max(up_to_ordinal) FROM conversation_summaries s WHERE s.project_id = m.project_id), 0) \
             AS summarised, m.created_at, m.ordinal \
         FROM messages m JOIN tasks t ON t.id = m.task_id"
    )
}

/// The latest messages, oldest first within the page; the cursor leads to the page before it.
///
/// # Errors
/// [`crate::Error::NotFound`] for the project; a cursor or limit that is wrong.
pub fn list(
    connection: &mut PgConnection,
    project_id: Uuid,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Message>> {
    let limit = crate::page::limit(limit)?;
    crate::projects::exists(connection, project_id)?;
    let rows: Vec<Row> = sql_query(format!(
        "{} WHERE m.project_id = $1 AND ($2 IS NULL OR m.ordinal < $2) ORDER BY m.ordinal DESC LIMIT $3",
        select()
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<BigInt>, _>(crate::page::parse_cursor::<i64>(cursor)?)
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    let rows = rows.into_iter().map(Message::try_from).collect::<Result<Vec<_>>>()?;
    let mut page = Page::of(rows, limit, |message| message.ordinal.to_string());
    page.items.reverse();
    Ok(page)
}

/// The answer that a run gave, if it has.
///
/// # Errors
/// When the database does not answer.
pub fn answer(connection: &mut PgConnection, run_id: Uuid) -> Result<Option<Message>> {
    let rows: Vec<Row> = sql_query(format!("{} WHERE m.run_id = $1 AND m.role = 'assistant'", select()))
        .bind::<SqlUuid, _>(run_id)
        .load(connection)?;
    rows.into_iter().next().map(Message::try_from).transpose()
}

/// A message as a model is shown it.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    pub ordinal: i64,
    pub is_answer: bool,
    pub content: String,
    pub attachments: Vec<Attachment>,
}

/// The place of what a task asks.
///
/// # Errors
/// When the database does not answer.
pub fn asked_at(connection: &mut PgConnection, project_id: Uuid, task_id: Uuid) -> Result<Option<i64>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        ordinal: i64,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT ordinal FROM messages WHERE project_id = $1 AND task_id = $2 AND role = 'user' ORDER BY ordinal DESC LIMIT 1",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<SqlUuid, _>(task_id)
    .prepared()
    .load(connection)?;
    Ok(rows.first().map(|row| row.ordinal))
}

/// Messages that are read at most, and bytes of them.
const MOST_EARLIER: i64 = 2000;
const MOST_BYTES: i64 = 8 << 20;
/// Of those that a summary covers, the last so many are read all the same.
const COVERED: i64 = 12;

/// The newest messages of a project that do not belong to this task, oldest first: those that no summary covers, and the last of
/// the others.
///
/// # Errors
/// When the database does not answer.
pub fn history(connection: &mut PgConnection, project_id: Uuid, task_id: Uuid, covered: i64) -> Result<Vec<Earlier>> {
    #[derive(QueryableByName)]
    struct Turn {
        #[diesel(sql_type = BigInt)]
        ordinal: i64,
        #[diesel(sql_type = Text)]
        role: String,
        #[diesel(sql_type = Text)]
        content: String,
        #[diesel(sql_type = Nullable<Jsonb>)]
        attachments: Option<Value>,
    }
    let rows: Vec<Turn> = sql_query(format!(
        "SELECT ordinal, role, content, attachments FROM ( \
           SELECT m.ordinal, m.role, m.content, {ATTACHMENTS}, sum(octet_length(m.content)) OVER (ORDER BY m.ordinal DESC) AS bytes \
           FROM (SELECT * FROM messages WHERE project_id = $1 AND task_id <> $2 AND ordinal > least($3, coalesce( \
               (SELECT ordinal FROM messages WHERE project_id = $1 ORDER BY ordinal DESC OFFSET $4 LIMIT 1), 0)) \
             ORDER BY ordinal DESC LIMIT $5) AS m \
           JOIN tasks t ON t.id = m.task_id) AS said \
         WHERE bytes <= $6 ORDER BY ordinal"
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<SqlUuid, _>(task_id)
    .bind::<BigInt, _>(covered)
    .bind::<BigInt, _>(COVERED)
    .bind::<BigInt, _>(MOST_EARLIER)
    .bind::<BigInt, _>(MOST_BYTES)
    .prepared()
    .load(connection)?;
    let earlier = |row: Turn| {
        Ok(Earlier {
            ordinal: row.ordinal,
            is_answer: row.role == "assistant",
            content: row.content,
            attachments: parsed(row.attachments)?,
        })
    };
    rows.into_iter().map(earlier).collect()
}
