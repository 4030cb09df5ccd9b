//! The whole URL table. It takes only handlers that begin with a permission.

use actix_web::guard::{self, Guard, GuardContext};
use actix_web::http::{Method, header};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, web};

use crate::access::Permitted;
use crate::dashboard;
use crate::http::params::path_config;
use crate::routes::{
    agents, attachments, budgets, changes, contacts, documents, events, execute, files, git, health, jobs, limits,
    logs, memories, messages, metrics, models, ops, ops_rollouts, outputs, pipelines, plans, projects, queues, runs,
    sales, system, tasks, templates, webhooks, workflows,
};

/// Every route, and the dashboard for what is none.
pub fn configure(table: &mut web::ServiceConfig) {
    table.app_data(path_config());

    at("/healthz").get(health::healthz).add(table);
    at("/readyz").get(health::readyz).add(table);
    at("/metrics").get(metrics::get_metrics).add(table);
    at("/api/health").get(health::get_health).add(table);
    at("/api/worker/health").get(system::get_worker_health).add(table);
    at("/api/providers").get(models::list_providers).add(table);
    at("/api/models").get(models::list_models).add(table);
    at("/api/agents").get(agents::list_agents).add(table);
    at("/api/setup").get(system::get_setup).add(table);
    at("/api/openapi.json").get(system::get_openapi).add(table);
    at("/api/events").get(changes::follow_changes).add(table);

    at("/api/budget").get(budgets::get_budget).put(budgets::put_budget).delete(budgets::delete_budget).add(table);

    at("/api/projects").get(projects::list_projects).post(projects::create_project).add(table);
    // Before the one with an id, which would take the word for one.
    at("/api/projects/reiterate").post(plans::reiterate).add(table);
    at("/api/projects/{id}")
        .get(projects::get_project)
        .patch(projects::update_project)
        .delete(projects::delete_project)
        .add(table);
    at("/api/projects/{id}/stats").get(projects::get_project_stats).add(table);
    at("/api/projects/{id}/plans").get(plans::list_plans).add(table);
    at("/api/projects/{id}/plans/compare").get(plans::compare_plans).add(table);
    at("/api/projects/{id}/plans/{version}").get(plans::get_plan).add(table);
    at("/api/projects/{id}/plan/answers").post(plans::answer_plan).add(table);
    at("/api/projects/{id}/plan/approve").post(plans::approve_plan).add(table);
    at("/api/projects/{id}/plan/refuse").post(plans::refuse_plan).add(table);
    at("/api/projects/{id}/charter").get(plans::get_charter).add(table);
    at("/api/projects/{id}/budget")
        .get(budgets::get_project_budget)
        .put(budgets::put_project_budget)
        .delete(budgets::delete_project_budget)
        .add(table);
    at("/api/projects/{id}/tasks").get(tasks::list_tasks).post(tasks::create_task).add(table);
    at("/api/projects/{id}/runs").get(runs::list_project_runs).add(table);
    at("/api/projects/{id}/logs").get(logs::list_project_logs).add(table);
    at("/api/projects/{id}/logs/download").get(logs::download_project_logs).add(table);
    at("/api/projects/{id}/outputs").get(outputs::list_outputs).add(table);
    at("/api/projects/{id}/memories").get(memories::list_memories).post(memories::create_memory).add(table);
    at("/api/projects/{id}/memories/search").get(memories::search_memories).add(table);
    at("/api/projects/{id}/memories/export").get(memories::export_memories).add(table);
    at("/api/projects/{id}/memories/erase").post(memories::erase_memories).add(table);
    at("/api/projects/{id}/memory").get(memories::list_memories).add(table);
    at("/api/projects/{id}/attachments").post(attachments::create_attachment).add(table);
    at("/api/attachments/{id}/content").get(attachments::get_attachment_content).add(table);
    at("/api/projects/{id}/contacts").get(contacts::list_contacts).post(contacts::create_contact).add(table);
    at("/api/projects/{id}/documents").get(documents::list_documents).post(documents::upload_document).add(table);
    at("/api/projects/{id}/documents/search").get(documents::search_documents).add(table);
    at("/api/projects/{id}/offers").get(sales::list_offers).post(sales::create_offer).add(table);
    at("/api/projects/{id}/leads").get(sales::list_leads).post(sales::create_lead).add(table);
    at("/api/projects/{id}/leads/summary").get(sales::get_leads_summary).add(table);
    at("/api/projects/{id}/leads/import").post(sales::import_leads).add(table);
    at("/api/projects/{id}/leads/export").get(sales::export_leads).add(table);
    at("/api/projects/{id}/messages").get(messages::list_messages).post(messages::send_message).add(table);

    at("/api/projects/{id}/files").get(files::list_files).add(table);
    at("/api/projects/{id}/files/{path:.*}")
        .get(files::get_file)
        .put(files::put_file)
        .delete(files::delete_file)
        .add(table);
    at("/api/projects/{id}/pipelines").post(pipelines::start_pipeline).add(table);
    at("/api/projects/{id}/preview").get(pipelines::get_preview).add(table);
    at("/api/projects/{id}/preview/start").post(pipelines::start_preview).add(table);
    at("/api/projects/{id}/preview/stop").post(pipelines::stop_preview).add(table);
    at("/api/projects/{id}/publications").get(pipelines::list_publications).add(table);
    at("/api/projects/{id}/git/status").get(git::get_status).add(table);
    at("/api/projects/{id}/git/log").get(git::list_commits).add(table);
    at("/api/projects/{id}/git/diff").get(git::get_diff).add(table);

    // Before the one with an id, which would take the word for one.
    at("/api/tasks/execute").get(execute::list_executable_tasks).post(execute::execute).add(table);
    at("/api/tasks/{id}").get(tasks::get_task).add(table);
    at("/api/tasks/{id}/budget")
        .get(budgets::get_task_budget)
        .put(budgets::put_task_budget)
        .delete(budgets::delete_task_budget)
        .add(table);
    at("/api/tasks/{id}/log").get(tasks::get_task_log).add(table);
    at("/api/tasks/{id}/execute").post(execute::execute_task).add(table);
    at("/api/tasks/{id}/complete").post(tasks::complete_task).add(table);
    at("/api/tasks/{id}/cancel").post(tasks::cancel_task).add(table);

    at("/api/runs").get(runs::list_runs).add(table);
    at("/api/runs/{id}").get(runs::get_run).add(table);
    at("/api/runs/{id}/calls").get(runs::list_run_calls).add(table);
    at("/api/runs/{id}/cancel").post(runs::cancel_run).add(table);
    at("/api/runs/{id}/events").stream(events::follow_run_events).get(events::list_run_events).add(table);
    at("/api/runs/{id}/budget")
        .get(budgets::get_run_budget)
        .put(budgets::put_run_budget)
        .delete(budgets::delete_run_budget)
        .add(table);
    at("/api/runs/{id}/logs").get(logs::list_run_logs).add(table);
    at("/api/runs/{id}/logs/download").get(logs::download_run_logs).add(table);
    at("/api/runs/{id}/artifacts").get(outputs::list_run_artifacts).add(table);
    at("/api/runs/{id}/artifacts/{artifact_id}/download").get(outputs::download_artifact).add(table);

    at("/api/artifacts/{id}/content").get(outputs::get_artifact_content).add(table);
    at("/api/outputs/{id}").get(outputs::get_output).add(table);
    at("/api/outputs/{id}/content").get(outputs::get_output_content).add(table);
    at("/api/outputs/{id}/versions").get(outputs::list_output_versions).add(table);
    at("/api/outputs/{id}/diff").get(outputs::compare_outputs).add(table);
    at("/api/outputs/{id}/approve").post(outputs::approve_output).add(table);
    at("/api/outputs/{id}/reject").post(outputs::reject_output).add(table);
    // Before the one with an id, which would take the word for one.
    at("/api/memories/erase").post(memories::erase_person).add(table);
    at("/api/memories/{id}")
        .get(memories::get_memory)
        .patch(memories::update_memory)
        .delete(memories::delete_memory)
        .add(table);

    // Before the one with a name, which would take the word for one; the names of templates hold slashes.
    at("/api/templates").get(templates::list_templates).add(table);
    at("/api/templates/validate").post(templates::validate_template).add(table);
    at("/api/templates/install").post(templates::install::install_template).add(table);
    at("/api/templates/installs").get(templates::install::list_template_installs).add(table);
    at("/api/templates/installs/{id}").get(templates::install::get_template_install).add(table);
    at("/api/templates/{reference:.+}")
        .get(templates::get_template)
        .delete(templates::install::uninstall_template)
        .add(table);
    at("/api/contacts/{id}")
        .get(contacts::get_contact)
        .patch(contacts::update_contact)
        .delete(contacts::delete_contact)
        .add(table);
    at("/api/documents/{id}").get(documents::get_document).delete(documents::delete_document).add(table);
    at("/api/documents/{id}/download").get(documents::download_document).add(table);
    at("/api/offers/{id}").get(sales::get_offer).patch(sales::update_offer).delete(sales::delete_offer).add(table);
    at("/api/leads/{id}").get(sales::get_lead).patch(sales::update_lead).delete(sales::delete_lead).add(table);
    at("/api/leads/{id}/notes").get(sales::list_notes).post(sales::add_note).add(table);
    at("/api/lead-notes/{id}").delete(sales::delete_note).add(table);

    at("/api/queues").get(queues::list_queues).post(queues::create_queue).add(table);
    at("/api/queues/{name}/pause").post(queues::pause_queue).add(table);
    at("/api/queues/{name}/resume").post(queues::resume_queue).add(table);
    at("/api/jobs").get(jobs::list_jobs).add(table);
    at("/api/jobs/bulk").post(jobs::change_jobs).add(table);
    at("/api/limits").get(limits::list_limits).add(table);
    at("/api/limits/{key}").put(limits::put_limit).delete(limits::delete_limit).add(table);

    at("/api/ops/propose").post(ops::propose).add(table);
    at("/api/ops/proposals").get(ops::list_proposals).add(table);
    at("/api/ops/proposals/{id}").get(ops::get_proposal).add(table);
    at("/api/ops/proposals/{id}/patches").get(ops::get_patches).add(table);
    at("/api/ops/proposals/{id}/effects").get(ops::list_effects).add(table);
    at("/api/ops/audit").get(ops::list_audit).add(table);
    at("/api/ops/proposals/{id}/approve").post(ops_rollouts::approve_proposal).add(table);
    at("/api/ops/proposals/{id}/reject").post(ops_rollouts::reject_proposal).add(table);
    at("/api/ops/proposals/{id}/pause").post(ops_rollouts::pause_proposal).add(table);
    at("/api/ops/proposals/{id}/resume").post(ops_rollouts::resume_proposal).add(table);
    at("/api/ops/proposals/{id}/rollback").post(ops_rollouts::roll_back_proposal).add(table);
    at("/api/ops/rollouts").get(ops_rollouts::list_rollouts).add(table);
    at("/api/ops/targets").get(ops_rollouts::list_targets).add(table);

    at("/api/webhooks/github").post(webhooks::receive_from_github).add(table);
    at("/api/webhooks/forgejo").post(webhooks::receive_from_forgejo).add(table);

    at("/api/workflows").get(workflows::list_workflows).add(table);
    at("/api/workflows/{name}").get(workflows::get_workflow).add(table);

    // The same without `/api`, as older clients call them; a browser that asks for a page gets the dashboard's.
    at("/runs/{id}/cancel").not_for_pages().post(runs::cancel_run).add(table);
    at("/runs/{id}/artifacts").not_for_pages().get(outputs::list_run_artifacts).add(table);
    at("/runs/{id}/artifacts/{artifact_id}/download").not_for_pages().get(outputs::download_artifact).add(table);
    at("/workflows").not_for_pages().get(workflows::list_workflows).add(table);
    at("/workflows/{name}").not_for_pages().get(workflows::get_workflow).add(table);

    table.default_service(web::route().to(dashboard::serve));
}

