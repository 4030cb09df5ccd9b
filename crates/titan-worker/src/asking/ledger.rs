//! One call in the books: what it may cost is reserved before it is made, what it came to is written down after it.

use std::time::Instant;

use serde_json::{Value, json};
use titan_agent::catalogue::Facts;
use titan_agent::context::limits::size_of_request;
use titan_agent::provider::DEFAULT_OUTPUT_TOKENS;
use titan_agent::{Message, ModelRequest, Part, ProviderError, Role, Usage};
use titan_core::budgets::{Need, dollars, dollars_text};
use titan_core::engine::{CallOf, CallState, EndedCall, NewEvent, Purpose, Reserve, Reserved};
use titan_core::ids;
use titan_core::state::Level;

use super::{Attempt, Broken};
use crate::handler::Work;

/// An answer that is cut off before so many tokens is worth nothing.
const LEAST_OUTPUT_TOKENS: u64 = 256;

pub(super) struct Entry {
    call: CallOf,
    facts: Facts,
    reserved: bool,
    asked_at: Instant,
}

impl Entry {
    pub(super) fn of(purpose: Purpose, provider: &str, model: &str, place: usize, facts: Facts) -> Self {
        let call = CallOf {
            id: ids::new(),
            purpose,
            provider: provider.to_owned(),
            model: model.to_owned(),
            fallback: i16::try_from(place).unwrap_or(i16::MAX),
        };
        Entry { call, facts, reserved: false, asked_at: Instant::now() }
    }

    /// What is said when the call is made. Its row, which `call_id` names, tells the rest.
    pub(super) fn asking(&self, request: &ModelRequest) -> NewEvent {
        let CallOf { id, purpose, provider, model, .. } = &self.call;
        let what = match purpose {
            Purpose::Answer => String::new(),
            purpose => format!(" for the {purpose}"),
        };
        let line = format!("Asking {provider} (model {model}){what}");
        let mut data = json!({"call_id": id, "provider": provider, "model": model, "messages": request.messages.len()});
        // A message that goes alone has no parts to be told of.
        if request.messages.len() > 1
            && let Some(data) = data.as_object_mut()
        {
            data.extend(parts(request));
        }
        NewEvent::told("log", Level::Info, line, data)
    }

    /// Reserves the call under every budget. A budget that has little left shortens the answer.
    pub(super) async fn reserve(
        &mut self,
        work: &Work,
        request: &mut ModelRequest,
        asking: NewEvent,
    ) -> Result<(), Broken> {
        let wanted = request.max_output_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS);
        let wanted = self.facts.max_output_tokens.map_or(wanted, |most| wanted.min(most));
        let need = Need {
            input_tokens: whole(size_of_request(request)),
            output_tokens: whole(wanted),
            least_output_tokens: whole(wanted.min(LEAST_OUTPUT_TOKENS)),
            price: self.facts.price,
        };
        // What the calls before it have left of their reservation may be what it needs.
        if work.reporter.has_ended_calls() {
            work.reporter.flush().await.map_err(broken)?;
        }
        let reserve = Reserve { fence: work.fence, call: self.call.clone(), need, events: vec![asking] };
        match work.reporter.reserve(reserve).await {
            Ok(Reserved::Granted { output_tokens }) => {
                self.reserved = true;
                self.asked_at = Instant::now();
                if let Some(most) = output_tokens.and_then(|most| u64::try_from(most).ok()) {
                    request.max_output_tokens = Some(most);
                }
                Ok(())
            }
            Ok(Reserved::Refused(refusal)) => Err(Broken::Budget(refusal)),
            Ok(Reserved::Stop) => Err(Broken::Stopped),
            Err(error) => Err(broken(error)),
        }
    }

    /// What the call came to goes with the step's outcome, and says so in the log.
    pub(super) fn settle(&self, work: &Work, request: &ModelRequest, attempt: &Attempt) {
        let usage = usage_of(request, attempt);
        let (state, error, reason) = match &attempt.result {
            Ok((_, reason)) => (CallState::Answered, None, Some(reason.as_str().to_owned())),
            Err(Broken::Provider(error)) => (CallState::Failed, Some(error.to_string()), None),
            Err(Broken::Report(error)) => (CallState::Failed, Some(error.to_string()), None),
            Err(Broken::Stopped | Broken::Budget(_)) => (CallState::Canceled, None, None),
        };
        let (input, cached, output) =
            (whole(usage.input_tokens), whole(usage.cached_tokens), whole(usage.output_tokens));
        let cost_micros = self.facts.price.map(|price| price.cost(input, cached, output));
        let duration_ms = i32::try_from(self.asked_at.elapsed().as_millis()).unwrap_or(i32::MAX);
        if state == CallState::Answered {
            self.tell(work, &usage, cost_micros);
        }
        work.reporter.ended(EndedCall {
            call: self.call.clone(),
            reserved: self.reserved,
            state,
            error,
            input_tokens: input,
            cached_tokens: cached,
            output_tokens: output,
            estimated: usage.estimated,
            cost_micros,
            finish_reason: reason,
            first_token_ms: attempt.first_token_ms,
            duration_ms,
        });
    }

    fn tell(&self, work: &Work, usage: &Usage, cost: Option<i64>) {
        let CallOf { id, provider, .. } = &self.call;
        let about = if usage.estimated { "about " } else { "" };
        let price = cost.filter(|cost| *cost > 0).map(|cost| format!(", {}", dollars_text(cost))).unwrap_or_default();
        let line = format!(
            "{provider} answered: {about}{} tokens in, {about}{} tokens out{price}",
            usage.input_tokens, usage.output_tokens
        );
        let data = json!({"call_id": id, "input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens,
            "estimated": usage.estimated, "cost": cost.map(dollars)});
        work.reporter.at_the_end(NewEvent::told("usage", Level::Info, line, data));
    }
}

