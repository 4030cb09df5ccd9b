//! The conversation of a project: read it, or say something, which is a chat task.

use actix_web::web;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use titan_core::engine::{NewTask, Submission};
use titan_core::messages::{self, Message};
use titan_core::page::Page;
use titan_core::tasks::Task;
use utoipa::ToSchema;
use uuid::Uuid;

use super::tasks::submit;
use super::{Answer, Paging, State};
use crate::access::{Access, TasksRead, TasksWrite};
use crate::http::body::{Body, required};
use crate::http::created::Created;
use crate::http::idempotency::Key;
use crate::http::params::Query;
use crate::http::problem::ApiError;

#[derive(Debug, Deserialize, ToSchema)]
pub struct NewMessageBody {
    #[schema(required, nullable = false, min_length = 1, max_length = 100_000)]
    content: Option<String>,
    /// Who is to answer, by name; the default agent when nobody is named.
    #[schema(max_length = 400)]
    agent: Option<String>,
    /// Which model is to answer: `provider:model`; the agent's, or the default one, when none is named.
    #[schema(max_length = 400)]
    model: Option<String>,
    /// The ids of at most 8 files that were sent before, of 20 MiB together.
    #[schema(max_items = 8)]
    attachments: Option<Vec<Uuid>>,
}

impl NewMessageBody {
    fn payload(&self, content: &str) -> Value {
        let mut payload = Map::from_iter([("content".to_owned(), json!(content))]);
        let named = [("agent", &self.agent), ("model", &self.model)];
        payload.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?)))));
        if let Some(ids) = self.attachments.as_ref().filter(|ids| !ids.is_empty()) {
            payload.insert("attachments".to_owned(), json!(ids));
        }
        Value::Object(payload)
    }
}

/// Read the conversation: the latest page first, each page with its oldest message first
#[utoipa::path(get, path = "/api/projects/{id}/messages", tag = "messages", params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = Page<Message>)))]
pub async fn list_messages(
    _: Access<TasksRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<Paging>,
) -> Answer<Page<Message>> {
    let Paging { limit, cursor } = query.0;
    let list = move |connection: &mut titan_core::db::PgConnection| {
        messages::list(connection, *project_id, limit, cursor.as_deref())
    };
    Ok(web::Json(state.db.run(list).await?))
}

/// Say something; the answer is the chat task that replies
#[utoipa::path(post, path = "/api/projects/{id}/messages", tag = "messages", request_body = NewMessageBody,
    params(("id" = Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one message")),
    responses((status = 201, body = Task)))]
pub async fn send_message(
    _: Access<TasksWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    key: Key,
    body: Body<NewMessageBody>,
) -> Result<Created<Task>, ApiError> {
    let content = required("content", body.value.content.clone())?;
    let key = key.scoped(format!("POST /api/projects/{project_id}/messages"), &body.raw);
    let task = NewTask {
        project_id: *project_id,
        task_type: "chat".to_owned(),
        title: None,
        payload: body.value.payload(&content),
        execution_type: None,
        priority: 0,
        max_retries: None,
        queue: None,
        limit_key: None,
        run_at: None,
    };
    submit(&state, Submission { task, key, trace_id: None }).await.map_err(|error| error.not_beneath("payload"))
}
