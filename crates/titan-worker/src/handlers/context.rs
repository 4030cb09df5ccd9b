//! What a model is shown for a message: everything is read in one go, and planned against what the model takes. When the
//! conversation has become too long, its older part is summarised first.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use titan_agent::agents::Agent;
use titan_agent::context::{Parts, Plan, Project, Said, Summary, attached, plan};
use titan_agent::{Message, ModelRequest, Part, Role};
use titan_core::attachments::{self, Attachment};
use titan_core::db::PgConnection;
use titan_core::engine::{NewEvent, Outcome};
use titan_core::memories::Memory;
use titan_core::messages::{self, Earlier};
use titan_core::outputs::{self, Rejection};
use titan_core::state::Level;
use titan_core::tasks::{self, Recent};
use titan_core::{Error, plans, projects, summaries};
use uuid::Uuid;

use super::background::Background;
use super::feedback;
use super::files;
use super::recall;
use super::summarise::summarise;
use super::takes::{self, Images, Takes};
use crate::asking::Broken;
use crate::embedder::Embedder;
use crate::handler::Work;
use crate::models::Models;

/// One summary is enough; this only ends what should never happen.
const ROUNDS: usize = 3;

/// Why there is nothing to ask.
pub(super) enum NoRequest {
    /// A call of a model that has to come first is not to be had now.
    Broken(Broken),
    Database(Error),
    TooLarge {
        what: &'static str,
        tokens: u64,
        limit: u64,
    },
}

/// When the database cannot be read, the attempt is put off and not counted.
const COME_BACK: Duration = Duration::from_secs(1);

impl NoRequest {
    /// What it means for the step.
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Broken(broken) => broken.outcome(),
            Self::Database(error) if error.may_pass() => {
                Outcome::Snooze { after: COME_BACK, reason: error.to_string() }
            }
            Self::Database(error) => Outcome::Fail { error: error.to_string() },
            Self::TooLarge { what, tokens, limit } => Outcome::Fail {
                error: format!(
                    "the request would take up to {tokens} tokens and the model takes {limit} of them beside its answer: \
                     {what} is too long; shorten it, or choose a model that takes more"
                ),
            },
        }
    }
}

impl From<Error> for NoRequest {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

/// The request, the memories that it shows, and whether it may show passages of documents.
pub(super) async fn request(
    work: &Work,
    models: &Models,
    embedder: Option<&Embedder>,
    agent: &Agent,
    model: Option<&str>,
    content: &str,
) -> Result<(ModelRequest, Vec<Uuid>, bool), NoRequest> {
    let resolved = models.resolve(model);
    if !resolved.provider.wants_context() {
        let messages = vec![Message::new(Role::User, content)];
        return Ok((ModelRequest::new(resolved.model.clone(), messages), Vec::new(), false));
    }
    let (project_id, task_id, payload) = (work.started.project_id, work.started.task_id, work.started.payload.clone());
    let asked = recall::Question::of(work, embedder, content).await;
    let Takes { limits, images } = takes::of(work, models, model).await?;
    let read =
        move |connection: &mut PgConnection| Material::read(connection, project_id, task_id, &payload, images, &asked);
    let material = work.db.run(read).await?;
    if let Some(line) = files::not_shown(&material.own, images) {
        work.reporter.at_the_end(NewEvent::log(Level::Warn, line));
    }

    let history: Vec<Said> = material.earlier.iter().map(|earlier| material.said(earlier)).collect();
    let asked = feedback::with(content, &material.rejections);
    let question = material.message(Role::User, &asked, &material.own);
    let charter = material.charter();
    let project = Project {
        name: &material.name,
        description: material.spec.get("description").and_then(Value::as_str),
        charter: charter.as_deref(),
    };
    let mut summary = material.summary.clone();
    let memories: Vec<String> = material.memories.iter().map(recall::line).collect();
    for _ in 0..ROUNDS {
        let parts = Parts {
            agent,
            project,
            memories: &memories,
            contacts: &material.background.contacts,
            documents: &material.background.documents,
            recent: &material.recent,
            summary: summary.as_ref().map(|had| Summary { up_to: had.up_to_ordinal, content: &had.content }),
            history: &history,
            question: &question,
            asked_at: material.asked_at,
        };
        match plan(&resolved.model, &parts, limits) {
            Plan::Fits(fitted) => {
                let shown = recall::shown(&material.memories, &fitted.request);
                return Ok((fitted.request, shown, !material.background.documents.is_empty()));
            }
            Plan::TooLarge { what, tokens, limit } => return Err(NoRequest::TooLarge { what, tokens, limit }),
            Plan::Compact(compaction) => summary = Some(summarise(work, models, model, &compaction).await?),
        }
    }
    Err(Error::Internal("a summary of the conversation did not make it shorter".to_owned()).into())
}

/// Everything that is read for a request.
struct Material {
    name: String,
    spec: Value,
    memories: Vec<Memory>,
    background: Background,
    recent: Vec<String>,
    /// What was approved.
    charter: Option<String>,
    summary: Option<summaries::Summary>,
    earlier: Vec<Earlier>,
    /// The place of the message in the conversation.
    asked_at: i64,
    /// What the message brings along.
    own: Vec<Attachment>,
    /// What a person said of earlier answers to it.
    rejections: Vec<Rejection>,
    /// The bytes of the attachments that are shown.
    files: HashMap<Uuid, Vec<u8>>,
}

impl Material {
    fn read(
        connection: &mut PgConnection,
        project_id: Uuid,
        task_id: Uuid,
        payload: &Value,
        images: Images,
        asked: &recall::Question,
    ) -> titan_core::Result<Self> {
        let (name, spec) = projects::name_and_spec(connection, project_id)?;
        let memories = asked.recall(connection);
        let background = Background::read(connection, project_id, asked.text());
        let recent = tasks::recent(connection, project_id, task_id)?;
        let charter = plans::charter_text(connection, project_id)?;
        let summary = summaries::latest(connection, project_id)?;
        let covered = summary.as_ref().map_or(0, |summary| summary.up_to_ordinal);
        let earlier = messages::history(connection, project_id, task_id, covered)?;
        let asked_at = messages::asked_at(connection, project_id, task_id)?.unwrap_or(i64::MAX);
        let own = attachments::named(connection, project_id, payload)?;
        let files = files::read(connection, &own, &earlier, images)?;
        let rejections = outputs::rejections(connection, task_id)?;
        Ok(Self {
            name,
            spec,
            memories,
            background,
            recent: recent.iter().map(line).collect(),
            charter,
            summary,
            earlier,
            asked_at,
            own,
            rejections,
            files,
        })
    }

