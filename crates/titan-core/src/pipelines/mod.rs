//! Pipelines: what a project is made from and where it goes. A pipeline is a task like any other; here are its order, which says
//! everything that its run needs, and what it brings about outside of the run: the preview and the publications.

mod order;
pub mod previews;
pub mod publications;

use std::path::Path;

use diesel::{Connection as _, PgConnection};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::engine::{self, IdempotencyKey, NewTask, Submission};
use crate::projects::{self, NewProject, Project};
use crate::queue::Hint;
use crate::{Error, Result, templates};

pub use order::{Order, Target, of_run};

/// The type of the task, and the name of its workflow.
pub const TASK_TYPE: &str = "pipeline";

/// What a person says of a pipeline; what is left out is chosen.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The project's own when it is not given.
    pub template: Option<String>,
    /// What the template wants to know, before what the project's spec says.
    pub inputs: Option<Value>,
    pub target: Option<Target>,
    /// The name of a deploy hook, for that target.
    pub hook: Option<String>,
}

/// Makes a project, and when it has a template, the task that makes it of that, all or nothing. With a key that was seen before,
/// finds the project that it made. The flag says which.
///
/// # Errors
/// What is wrong with a field, with the template or with its inputs; the key's misuse.
pub fn create_project(
    connection: &mut PgConnection,
    templates_dir: Option<&Path>,
    new: &NewProject,
    wanted: &Wanted,
    key: Option<&IdempotencyKey>,
) -> Result<(Project, bool, Vec<Hint>)> {
    connection.transaction(|connection| {
        let (project, replayed) = projects::create(connection, new, key)?;
        let mut hints = vec![Hint::change("project", project.id, project.id)];
        if replayed || project.template_ref.is_none() {
            return Ok((project, replayed, hints));
        }
        let task = task(connection, templates_dir, project.id, wanted)?;
        let submission = Submission { task, key: None, trace_id: None };
        let (_, more) = engine::apply_one(connection, submission.into())?;
        hints.extend(more);
        Ok((projects::get(connection, project.id)?, false, hints))
    })
}

/// The same for what a plan has chosen: none when the project's last pipeline was ordered with the very same template, since that
/// one makes the project already, or has made it.
///
/// # Errors
/// As [`task`].
pub fn task_of_plan(
    connection: &mut PgConnection,
    templates_dir: Option<&Path>,
    project_id: Uuid,
    wanted: &Wanted,
) -> Result<Option<NewTask>> {
    let task = task(connection, templates_dir, project_id, wanted)?;
    let last = order::last_of(connection, project_id)?;
    let of_same = last.is_some_and(|last| Order::of(&task.payload).is_ok_and(|order| order.sha256 == last.sha256));
    Ok((!of_same).then_some(task))
}

/// Two pipelines of a project at once would take each other's preview away.
///
/// # Errors
/// [`Error::Conflict`] while one is under way.
pub fn refuse_second(connection: &mut PgConnection, project_id: Uuid) -> Result<()> {
    match order::under_way(connection, project_id)? {
        None => Ok(()),
        Some(run_id) => {
            let message = format!("the project is being made by run {run_id}; wait for its end, or cancel it");
            Err(Error::Conflict(message))
        }
    }
}

/// The task of a pipeline, with an order in which nothing is left open.
///
/// # Errors
/// [`Error::NotFound`] for the project; what is wrong with the template, its inputs or the target.
pub fn task(
    connection: &mut PgConnection,
    templates_dir: Option<&Path>,
    project_id: Uuid,
    wanted: &Wanted,
) -> Result<NewTask> {
    let project = projects::get(connection, project_id)?;
    let field = if wanted.template.is_some() { "template" } else { "template_ref" };
    let reference = wanted.template.clone().or(project.template_ref).ok_or_else(|| {
        Error::invalid("template", "is not given, and the project has none; name one, such as static-site")
    })?;
    // It is not what the address is about, but a field that says something wrong.
    let template = templates::resolve(connection, templates_dir, &reference).map_err(|error| match error {
        Error::UnknownTemplate { .. } => Error::invalid(field, error.to_string()),
        other => other,
    })?;
    let given = match &wanted.inputs {
        None => Map::new(),
        Some(Value::Object(given)) => given.clone(),
        Some(_) => return Err(Error::invalid("inputs", "must be an object")),
    };
    let inputs = templates::inputs_for(&template.manifest.inputs, &project.name, &project.spec, &given);
    let rendered = templates::render(&template, &inputs).map_err(Error::WrongTemplate)?;
    let order = Order::new(&template, rendered.inputs, &rendered.deploy, wanted)?;
    templates::keep(connection, &template)?;
    let payload = serde_json::to_value(&order).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(NewTask {
        project_id,
        task_type: TASK_TYPE.to_owned(),
        title: Some(format!("Make it of {}", template.reference())),
        payload,
        execution_type: None,
        priority: 0,
        max_retries: None,
        queue: None,
        limit_key: None,
        run_at: None,
    })
}
