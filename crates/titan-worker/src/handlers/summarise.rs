//! Has the older part of a conversation summarised. A summary is a cache of what is stored, so it is written at once and not with
//! the outcome: paid for once, it serves whoever answers next, also when this attempt fails.

use serde_json::json;
use titan_agent::ProviderError;
use titan_agent::context::Compaction;
use titan_agent::tokens::estimate_tokens;
use titan_core::Error;
use titan_core::engine::{NewEvent, Purpose};
use titan_core::state::Level;
use titan_core::summaries::{self, Summary};

use super::context::NoRequest;
use crate::asking::{self, Broken, Question, Shown};
use crate::handler::Work;
use crate::models::Models;

/// The summary to show in place of the older messages: a model's, or an extract when there is none to be had. The extract is not
/// stored, so that the next message may have a better one.
pub(super) async fn summarise(
    work: &Work,
    models: &Models,
    model: Option<&str>,
    compaction: &Compaction,
) -> Result<Summary, NoRequest> {
    let count = compaction.messages;
    let line = format!("The conversation is longer than the model takes in: summarising {count} older messages");
    report(work, NewEvent::log(Level::Info, line)).await?;
    let (content, by) = match notes(work, models, model, compaction).await {
        Ok((content, model)) => (content, Ok(model)),
        Err(Broken::Provider(error)) => (compaction.extract.clone(), Err(error.to_string())),
        Err(Broken::Budget(refusal)) if !refusal.soon => (compaction.extract.clone(), Err(refusal.reason)),
        Err(broken) => return Err(NoRequest::Broken(broken)),
    };
    let summary = Summary { up_to_ordinal: compaction.up_to, content };
    let tokens = estimate_tokens(&summary.content);
    let data = json!({"messages": count, "up_to_ordinal": compaction.up_to, "summary_tokens": tokens,
        "by": if by.is_ok() { "model" } else { "extract" }, "calls": compaction.chunks.len()});
    let event = match by {
        Ok(model) => {
            store(work, model, summary.clone(), tokens).await;
            NewEvent::told("context.compacted", Level::Info, format!("Summarised {count} older messages"), data)
        }
        Err(why) => {
            let line =
                format!("{count} older messages are shown as an extract, because nobody could summarise them: {why}");
            NewEvent::told("context.compacted", Level::Warn, line, data)
        }
    };
    report(work, event).await?;
    Ok(summary)
}

async fn report(work: &Work, event: NewEvent) -> Result<(), NoRequest> {
    match work.reporter.report(vec![event]).await {
        Ok(()) => Ok(()),
        Err(Error::Fenced { .. }) => Err(NoRequest::Broken(Broken::Stopped)),
        Err(error) => Err(NoRequest::Database(error)),
    }
}

/// One call after the other, each with the notes of those before. With the model that gave the last of them.
async fn notes(
    work: &Work,
    models: &Models,
    model: Option<&str>,
    compaction: &Compaction,
) -> Result<(String, String), Broken> {
    let mut notes: Option<(String, String)> = None;
    for chunk in &compaction.chunks {
        let before = notes.as_ref().map(|(notes, _)| notes.as_str()).or(compaction.previous.as_deref());
        let request = compaction.request("", chunk, before);
        let question = Question { purpose: Purpose::Summary, model, request, shown: Shown::Nothing };
        let answer = asking::ask(work, models, question).await?;
        notes = Some((compaction.notes(&answer.text), answer.model));
    }
    let empty = || ProviderError::MalformedAnswer { message: "the summary is empty".to_owned() };
    notes.filter(|(notes, _)| !notes.is_empty()).ok_or_else(|| Broken::Provider(empty()))
}

async fn store(work: &Work, model: String, summary: Summary, tokens: u64) {
    let project_id = work.started.project_id;
    let tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
    let stored =
        work.db.run(move |connection| summaries::store(connection, project_id, &summary, tokens, &model)).await;
    if let Err(error) = stored {
        tracing::warn!(run.id = %work.fence.run_id, %error, "a summary was not stored; it will be made again");
    }
}
