//! The step that drafts a plan: reads what is known, asks the model, shows the sections as they come, and leaves a version
//! of the plan when all of it is right. What is wrong is mended by the model, twice at most; otherwise the run fails with
//! the reason and nothing is stored. Without a model the plan is a form of the wish.

mod material;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use titan_agent::plan::{self, Sections};
use titan_agent::{FinishReason, ModelRequest, ProviderKind};
use titan_core::Error;
use titan_core::engine::{Done, NewEvent, Outcome, Purpose, Write};
use titan_core::plans::{Known, NewPlan, PlanContent, SECTIONS, checked, read};
use titan_core::state::Level;
use titan_core::templates::{Problem, in_words};
use titan_core::text::head;

use self::material::Material;
use super::context::NoRequest;
use super::{recall, takes};
use crate::asking::{self, Answer, Broken, Listener, Question, Shown};
use crate::embedder::Embedder;
use crate::handler::{Handler, Work};
use crate::models::Models;

/// How often a model may mend its answer.
const REPAIRS: usize = 2;
/// Problems that are told in a line of the log, or in the reason of a failure.
const TOLD: usize = 5;

pub struct Plan {
    models: Arc<Models>,
    embedder: Option<Arc<Embedder>>,
    templates_dir: Option<PathBuf>,
}

impl Plan {
    #[must_use]
    pub fn new(models: Arc<Models>, embedder: Option<Arc<Embedder>>, templates_dir: Option<PathBuf>) -> Self {
        Self { models, embedder, templates_dir }
    }
}

#[async_trait]
impl Handler for Plan {
    fn kind(&self) -> &'static str {
        "plan"
    }

    async fn run(&self, work: Work) -> Outcome {
        let text = |name: &str| work.started.payload.get(name).and_then(Value::as_str);
        let Some(wish) = text("wish") else {
            return Outcome::Fail { error: "the task has no wish to make a plan for".to_owned() };
        };
        let model = text("model");
        let resolved = self.models.resolve(model);
        let made = if resolved.provider.kind() == ProviderKind::Offline {
            self.without_a_model(&work, wish).await
        } else {
            self.by_a_model(&work, wish, model).await
        };
        match made {
            Ok(plan) => Outcome::Done(Done {
                output: json!({"tasks": plan.content.tasks.len(), "questions": plan.content.questions.len()}),
                writes: vec![Write::Plan(Box::new(plan))],
            }),
            Err(outcome) => outcome,
        }
    }

    fn models(&self) -> Option<Arc<Models>> {
        Some(Arc::clone(&self.models))
    }
}

impl Plan {
    async fn material(&self, work: &Work, asked: Option<recall::Question>) -> Result<Material, NoRequest> {
        let (project_id, task_id, folder) = (work.started.project_id, work.started.task_id, self.templates_dir.clone());
        let read = move |connection: &mut _| {
            Material::read(connection, project_id, task_id, folder.as_deref(), asked.as_ref())
        };
        Ok(work.db.run(read).await?)
    }

    async fn without_a_model(&self, work: &Work, wish: &str) -> Result<NewPlan, Outcome> {
        let material = self.material(work, None).await.map_err(NoRequest::outcome)?;
        let before = material.before.as_ref().map(|before| (&before.plan, before.answers.as_slice()));
        let content = plan::offline(wish, before, &material.template_names());
        let content = fitting(content, material.known())?;
        let said = json!(content);
        let line = "No language model is set up: the plan is a form of the wish, and says so";
        let mut events = vec![NewEvent::log(Level::Info, line)];
        events.extend(SECTIONS.iter().filter_map(|name| Some(section(work, 1, name, said.get(name)?.clone()))));
        events.into_iter().for_each(|event| work.reporter.at_the_end(event));
        Ok(new_plan(work, wish, "offline".to_owned(), content))
    }

    async fn by_a_model(&self, work: &Work, wish: &str, model: Option<&str>) -> Result<NewPlan, Outcome> {
        let asked = recall::Question::of(work, self.embedder.as_deref(), wish).await;
        let material = self.material(work, Some(asked)).await.map_err(NoRequest::outcome)?;
        let limits = takes::of(work, &self.models, model).await.map_err(NoRequest::outcome)?.limits;
        let known = material.known();
        let told = material.told(wish);
        let mut request = plan::request(told.clone(), limits).map_err(too_large)?;
        for round in 1.. {
            let answer = self.ask(work, model, request.clone(), round).await?;
            let problems = match read_answer(&answer, known) {
                Ok(content) => return Ok(new_plan(work, wish, answer.model, content)),
                Err(problems) => problems,
            };
            if round > REPAIRS {
                return Err(refused(&problems));
            }
            tell_repair(work, round, &problems).await?;
            request = plan::repair(&told, limits, &request, &answer.text, &problems).map_err(too_large)?;
        }
        Err(Outcome::Fail { error: "the model was not asked".to_owned() })
    }

