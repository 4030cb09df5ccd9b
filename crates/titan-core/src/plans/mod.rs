//! Plans: what becomes of a wish. A run drafts a version of the plan, a person answers its questions, another run makes the
//! next version of it, and the version that a person approves becomes the charter, with its tasks. `docs/PLANS.md` tells the
//! whole of it.
//!
//! In reading order: what a plan says (`content`), the form that a model is asked for (`schema`), how an answer is read and
//! checked (`read`, `rules`, `graph`), and what is stored of it: versions (`rows`), answers, decisions, the charter.
//! Versions are written, and approved, by the engine.

mod content;
mod graph;
mod read;
mod rules;
mod schema;

mod answers;
mod charter;
mod compare;
mod decide;
mod draft;
mod rows;

use crate::state::text_enum;

pub use answers::{Answered, NewAnswer, answer, answer_once};
pub use charter::{Charter, CharterItem, Progress, charter, charter_of_plan, charter_text};
pub use compare::{Comparison, SectionChange, compare};
pub use content::{MAX_TASKS, PlanContent, PlanCost, PlanQuestion, PlanRisk, PlanTemplate, PlannedTask, SECTIONS};
pub use decide::refuse;
pub(crate) use decide::{Approvable, LastCharter, approvable, hold, last_charter, newest_number};
pub use draft::{
    Drafting, MAX_WISH, PLAN, begin_project, check_payload, checked_wish, draft_of, newest_draft, refuse_second,
};
pub(crate) use draft::{drafts_under_way, second};
pub(crate) use graph::{Graph, groups_first};
pub use read::{Known, checked, read};
pub use rows::{Plan, PlanSummary, get, latest, list};
pub use schema::schema;

/// A version of a project's plan that a run has made.
#[derive(Debug, Clone)]
pub struct NewPlan {
    pub project_id: uuid::Uuid,
    /// Who wrote it: `provider:model`.
    pub author: String,
    pub wish: String,
    pub content: PlanContent,
}

text_enum! {
    /// How a version of a plan stands.
    PlanState { Draft = "draft", Refused = "refused", Approved = "approved" }
}

text_enum! {
    /// How a question was answered; `decide` leaves it to whoever makes the next version.
    AnswerKind { Text = "text", Choice = "choice", Decide = "decide" }
}
