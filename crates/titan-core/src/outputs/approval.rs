//! An approval. What the run changed in the project's files comes into the project with the first one of something that it made:
//! both are written, or neither.

use chrono::Utc;
use diesel::sql_types::{Nullable, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::review::{Decision, Reviewed, checked, review};
use super::{Output, get};
use crate::db::Db;
use crate::queue::Hint;
use crate::state::Review;
use crate::workspaces::{self, Merged, Said, Workspaces};
use crate::{Error, Result};

#[derive(Debug, Clone, PartialEq)]
pub enum Approval {
    Yes(Reviewed, Vec<Hint>),
    /// The project's files were changed meanwhile, these in another way; nothing was decided.
    Conflicts(Vec<String>),
}

/// Approves an output; approving it again changes nothing.
///
/// # Errors
/// As [`review`], and what stands in the way of the files; nothing is decided then.
pub async fn approve(db: &Db, workspaces: &Workspaces, id: Uuid, comment: Option<String>) -> Result<Approval> {
    let comment = checked(comment.as_deref())?;
    let Some(Unmerged { output, shown }) = db.run(move |connection| unmerged(connection, id)).await? else {
        let decide = move |connection: &mut PgConnection| review(connection, id, &approved(comment.as_deref()));
        let (reviewed, hints) = db.run(decide).await?;
        return Ok(Approval::Yes(reviewed, hints));
    };
    let project_id = output.project_id;
    let merge = move |workspace: &workspaces::Workspace| {
        let message = format!("Approve {}", output.name);
        let said = Said { author: "Titan", message: &message, at: Utc::now() };
        let mut reviewed = None;
        let merged = workspace.merge(output.run_id, &shown, &said, &mut |connection| {
            reviewed = Some(review(connection, id, &approved(comment.as_deref()))?);
            Ok(())
        })?;
        match (merged, reviewed) {
            (Some(Merged::Conflicts(paths)), _) => Ok(Approval::Conflicts(paths)),
            (Some(Merged::Yes(_)), Some((reviewed, mut hints))) => {
                hints.push(Hint::change("files", project_id, project_id));
                Ok(Approval::Yes(reviewed, hints))
            }
            _ => Err(Error::Conflict("somebody else decides about this run just now; look again".to_owned())),
        }
    };
    workspaces.with(project_id, merge).await
}

fn approved(comment: Option<&str>) -> Decision<'_> {
    Decision { review: Review::Approved, comment, run_again: false }
}

/// An output whose run left files that are not in the project yet.
struct Unmerged {
    output: Output,
    /// The commit that the run ended with: that of the changes which people see.
    shown: String,
}

/// Nothing when there are no files to merge, or when the output was decided before.
fn unmerged(connection: &mut PgConnection, id: Uuid) -> Result<Option<Unmerged>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Text>)]
        commit: Option<String>,
    }
    let output = get(connection, id)?;
    if output.review != Review::Pending
        || workspaces::head_of_run(connection, output.project_id, output.run_id)?.is_none()
    {
        return Ok(None);
    }
    let row: Option<Row> = sql_query(
        "SELECT output->>'commit' AS commit FROM steps WHERE run_id = $1 AND status = 'completed' AND output ? 'commit' \
         ORDER BY seq DESC LIMIT 1",
    )
    .bind::<SqlUuid, _>(output.run_id)
    .get_result(connection)
    .optional()?;
    let shown = row.and_then(|row| row.commit).ok_or_else(|| {
        Error::Conflict("the run that made the output is still under way; approve it when it has ended".to_owned())
    })?;
    Ok(Some(Unmerged { output, shown }))
}
