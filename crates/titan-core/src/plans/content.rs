//! What a plan says, section by section, in the order in which it is written and read.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::state::ExecutionType;

/// Entries of a list of sentences, and characters of one.
pub(super) const MAX_LINES: usize = 20;
pub(super) const MAX_LINE: usize = 500;
pub(super) const MAX_GOAL: usize = 4_000;
pub(super) const MAX_QUESTIONS: usize = 8;
pub(super) const MAX_CHOICES: usize = 6;
pub const MAX_TASKS: usize = 60;
pub(super) const MAX_TITLE: usize = 200;
/// Characters of what is to be done in a task.
pub(super) const MAX_TASK: usize = 8_000;
pub(super) const MAX_NEEDS: usize = 20;
/// Groups in groups.
pub(super) const MAX_DEPTH: usize = 3;
/// Characters of the word by which a task or a question is named.
pub(super) const MAX_KEY: usize = 40;
pub(super) const MAX_COST: f64 = 1e9;

/// The sections, as a plan's JSON names them.
pub const SECTIONS: [&str; 9] =
    ["goal", "resources", "gaps", "assumptions", "questions", "tasks", "risks", "cost", "template"];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanContent {
    /// The wish in other words.
    pub goal: String,
    /// What is there already.
    pub resources: Vec<String>,
    /// What is missing.
    pub gaps: Vec<String>,
    /// What is taken for granted until somebody says otherwise.
    pub assumptions: Vec<String>,
    pub questions: Vec<PlanQuestion>,
    pub tasks: Vec<PlannedTask>,
    pub risks: Vec<PlanRisk>,
    pub cost: PlanCost,
    /// What the project is to be made from, if it is made from a template.
    pub template: Option<PlanTemplate>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanQuestion {
    /// By which answers name it.
    pub key: String,
    pub question: String,
    /// Answers to choose from; a text may be given all the same.
    pub choices: Vec<String>,
    /// The tasks, by their keys, that the answer matters to.
    pub blocks: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedTask {
    /// By which other tasks name it, the same in every version in which it is the same task.
    pub key: String,
    pub title: String,
    /// What is to be done, in full.
    pub content: String,
    #[serde(rename = "type")]
    pub task_type: String,
    pub execution_type: ExecutionType,
    /// The tasks, by their keys, that come first.
    pub needs: Vec<String>,
    /// The group that it belongs to, by its key. A task that others name here is a group: it is done when they are.
    pub parent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanRisk {
    pub risk: String,
    /// What is done about it.
    pub response: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanCost {
    /// A currency of ISO 4217.
    pub currency: String,
    pub low: f64,
    pub high: f64,
    /// What the amounts are made of.
    pub basis: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanTemplate {
    /// Its name, or `name@version`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// What the template wants to know.
    #[schema(value_type = Object)]
    pub inputs: Value,
    pub reason: String,
}

impl PlanContent {
    /// Whether other tasks belong to this one.
    #[must_use]
    pub fn is_group(&self, key: &str) -> bool {
        self.tasks.iter().any(|task| task.parent.as_deref() == Some(key))
    }
}