/// One address and the methods that it takes.
struct Address {
    resource: Resource,
    methods: Vec<Method>,
}

fn at(path: &str) -> Address {
    Address { resource: web::resource(path.to_owned()), methods: Vec::new() }
}

impl Address {
    fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Permitted + 'static,
        F::Output: Responder + 'static,
    {
        // The framework leaves the body out of an answer to HEAD.
        self.takes(Method::HEAD, guard::Head(), handler.clone()).takes(Method::GET, guard::Get(), handler)
    }

    fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Permitted + 'static,
        F::Output: Responder + 'static,
    {
        self.takes(Method::POST, guard::Post(), handler)
    }

    fn put<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Permitted + 'static,
        F::Output: Responder + 'static,
    {
        self.takes(Method::PUT, guard::Put(), handler)
    }

    fn patch<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Permitted + 'static,
        F::Output: Responder + 'static,
    {
        self.takes(Method::PATCH, guard::Patch(), handler)
    }

    fn delete<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Permitted + 'static,
        F::Output: Responder + 'static,
    {
        self.takes(Method::DELETE, guard::Delete(), handler)
    }

    /// GET by a client that asks for server-sent events; to be named before the plain GET.
    fn stream<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Permitted + 'static,
        F::Output: Responder + 'static,
    {
        self.takes(
            Method::GET,
            guard::All(guard::Get()).and(guard::fn_guard(|c| accepts(c, "text/event-stream"))),
            handler,
        )
    }

    fn not_for_pages(mut self) -> Self {
        self.resource = self.resource.guard(guard::fn_guard(|context| !accepts(context, "text/html")));
        self
    }

    fn takes<F, Args>(mut self, method: Method, guard: impl Guard + 'static, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Permitted + 'static,
        F::Output: Responder + 'static,
    {
        self.resource = self.resource.route(web::route().guard(guard).to(handler));
        if !self.methods.contains(&method) {
            self.methods.push(method);
        }
        self
    }

    fn add(self, table: &mut web::ServiceConfig) {
        let allowed = self.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let refuse = move || {
            let response = HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, allowed.clone())).finish();
            std::future::ready(response)
        };
        table.service(self.resource.default_service(web::route().to(refuse)));
    }
}

/// Whether the client names this media type. Wildcards do not count: they say "whatever you have".
fn accepts(context: &GuardContext<'_>, media_type: &str) -> bool {
    context.head().headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|item| item.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type))
    })
}
