//! The job that reads a document. It leaves no dead letter for a file that cannot be read: the document says why.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use titan_core::Error;
use titan_core::documents::{self, Begun, Document, MOST_ATTEMPTS};
use titan_core::engine::{Done, Outcome};
use titan_core::queue::Hint;
use uuid::Uuid;

use crate::extract::process::Place;
use crate::handler::{JobHandler, LoneJob};
use crate::stop::StopReason;

/// When the database or the store of files cannot be asked, the reading is put off and not counted.
const COME_BACK: Duration = Duration::from_secs(1);
const COME_BACK_FOR_FILES: Duration = Duration::from_secs(15);

pub struct Extract {
    place: Place,
}

impl Extract {
    #[must_use]
    pub fn new(place: Place) -> Self {
        Self { place }
    }
}

#[async_trait]
impl JobHandler for Extract {
    fn kind(&self) -> &'static str {
        documents::EXTRACT
    }

    async fn run(&self, job: LoneJob) -> Outcome {
        let id = job.payload.get("document_id").and_then(Value::as_str).and_then(|id| id.parse::<Uuid>().ok());
        let Some(id) = id else {
            return Outcome::Fail { error: "the job names no document".to_owned() };
        };
        match self.read(&job, id).await {
            Ok(()) => Outcome::Done(Done::default()),
            Err(error) => match error.downcast::<Error>() {
                Ok(error) if error.may_pass() => Outcome::Snooze { after: COME_BACK, reason: error.to_string() },
                Ok(error @ Error::Storage(_)) => {
                    Outcome::Snooze { after: COME_BACK_FOR_FILES, reason: error.to_string() }
                }
                Ok(error) => Outcome::Retry { error: error.to_string(), after: None },
                Err(error) => Outcome::Retry { error: format!("{error:#}"), after: None },
            },
        }
    }
}

impl Extract {
    async fn read(&self, job: &LoneJob, id: Uuid) -> anyhow::Result<()> {
        let document = match job.db.run(move |connection| documents::begin(connection, id)).await? {
            Begun::Read(document) => document,
            Begun::GivenUp(document) => {
                tell(job, &document);
                return Ok(());
            }
            Begun::Nothing => return Ok(()),
        };
        tell(job, &document);
        let text = async {
            let bytes = job.blobs.read(&document.sha256).await?;
            self.place.read(document.format, bytes).await
        };
        let read = tokio::select! {
            read = text => read,
            () = job.stop.requested() => Err(anyhow::anyhow!("told to stop")),
        };
        match read {
            Ok(Ok(text)) => {
                let left_out = i64::try_from(text.left_out).unwrap_or(i64::MAX);
                job.db.run(move |connection| documents::ready(connection, id, &text.text, left_out)).await?;
            }
            Ok(Err(why)) => {
                tracing::info!(document.id = %id, %why, "a document cannot be read");
                job.db.run(move |connection| documents::failed(connection, id, &why.0)).await?;
            }
            Err(error) => return self.put_off(job, &document, error).await,
        }
        tell(job, &document);
        Ok(())
    }
}

impl Extract {
    /// The reading did not come to its end, and the file is not to blame. The last attempt says so at the document: nobody comes after it.
    async fn put_off(&self, job: &LoneJob, document: &Document, error: anyhow::Error) -> anyhow::Result<()> {
        let id = document.id;
        match job.stop.reason() {
            // Another worker reads it by now.
            Some(StopReason::Lost) => return Err(error),
            Some(StopReason::Shutdown | StopReason::Unsure) => {}
            _ if job.attempt >= MOST_ATTEMPTS && !is_passing(&error) => {
                tracing::warn!(document.id = %id, %error, "a document could not be read, and is given up");
                let reason = format!("it could not be read here: {error:#}");
                job.db.run(move |connection| documents::failed(connection, id, &reason)).await?;
                tell(job, document);
                return Ok(());
            }
            _ => {}
        }
        job.db.run(move |connection| documents::try_again(connection, id)).await?;
        tell(job, document);
        Err(error)
    }
}

fn is_passing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Error>().is_some_and(|error| error.may_pass() || matches!(error, Error::Storage(_)))
}

fn tell(job: &LoneJob, document: &Document) {
    job.notifier.send(vec![Hint::change("document", document.id, document.project_id)]);
}
