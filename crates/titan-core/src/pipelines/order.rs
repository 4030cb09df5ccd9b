//! The order of a pipeline: the payload of its task.

use diesel::sql_types::{Jsonb, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Wanted;
use crate::templates::{self, Deploy, Rendered, Template};
use crate::{Error, Result, text};

/// Where a project is deployed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A server in the sandbox of a worker.
    Preview,
    /// A folder under `OUTPUT_DIR`.
    Directory,
    /// Somebody else's service, which is told to fetch it.
    Hook,
}

/// Everything that a run of a pipeline begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its name and version, for people.
    pub template: String,
    /// Its checksum, in hex: what the run is made from, whatever is installed later.
    pub sha256: String,
    pub inputs: Value,
    pub target: Target,
    /// The name of the variable with the hook's address, without its `TITAN_HOOK_`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
}

impl Order {
    pub(super) fn new(template: &Template, inputs: Value, deploy: &Deploy, wanted: &Wanted) -> Result<Self> {
        let offers = offers(deploy);
        let usual = *offers.first().ok_or_else(|| {
            Error::invalid("template", format!("{} says nowhere that it can be deployed to", template.reference()))
        })?;
        let target = wanted.target.unwrap_or(usual);
        if !offers.contains(&target) {
            let words: Vec<String> = offers.iter().map(|target| target.to_string()).collect();
            let message = format!("must be {} with {}, and is {target}", words.join(" or "), template.reference());
            return Err(Error::invalid("target", message));
        }
        Ok(Order {
            template: template.reference().to_string(),
            sha256: text::hex(&template.sha256()),
            inputs,
            target,
            hook: checked_hook(target, wanted.hook.as_deref())?,
        })
    }

    /// # Errors
    /// What a payload that was not made here gets wrong.
    pub fn of(payload: &Value) -> Result<Self> {
        Order::deserialize(payload)
            .map_err(|error| Error::invalid("payload", format!("is no order of a pipeline: {error}")))
    }

    /// The template with its inputs, as they were when the order was given.
    ///
    /// # Errors
    /// [`Error::Internal`] when it was not kept.
    pub fn rendered(&self, connection: &mut PgConnection) -> Result<Rendered> {
        let sha256 = text::unhex(&self.sha256)
            .ok_or_else(|| Error::invalid("payload.sha256", "must be the checksum of a template, in hex"))?;
        let template = templates::kept(connection, &sha256)?;
        templates::render(&template, &self.inputs).map_err(Error::WrongTemplate)
    }
}

/// The first is the usual one.
fn offers(deploy: &Deploy) -> Vec<Target> {
    let offered = [
        (Target::Preview, deploy.preview.is_some()),
        (Target::Directory, deploy.directory.is_some()),
        (Target::Hook, deploy.hook),
    ];
    offered.into_iter().filter(|(_, is_offered)| *is_offered).map(|(target, _)| target).collect()
}

fn checked_hook(target: Target, hook: Option<&str>) -> Result<Option<String>> {
    let is_name = |name: &str| {
        (1..=40).contains(&name.len()) && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    match (target, hook.map(str::trim)) {
        (Target::Hook, Some(name)) if is_name(name) => Ok(Some(name.to_owned())),
        (Target::Hook, _) => {
            let message =
                "must name a deploy hook by A-Z, 0-9 and _: SHOP, whose address the worker has as TITAN_HOOK_SHOP";
            Err(Error::invalid("hook", message))
        }
        (_, None) => Ok(None),
        (_, Some(_)) => Err(Error::invalid("hook", "is for the target hook only")),
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Target::Preview => "preview",
            Target::Directory => "directory",
            Target::Hook => "hook",
        })
    }
}

/// The order that a run carries out.
///
/// # Errors
/// [`Error::NotFound`] for the run, and when it is none of a pipeline.
pub fn of_run(connection: &mut PgConnection, run_id: Uuid) -> Result<Order> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Jsonb)]
        payload: Value,
    }
    let row: Option<Row> = sql_query("SELECT t.payload FROM runs r JOIN tasks t ON t.id = r.task_id WHERE r.id = $1")
        .bind::<SqlUuid, _>(run_id)
        .get_result(connection)
        .optional()?;
    Order::of(&row.ok_or(Error::NotFound("run", run_id))?.payload)
}

/// The order of a project's newest pipeline, however that stands; none of one that a person has canceled.
pub(super) fn last_of(connection: &mut PgConnection, project_id: Uuid) -> Result<Option<Order>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Jsonb)]
        payload: Value,
    }
    let row: Option<Row> = sql_query(
        "SELECT payload FROM tasks WHERE project_id = $1 AND type = $2 AND execution_status <> 'canceled' ORDER BY id DESC LIMIT 1",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<Text, _>(super::TASK_TYPE)
    .get_result(connection)
    .optional()?;
    Ok(row.and_then(|row| Order::of(&row.payload).ok()))
}

/// The run that makes the project just now.
pub(super) fn under_way(connection: &mut PgConnection, project_id: Uuid) -> Result<Option<Uuid>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let row: Option<Row> = sql_query(
        "SELECT r.id FROM runs r JOIN tasks t ON t.id = r.task_id WHERE r.project_id = $1 AND r.status IN ('queued', 'running') \
         AND t.type = $2 LIMIT 1",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<Text, _>(super::TASK_TYPE)
    .get_result(connection)
    .optional()?;
    Ok(row.map(|row| row.id))
}
