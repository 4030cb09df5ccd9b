//! Every call of a model: reserved under the budgets, streamed, priced and written down. When the model that was wanted does not
//! answer, those are asked that the settings name after it.
//!
//! The offline model asks nobody and costs nothing: its calls are written down with the outcome and nothing is reserved for them.

mod ledger;
mod live;

use titan_agent::models::Resolved;
use titan_agent::{FinishReason, ModelRequest, Part, ProviderError, ProviderKind, Usage};
use titan_core::Error;
use titan_core::budgets::Refusal;
use titan_core::engine::{NewEvent, Outcome, Purpose};
use titan_core::state::{Level, WaitingOn};

use crate::handler::Work;
use crate::models::Models;
use ledger::Entry;
use live::Live;

/// What is asked, and what for.
pub(crate) struct Question<'a> {
    pub(crate) purpose: Purpose,
    /// The model as a task names it; the default one when it names none.
    pub(crate) model: Option<&'a str>,
    /// Its own model does not count.
    pub(crate) request: ModelRequest,
    pub(crate) shown: Shown<'a>,
}

/// What is seen of an answer while it is given.
#[derive(Clone, Copy)]
pub(crate) enum Shown<'a> {
    Nothing,
    /// Its words as they come.
    Words,
    /// What somebody makes of them; each model that is asked is listened to anew.
    As(&'a (dyn Fn() -> Box<dyn Listener> + Sync)),
}

/// Hears an answer piece by piece, and says what is to be told of it.
pub(crate) trait Listener: Send {
    fn hear(&mut self, piece: &str) -> Vec<NewEvent>;
}

pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) reason: FinishReason,
    /// Who gave it: `provider:model`.
    pub(crate) model: String,
}

/// Why there is no answer.
pub(crate) enum Broken {
    Stopped,
    Provider(ProviderError),
    /// A budget does not allow the call.
    Budget(Refusal),
    /// The database refused what was to be written.
    Report(Error),
}

/// How long a step waits before it looks whether calls under way have left something of the budget.
const BUDGET_PAUSE: std::time::Duration = std::time::Duration::from_secs(5);

impl Broken {
    /// What it means for a step that cannot go on without the answer.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Broken::Stopped => Outcome::Cancel { reason: "told to stop".to_owned() },
            Broken::Report(error) => Outcome::Retry { error: error.to_string(), after: None },
            Broken::Budget(refusal) if refusal.soon => Outcome::Snooze { after: BUDGET_PAUSE, reason: refusal.reason },
            Broken::Budget(refusal) => {
                Outcome::Wait { on: WaitingOn::Budget, reason: refusal.reason, since: refusal.at, look_again: None }
            }
            Broken::Provider(error) if error.may_pass() => {
                Outcome::Retry { error: error.to_string(), after: error.retry_after() }
            }
            Broken::Provider(error) => Outcome::Fail { error: error.to_string() },
        }
    }
}

/// An answer, or why there is none; and whether anything of it was heard.
struct Attempt {
    /// As the provider told it, if it did.
    told: Option<Usage>,
    /// A guess at the tokens of the words that were heard.
    heard_tokens: u64,
    /// Whether the provider began to answer.
    opened: bool,
    first_token_ms: Option<i32>,
    result: Result<(String, FinishReason), Broken>,
}

/// Asks the model, and those after it when it does not answer.
pub(crate) async fn ask(work: &Work, models: &Models, question: Question<'_>) -> Result<Answer, Broken> {
    let candidates = models.candidates(question.model);
    let mut first: Option<ProviderError> = None;
    for (place, candidate) in candidates.iter().enumerate() {
        let request = question.request.clone();
        let (broken, heard) = match ask_one(work, models, &question, candidate, place, request).await {
            Ok(answer) => return Ok(answer),
            Err(broken) => broken,
        };
        let error = match (broken, first.take()) {
            // What another model failed with says more than that this one is too dear.
            (Broken::Budget(_), Some(error)) => return Err(Broken::Provider(error)),
            (Broken::Provider(error), before) => {
                let next = candidates.get(place + 1).filter(|_| !heard && another_may_help(&error));
                let Some(next) = next else { return Err(Broken::Provider(worth_more(before, error))) };
                let (name, next) = (candidate.provider.name(), format!("{}:{}", next.provider.name(), next.model));
                let line = format!("{name} does not answer ({error}); asking {next} instead");
                work.reporter.at_the_end(NewEvent::log(Level::Warn, line));
                worth_more(before, error)
            }
            (broken, _) => return Err(broken),
        };
        first = Some(error);
    }
    Err(Broken::Provider(first.unwrap_or(ProviderError::Canceled)))
}

/// What was refused for its content is not taken elsewhere.
fn another_may_help(error: &ProviderError) -> bool {
    !matches!(error, ProviderError::Canceled | ProviderError::Refused { .. } | ProviderError::TooLong { .. })
}

/// Of two failures the one that may pass, else the first.
fn worth_more(first: Option<ProviderError>, second: ProviderError) -> ProviderError {
    match first {
        Some(first) if first.may_pass() || !second.may_pass() => first,
        _ => second,
    }
}

/// Some servers refuse an image with words that nobody understands.
fn of_images(error: &mut ProviderError, request: &ModelRequest) {
    let has_images = request.messages.iter().flat_map(|said| &said.parts).any(|part| matches!(part, Part::Image(_)));
    if let ProviderError::InvalidRequest { message, .. } = error
        && has_images
    {
        message.push_str(
            "; the message has images, and the model may not take any: choose another model, or send it without them",
        );
    }
}

/// With whether anything of the answer was heard before it broke off.
async fn ask_one(
    work: &Work,
    models: &Models,
    question: &Question<'_>,
    candidate: &Resolved,
    place: usize,
    mut request: ModelRequest,
) -> Result<Answer, (Broken, bool)> {
    let provider = candidate.provider.as_ref();
    let model = tokio::select! {
        biased;
        () = work.stop.requested() => return Err((Broken::Stopped, false)),
        model = provider.model_for(&candidate.model) => match model {
            Ok(model) => model,
            Err(error) => {
                models.called(&work.db, provider.name(), Some(&error));
                return Err((Broken::Provider(error), false));
            }
        },
    };
    request.model.clone_from(&model);
    let facts = models.facts(provider, &model);
    let mut entry = Entry::of(question.purpose, provider.name(), &model, place, facts);
    let asking = entry.asking(&request);
    let waiting = if provider.kind() == ProviderKind::Offline {
        Some(asking)
    } else {
        entry.reserve(work, &mut request, asking).await.map_err(|broken| (broken, false))?;
        None
    };
    let live = Live::new(work, waiting, question.shown);
    let mut attempt = live.ask(candidate, request.clone()).await;
    if let Err(Broken::Provider(error)) = &mut attempt.result {
        of_images(error, &request);
    }
    entry.settle(work, &request, &attempt);
    match attempt.result {
        Ok((text, reason)) => {
            models.called(&work.db, provider.name(), None);
            Ok(Answer { text, reason, model: format!("{}:{model}", provider.name()) })
        }
        Err(broken) => {
            if let Broken::Provider(error) = &broken {
                models.called(&work.db, provider.name(), Some(error));
            }
            Err((broken, attempt.heard_tokens > 0))
        }
    }
}
