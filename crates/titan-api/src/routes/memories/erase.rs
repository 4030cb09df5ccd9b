//! Erasing what is remembered, and people with it, with a word that it is meant.

use actix_web::web;
use serde::{Deserialize, Serialize};
use titan_core::db::PgConnection;
use titan_core::queue::Hint;
use titan_core::{memories, people};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::{Answer, State};
use super::tell;
use crate::access::{Access, MemoriesWrite};
use crate::http::body::{Body, required};
use crate::http::problem::{ApiError, Code};

#[derive(Debug, Deserialize, ToSchema)]
pub struct EraseMemoriesBody {
    /// Only what is about this person or names her or him. In a project, everything when it is not given.
    #[schema(min_length = 1, max_length = 200)]
    person: Option<String>,
    /// Must be true: what is erased cannot be brought back.
    #[schema(required, nullable = false)]
    confirm: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ErasedMemories {
    /// How many memories there were.
    erased: usize,
    /// In how many projects.
    projects: usize,
    /// How many contacts and leads had the name; none when no person is given.
    contacts: i64,
    leads: i64,
}

/// Erase what a project remembers, all of it or what is about a person
///
/// Summaries of the conversation go too, and the contacts and leads of that name. Its messages, documents, attachments,
/// tasks, logs, outputs, backups and what providers keep are not reached: a model is still shown the conversation, whatever
/// was erased from the memory. Works for a deleted project as well.
#[utoipa::path(post, path = "/api/projects/{id}/memories/erase", tag = "memories", params(("id" = Uuid, Path)),
    request_body = EraseMemoriesBody, responses((status = 200, body = ErasedMemories)))]
pub async fn erase_memories(
    _: Access<MemoriesWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    body: Body<EraseMemoriesBody>,
) -> Answer<ErasedMemories> {
    erase(&state, Some(*project_id), body.value).await
}

/// Erase what is remembered about a person in all projects
///
/// Summaries of the conversations that it came from go too, and the contacts and leads of that name. Messages, documents,
/// attachments, tasks, logs, outputs, backups and what providers keep are not reached: a model is still shown the
/// conversation of its project, whatever was erased from the memory.
#[utoipa::path(post, path = "/api/memories/erase", tag = "memories", request_body = EraseMemoriesBody,
    responses((status = 200, body = ErasedMemories)))]
pub async fn erase_person(
    _: Access<MemoriesWrite>,
    state: State,
    body: Body<EraseMemoriesBody>,
) -> Answer<ErasedMemories> {
    required("person", body.value.person.as_deref())?;
    erase(&state, None, body.value).await
}

async fn erase(state: &State, project_id: Option<Uuid>, body: EraseMemoriesBody) -> Answer<ErasedMemories> {
    if body.confirm != Some(true) {
        let message = "must be true, since what is erased cannot be brought back";
        return Err(ApiError::field(Code::ValidationFailed, "confirm", message));
    }
    let erase = move |connection: &mut PgConnection| {
        let erased = memories::erase(connection, project_id, body.person.as_deref())?;
        let people = body.person.as_deref().map(|person| people::erase(connection, project_id, person)).transpose()?;
        Ok((erased, people))
    };
    let (erased, people) = state.db.run(erase).await?;
    let (contacts, leads) = people.map_or((0, 0), |people| (people.contacts, people.leads));
    if people.is_some() {
        let change = |kind: &str| Hint::Change { kind: kind.to_owned(), id: Uuid::nil(), project_id };
        state.notifier.send(vec![change("contact"), change("lead")]);
    }
    for project_id in erased.keys() {
        tell(state, Uuid::nil(), *project_id);
    }
    Ok(web::Json(ErasedMemories { erased: erased.values().sum(), projects: erased.len(), contacts, leads }))
}