    async fn ask(
        &self,
        work: &Work,
        model: Option<&str>,
        request: ModelRequest,
        round: usize,
    ) -> Result<Answer, Outcome> {
        let listen =
            || -> Box<dyn Listener> { Box::new(Hearing { sections: Sections::default(), work: work.clone(), round }) };
        let question = Question { purpose: Purpose::Plan, model, request, shown: Shown::As(&listen) };
        asking::ask(work, &self.models, question).await.map_err(Broken::outcome)
    }
}

/// The form is checked as a model's plan is. A template may be another than the one that the form knows by this name, and then
/// it is left out: with it the plan could never be approved.
fn fitting(mut content: PlanContent, known: Known<'_>) -> Result<PlanContent, Outcome> {
    let unusable = |problems: Vec<Problem>| Outcome::Fail {
        error: format!("the form of the wish is no plan: {}; say the wish in other words", told(&problems)),
    };
    let problems = match checked(&json!(content), known) {
        Ok(content) => return Ok(content),
        Err(problems) => problems,
    };
    let of_template = |problem: &Problem| problem.path.starts_with("/template");
    let Some(template) = content.template.take_if(|_| problems.iter().all(of_template)) else {
        return Err(unusable(problems));
    };
    let reason = format!("The template {} is left out: {}", template.reference, told(&problems));
    content.gaps.insert(0, head(&reason, MOST_OF_A_GAP).to_owned());
    checked(&json!(content), known).map_err(unusable)
}

/// Bytes of the line that says why there is no template.
const MOST_OF_A_GAP: usize = 400;

fn new_plan(work: &Work, wish: &str, author: String, content: PlanContent) -> NewPlan {
    NewPlan { project_id: work.started.project_id, author, wish: wish.trim().to_owned(), content }
}

fn read_answer(answer: &Answer, known: Known<'_>) -> Result<PlanContent, Vec<Problem>> {
    read(&answer.text, known).map_err(|mut problems| {
        if answer.reason != FinishReason::Stop {
            let message = format!(
                "the answer is not whole: the model stopped because of {}; write less, with fewer and shorter tasks",
                answer.reason.as_str()
            );
            problems.insert(0, Problem { path: "/".to_owned(), message });
        }
        problems
    })
}

fn told(problems: &[Problem]) -> String {
    let more = problems.len().saturating_sub(TOLD);
    let words = in_words(problems.get(..TOLD.min(problems.len())).unwrap_or_default());
    if more > 0 { format!("{words}; and {more} more") } else { words }
}

fn refused(problems: &[Problem]) -> Outcome {
    let error = format!("the model's plan cannot be used, and was not mended in {REPAIRS} tries: {}", told(problems));
    Outcome::Fail { error }
}

/// Who watches sees the sections once more.
async fn tell_repair(work: &Work, round: usize, problems: &[Problem]) -> Result<(), Outcome> {
    let count = if round == 1 { "first" } else { "second" };
    let line = format!("The plan cannot be used yet and is repaired for the {count} time: {}", told(problems));
    let data = json!({"repair": round, "problems": problems});
    let event = NewEvent::told("plan.repaired", Level::Warn, line, data);
    match work.reporter.report(vec![event]).await {
        Ok(()) => Ok(()),
        Err(Error::Fenced { .. }) => Err(Broken::Stopped.outcome()),
        Err(error) => Err(Broken::Report(error).outcome()),
    }
}

fn too_large(plan::TooLarge { tokens, limit }: plan::TooLarge) -> Outcome {
    NoRequest::TooLarge { what: "the wish, with the version of the plan before it,", tokens, limit }.outcome()
}

/// Tells of each section that is whole. What it says may still be refused.
struct Hearing {
    sections: Sections,
    work: Work,
    round: usize,
}

impl Listener for Hearing {
    fn hear(&mut self, piece: &str) -> Vec<NewEvent> {
        let whole = self.sections.push(piece);
        let known = whole.into_iter().filter(|(name, _)| SECTIONS.contains(&name.as_str()));
        known.map(|(name, value)| section(&self.work, self.round, &name, value)).collect()
    }
}

/// Of several rounds and attempts only the last counts.
fn section(work: &Work, round: usize, name: &str, value: Value) -> NewEvent {
    let data = json!({"step": work.fence.step, "attempt": work.started.attempt, "round": round, "section": name, "value": value});
    NewEvent { kind: "plan.section", line: None, data }
}