    /// The project's charter: what was approved, or else whatever its spec holds under that name.
    fn charter(&self) -> Option<String> {
        if self.charter.is_some() {
            return self.charter.clone();
        }
        match self.spec.get("charter")? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
            other => serde_json::to_string_pretty(other).ok(),
        }
    }

    fn said(&self, earlier: &Earlier) -> Said {
        let role = if earlier.is_answer { Role::Assistant } else { Role::User };
        Said { ordinal: earlier.ordinal, message: self.message(role, &earlier.content, &earlier.attachments) }
    }

    fn message(&self, role: Role, content: &str, files: &[Attachment]) -> Message {
        let shown = |file: &Attachment| {
            let bytes = self.files.get(&file.id).map(|bytes| bytes.clone().into());
            attached(&file.name, &file.media_type, bytes)
        };
        let mut parts = vec![Part::Text(content.to_owned())];
        for part in files.iter().map(shown) {
            // Some servers take a message of one text only.
            match (parts.last_mut(), part) {
                (Some(Part::Text(text)), Part::Text(more)) => text.push_str(&more),
                (_, part) => parts.push(part),
            }
        }
        Message { role, parts }
    }
}

/// A task in a line.
pub(super) fn line(task: &Recent) -> String {
    let reviewed = match (&task.review, &task.comment) {
        (Some(review), Some(comment)) => format!("; its result was {review}: {comment}"),
        (Some(review), None) => format!("; its result was {review}"),
        (None, _) => String::new(),
    };
    let more = task.failure.as_ref().or(task.output.as_ref()).filter(|text| !text.is_empty());
    let more = more.map(|text| format!(": {text}")).unwrap_or_default();
    format!("{:?} ({}{reviewed}){more}", task.title, task.status)
}

#[cfg(test)]
mod tests {
    use titan_core::state::ExecutionStatus;

    use super::*;

    #[test]
    fn a_task_is_told_of_in_a_line() {
        let task = Recent {
            title: "Write the imprint".to_owned(),
            status: ExecutionStatus::Completed,
            failure: None,
            review: None,
            comment: None,
            output: Some("The imprint.".to_owned()),
        };
        assert_eq!(line(&task), "\"Write the imprint\" (completed): The imprint.");
        let rejected = Recent { review: Some("rejected".to_owned()), comment: Some("too long".to_owned()), ..task };
        assert_eq!(
            line(&rejected),
            "\"Write the imprint\" (completed; its result was rejected: too long): The imprint."
        );
    }
}
