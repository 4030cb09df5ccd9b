//! The description of the API, made from what stands beside the handlers.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Content, OpenApi as Document, Ref, RefOr, Response};
use utoipa::{Modify, OpenApi};

use crate::http::problem::Problem;
use crate::live::changes::Resync;
use crate::live::hub::ChangeHint;
use crate::live::run::{Heartbeat, StreamEnd};
use crate::routes::{
    agents, attachments, budgets, changes, contacts, documents, events, execute, files, git, health, jobs, limits,
    logs, memories, messages, metrics, models, ops, ops_rollouts, outputs, pipelines, plans, projects, queues, runs,
    sales, system, tasks, templates, webhooks, workflows,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Titan",
        description = "Projects, tasks, the runs that execute them, and their results. Times are RFC 3339 in UTC, ids are UUIDs. \
                       Errors are problem documents (RFC 9457) with a stable `code`; unknown fields in bodies are ignored."
    ),
    paths(
        health::healthz, health::readyz, health::get_health,
        system::get_worker_health, models::list_providers, models::list_models, agents::list_agents, system::get_setup, system::get_openapi,
        changes::follow_changes,
        projects::create_project, projects::list_projects, projects::get_project, projects::update_project,
        projects::delete_project, projects::get_project_stats,
        plans::reiterate, plans::list_plans, plans::get_plan, plans::compare_plans, plans::answer_plan, plans::approve_plan,
        plans::refuse_plan, plans::get_charter,
        tasks::create_task, tasks::list_tasks, tasks::get_task, tasks::complete_task, tasks::cancel_task, tasks::get_task_log,
        execute::list_executable_tasks, execute::execute, execute::execute_task,
        runs::list_runs, runs::list_project_runs, runs::get_run, runs::cancel_run,
        runs::list_run_calls,
        budgets::get_budget, budgets::put_budget, budgets::delete_budget, budgets::get_project_budget,
        budgets::put_project_budget, budgets::delete_project_budget, budgets::get_task_budget, budgets::put_task_budget,
        budgets::delete_task_budget, budgets::get_run_budget, budgets::put_run_budget, budgets::delete_run_budget,
        events::list_run_events,
        logs::list_run_logs, logs::list_project_logs, logs::download_run_logs, logs::download_project_logs,
        outputs::list_outputs, outputs::get_output, outputs::get_output_content, outputs::get_artifact_content,
        outputs::list_output_versions, outputs::compare_outputs, outputs::approve_output, outputs::reject_output,
        outputs::list_run_artifacts, outputs::download_artifact,
        memories::list_memories, memories::search_memories, memories::create_memory, memories::get_memory,
        memories::update_memory, memories::delete_memory, memories::export_memories, memories::erase_memories,
        memories::erase_person,
        messages::list_messages, messages::send_message,
        attachments::create_attachment, attachments::get_attachment_content,
        files::list_files, files::get_file, files::put_file, files::delete_file,
        git::get_status, git::list_commits, git::get_diff,
        pipelines::start_pipeline, pipelines::get_preview, pipelines::start_preview, pipelines::stop_preview, pipelines::list_publications,
        templates::list_templates, templates::get_template, templates::validate_template,
        templates::install::install_template, templates::install::list_template_installs, templates::install::get_template_install,
        templates::install::uninstall_template,
        contacts::list_contacts, contacts::create_contact, contacts::get_contact, contacts::update_contact, contacts::delete_contact,
        documents::list_documents, documents::upload_document, documents::search_documents, documents::get_document,
        documents::delete_document, documents::download_document,
        sales::list_offers, sales::create_offer, sales::get_offer, sales::update_offer, sales::delete_offer,
        sales::list_leads, sales::create_lead, sales::get_leads_summary, sales::import_leads, sales::export_leads,
        sales::get_lead, sales::update_lead, sales::delete_lead, sales::list_notes, sales::add_note, sales::delete_note,
        queues::list_queues, queues::create_queue, queues::pause_queue, queues::resume_queue,
        jobs::list_jobs, jobs::change_jobs,
        limits::list_limits, limits::put_limit, limits::delete_limit,
        metrics::get_metrics,
        ops::propose, ops::list_proposals, ops::get_proposal, ops::get_patches, ops::list_effects, ops::list_audit,
        ops_rollouts::approve_proposal, ops_rollouts::reject_proposal, ops_rollouts::pause_proposal,
        ops_rollouts::resume_proposal, ops_rollouts::roll_back_proposal, ops_rollouts::list_rollouts, ops_rollouts::list_targets,
        webhooks::receive_from_github, webhooks::receive_from_forgejo,
        workflows::list_workflows, workflows::get_workflow
    ),
    components(schemas(Problem, Heartbeat, StreamEnd, ChangeHint, Resync, logs::LogFormat, titan_core::logs::Order)),
    modifiers(&Problems, &AlwaysSent)
)]
struct Api;

/// The document, made once.
pub fn document() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(Api::openapi)
}

/// The document as text, as `docs/openapi.json` holds it.
#[must_use]
pub fn text() -> String {
    // It is made of strings and numbers only; there is nothing in it that could fail.
    serde_json::to_string_pretty(document()).unwrap_or_default()
}

/// Any operation may be refused, and always in the same form.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut Document) {
        for operation in operations(document) {
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response
                    && response.description.is_empty()
                {
                    response.description = "As asked".to_owned();
                }
            }
            let content = Content::new(Some(Ref::from_schema_name("Problem")));
            let mut response = Response::new("What went wrong");
            response.content.insert("application/problem+json".to_owned(), RefOr::T(content));
            operation.responses.responses.insert("default".to_owned(), RefOr::T(response));
        }
    }
}

/// What answers hold is always sent, if only as null; only fields that are skipped when there is nothing may be missing.
struct AlwaysSent;

const SOMETIMES: [(&str, &str); 3] = [("TaskLogEntry", "result"), ("Execution", "result"), ("Execution", "reason")];

impl Modify for AlwaysSent {
    fn modify(&self, document: &mut Document) {
        let Some(components) = document.components.as_mut() else { return };
        for (name, schema) in &mut components.schemas {
            if name.ends_with("Body") {
                continue;
            }
            if let RefOr::T(Schema::Object(object)) = schema {
                let required: BTreeSet<&String> = object
                    .properties
                    .keys()
                    .filter(|field| !SOMETIMES.contains(&(name.as_str(), field.as_str())))
                    .collect();
                object.required = required.into_iter().cloned().collect();
            }
        }
    }
}

fn operations(document: &mut Document) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(|item| {
        [&mut item.get, &mut item.post, &mut item.patch, &mut item.put, &mut item.delete].into_iter().flatten()
    })
}
