//! A wish, and the answers to a plan's questions, become a draft: a task whose run makes the next version.

use actix_web::web;
use serde::{Deserialize, Serialize};
use serde_json::json;
use titan_core::db::PgConnection;
use titan_core::engine::{IdempotencyKey, Submission};
use titan_core::plans::{self, NewAnswer, Plan};
use titan_core::projects::{self, NewProject};
use titan_core::queue::Hint;
use titan_core::tasks::{self, Task};
use titan_core::text::head;
use titan_core::title::title_of;
use titan_core::{Error, idempotency};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::{Access, ProjectsWrite};
use crate::http::body::{Body, required};
use crate::http::created::Created;
use crate::http::idempotency::Key;
use crate::http::problem::ApiError;
use crate::routes::{Answer, State};

/// Answers of one request.
const MOST_ANSWERS: usize = 20;
/// Characters of a wish that describe a project; templates take no more of it.
const DESCRIPTION: usize = 5_000;

#[derive(Debug, Deserialize, ToSchema)]
pub struct ReiterateBody {
    /// Whose plan it is; without one a project is made for the wish. Also accepted as `projectId`.
    #[serde(alias = "projectId")]
    project_id: Option<Uuid>,
    /// Needed but for a project that has a plan: then it may be left out, and the next version is for the same wish.
    #[schema(max_length = 20_000, example = "A page for our tea shop")]
    wish: Option<String>,
    /// What a new project is called; made from the wish when it is not given.
    #[schema(max_length = 200)]
    name: Option<String>,
    /// What kind of project a new one is; `general` when it is not given.
    #[serde(rename = "type")]
    #[schema(max_length = 100)]
    project_type: Option<String>,
    /// The model that is asked: `provider:model`; the default one when it is not given.
    #[schema(max_length = 400)]
    model: Option<String>,
}

/// A draft that has been ordered.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanOrdered {
    project_id: Uuid,
    /// Its run makes the version; `plan.section` events tell of it while it is written.
    task: Task,
}

/// Have a plan made for a wish, or the next version of one that was answered
#[utoipa::path(post, path = "/api/projects/reiterate", tag = "plans", request_body = ReiterateBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one draft")),
    responses((status = 201, body = PlanOrdered)))]
pub async fn reiterate(
    _: Access<ProjectsWrite>,
    state: State,
    key: Key,
    body: Body<ReiterateBody>,
) -> Result<Created<PlanOrdered>, ApiError> {
    let scope = "POST /api/projects/reiterate";
    let of_project = key.scoped(format!("{scope} project"), &body.raw);
    let of_draft = key.scoped(scope.to_owned(), &body.raw);
    let ReiterateBody { project_id, wish, name, project_type, model } = body.value;
    let (project_id, task, replayed) = match project_id {
        Some(id) => {
            let wish = wish_for(&state, id, wish, of_draft.clone()).await?;
            let (task, replayed) = order(&state, id, &wish, model.as_deref(), of_draft).await?;
            (id, task, replayed)
        }
        None => {
            let wish = plans::checked_wish(&required("wish", wish)?)?;
            let new = NewProject {
                name: name.unwrap_or_else(|| title_of(&wish)),
                project_type,
                template_ref: None,
                spec: Some(json!({"description": head(&wish, DESCRIPTION)})),
            };
            let make = move |connection: &mut PgConnection| {
                plans::begin_project(connection, &new, of_project.as_ref(), &wish, model.as_deref(), of_draft)
            };
            let begun = state.db.run(make).await;
            let (task, replayed, hints) = begun.map_err(|error| ApiError::from(error).not_beneath("payload"))?;
            state.notifier.send(hints);
            (task.project_id, task, replayed)
        }
    };
    Ok(Created { location: format!("/api/tasks/{}", task.id), body: PlanOrdered { project_id, task }, replayed })
}

/// The wish that was given, or that of the newest version.
async fn wish_for(
    state: &State,
    project_id: Uuid,
    wish: Option<String>,
    key: Option<IdempotencyKey>,
) -> Result<String, ApiError> {
    let find = move |connection: &mut PgConnection| {
        projects::exists(connection, project_id)?;
        // Who asks again for what was ordered before hears what became of it.
        if !idempotency::was_used(connection, key.as_ref())? {
            plans::refuse_second(connection, project_id)?;
        }
        match wish {
            Some(wish) => plans::checked_wish(&wish),
            None => match plans::latest(connection, project_id)? {
                Some(plan) => Ok(plan.summary.wish),
                None => Err(Error::invalid("wish", "is required: the project has no plan yet")),
            },
        }
    };
    Ok(state.db.run(find).await?)
}

async fn order(
    state: &State,
    project_id: Uuid,
    wish: &str,
    model: Option<&str>,
    key: Option<IdempotencyKey>,
) -> Result<(Task, bool), ApiError> {
    let submission = Submission { task: plans::draft_of(project_id, wish, model), key, trace_id: None };
    let submitted =
        state.committer.submit(submission).await.map_err(|error| ApiError::from(error).not_beneath("payload"))?;
    let task = match submitted.task {
        Some(task) => *task,
        None => state.db.run(move |connection| tasks::get(connection, submitted.task_id)).await?,
    };
    Ok((task, submitted.replayed))
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct PlanAnswersBody {
    /// The version that is answered: the newest.
    #[schema(required, nullable = false)]
    version: Option<i32>,
    #[schema(required, nullable = false, max_items = 20)]
    answers: Option<Vec<NewAnswer>>,
    /// Whether the next version is to be made from them at once; true when nothing is said.
    refine: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PlanAnswered {
    /// The version with its answers.
    plan: Plan,
    /// The draft of the next one, if it was ordered.
    task: Option<Task>,
}

/// Answer questions of the plan, and have the next version made
#[utoipa::path(post, path = "/api/projects/{id}/plan/answers", tag = "plans", request_body = PlanAnswersBody,
    params(("id" = Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one draft")),
    responses((status = 200, body = PlanAnswered)))]
pub async fn answer_plan(
    _: Access<ProjectsWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    key: Key,
    body: Body<PlanAnswersBody>,
) -> Answer<PlanAnswered> {
    let project_id = project_id.into_inner();
    let key = key.scoped(format!("POST /api/projects/{project_id}/plan/answers"), &body.raw);
    let version = required("version", body.value.version)?;
    let answers = required("answers", body.value.answers)?;
    if answers.len() > MOST_ANSWERS {
        let message = format!("must be at most {MOST_ANSWERS}, and are {}", answers.len());
        return Err(Error::invalid("answers", message).into());
    }
    let refine = body.value.refine.unwrap_or(true);
    let of_draft = key.clone();
    let keep = move |connection: &mut PgConnection| {
        // What came before was kept then, and other answers may have been given since.
        if idempotency::was_used(connection, of_draft.as_ref())? {
            return plans::get(connection, project_id, version);
        }
        if refine {
            plans::refuse_second(connection, project_id)?;
            return plans::answer(connection, project_id, version, &answers);
        }
        // No draft takes the key.
        plans::answer_once(connection, project_id, version, &answers, of_draft.as_ref())
    };
    let plan = state.db.run(keep).await?;
    state.notifier.send(vec![Hint::change("plan", plan.summary.id, project_id)]);
    let task = match refine {
        true => Some(order(&state, project_id, &plan.summary.wish, None, key).await?.0),
        false => None,
    };
    Ok(web::Json(PlanAnswered { plan, task }))
}