/// What the request is made of: estimated tokens of the system text, of what was said before, and of the last message.
fn parts(request: &ModelRequest) -> [(String, Value); 4] {
    let (system, talk): (Vec<_>, Vec<_>) = request.messages.iter().partition(|message| message.role == Role::System);
    let (last, before) =
        talk.split_last().map_or((0, [].as_slice()), |(last, before)| (last.estimate_tokens(), before));
    let sum = |messages: &[&Message]| messages.iter().map(|message| message.estimate_tokens()).sum::<u64>();
    let images = talk.iter().flat_map(|message| &message.parts).filter(|part| matches!(part, Part::Image(_))).count();
    [
        ("system_tokens".to_owned(), json!(sum(&system))),
        ("history_tokens".to_owned(), json!(sum(before))),
        ("last_tokens".to_owned(), json!(last)),
        ("images".to_owned(), json!(images)),
    ]
}

fn broken(error: titan_core::Error) -> Broken {
    match error {
        titan_core::Error::Fenced { .. } => Broken::Stopped,
        error => Broken::Report(error),
    }
}

/// What a call took: as the provider told it, else a guess. Nothing when it broke off before the provider began with it.
fn usage_of(request: &ModelRequest, attempt: &Attempt) -> Usage {
    let may_have_begun = match &attempt.result {
        Ok(_) | Err(Broken::Stopped | Broken::Report(_) | Broken::Provider(ProviderError::Timeout { .. })) => true,
        Err(_) => attempt.opened,
    };
    match attempt.told {
        Some(told) if attempt.result.is_ok() => told,
        // What was told in the middle of an answer is what it was then.
        Some(told) => Usage { output_tokens: told.output_tokens.max(attempt.heard_tokens), ..told },
        None if may_have_begun => Usage {
            input_tokens: request.estimate_tokens(),
            output_tokens: attempt.heard_tokens,
            cached_tokens: 0,
            estimated: true,
        },
        None => Usage { estimated: true, ..Usage::default() },
    }
}

/// A server that tells more than any model takes is not believed.
const MOST_TOKENS: u64 = 1 << 40;

fn whole(tokens: u64) -> i64 {
    i64::try_from(tokens.min(MOST_TOKENS)).unwrap_or(i64::MAX)
}
