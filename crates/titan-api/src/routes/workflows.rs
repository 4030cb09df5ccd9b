//! The workflows: what runs are made of. So far they are built in.

use actix_web::web;
use serde::Serialize;
use titan_core::workflow::{self, StepPlan};
use utoipa::ToSchema;

use super::Answer;
use crate::access::{Access, RunsRead};
use crate::http::problem::{ApiError, Code};

#[derive(Debug, Serialize, ToSchema)]
pub struct Workflows {
    items: Vec<Workflow>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Workflow {
    name: String,
    description: String,
    /// Changes with the steps; a run keeps the one that it began with.
    hash: String,
    steps: Vec<WorkflowStep>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowStep {
    seq: i16,
    name: String,
    /// The kind of job that does it.
    kind: String,
    /// The steps, by number, that come first.
    needs: Vec<i16>,
    timeout_ms: i64,
    purpose: String,
}

/// List the workflows
#[utoipa::path(get, path = "/api/workflows", tag = "workflows", responses((status = 200, body = Workflows)))]
pub async fn list_workflows(_: Access<RunsRead>) -> web::Json<Workflows> {
    web::Json(Workflows { items: workflow::ALL.iter().map(|workflow| Workflow::from(*workflow)).collect() })
}

/// Read a workflow
#[utoipa::path(get, path = "/api/workflows/{name}", tag = "workflows", params(("name" = String, Path)),
    responses((status = 200, body = Workflow)))]
pub async fn get_workflow(_: Access<RunsRead>, name: web::Path<String>) -> Answer<Workflow> {
    match workflow::Workflow::by_name(&name) {
        Some(workflow) => Ok(web::Json(workflow.into())),
        None => {
            let detail = format!("There is no workflow {:?}; GET /api/workflows lists them.", name.as_str());
            Err(ApiError::new(Code::WorkflowNotFound, detail))
        }
    }
}

impl From<&workflow::Workflow> for Workflow {
    fn from(workflow: &workflow::Workflow) -> Self {
        Workflow {
            name: workflow.name.to_owned(),
            description: workflow.description.to_owned(),
            hash: workflow.hash(),
            steps: workflow.steps.iter().map(WorkflowStep::from).collect(),
        }
    }
}

impl From<&StepPlan> for WorkflowStep {
    fn from(step: &StepPlan) -> Self {
        WorkflowStep {
            seq: step.seq,
            name: step.name.to_owned(),
            kind: step.kind.to_owned(),
            needs: step.needs.to_vec(),
            timeout_ms: step.timeout_ms,
            purpose: step.purpose.to_owned(),
        }
    }
}
