//! A project as a run builds it: its files at one commit, and what the template's build steps made of them. It lies in a folder that
//! stays, so that the steps after it and the preview find it; where it is not, on another machine, it is made again.

use std::fs;
use std::path::{Path, PathBuf};

use titan_core::pipelines::Order;
use titan_core::templates::Rendered;
use titan_core::workspaces::forget_index;
use titan_sandbox::remove_all;
use uuid::Uuid;

use super::Workshop;
use super::folder::{self, beside};
use super::run::{Site, Trouble};

/// What is built.
#[derive(Debug, Clone)]
pub(crate) struct Build {
    pub(crate) project_id: Uuid,
    pub(crate) run_id: Uuid,
    pub(crate) commit: String,
    pub(crate) rendered: Rendered,
}

impl Build {
    /// # Errors
    /// When its template is not there.
    pub(crate) async fn of(
        site: Site<'_>,
        project_id: Uuid,
        run_id: Uuid,
        commit: String,
        order: Order,
    ) -> Result<Self, Trouble> {
        let rendered = site.db.run(move |connection| order.rendered(connection)).await?;
        Ok(Build { project_id, run_id, commit, rendered })
    }
}

impl Workshop {
    fn folder_of(&self, build: &Build) -> PathBuf {
        let commit: String = build.commit.chars().take(12).collect();
        self.work_dir().join(build.project_id.to_string()).join(format!("{}-{commit}", build.run_id))
    }

    /// The folder of a build, which is made when it is not there.
    pub(crate) async fn built(&self, site: Site<'_>, build: &Build) -> Result<PathBuf, Trouble> {
        let folder = self.folder_of(build);
        let Some(_held) = folder::hold(&folder, site.stop).await? else { return Err(Trouble::Stopped) };
        let mark = beside(&folder, "built");
        if mark.is_file() {
            return Ok(folder);
        }
        // Another attempt may have left a part of it.
        clear(&folder).await?;
        match self.build_in(site, build, &folder).await {
            Ok(()) => {
                fs::write(mark, &build.commit)?;
                Ok(folder)
            }
            Err(trouble) => {
                clear(&folder).await?;
                Err(trouble)
            }
        }
    }

    async fn build_in(&self, site: Site<'_>, build: &Build, folder: &Path) -> Result<(), Trouble> {
        self.lay_out(site, build.project_id, Some(build.commit.clone()), folder).await?;
        self.run_steps(site, build.project_id, &build.rendered.steps.build, folder).await
    }

    /// Puts the files of a commit into a folder, for a command to work on; without a commit it is empty.
    pub(crate) async fn lay_out(
        &self,
        site: Site<'_>,
        project_id: Uuid,
        commit: Option<String>,
        folder: &Path,
    ) -> Result<(), Trouble> {
        let to = folder.to_owned();
        let workspaces = self.workspaces(site);
        workspaces
            .with(project_id, move |workspace| match commit {
                Some(commit) => workspace.check_out(&commit, &to),
                None => fs::create_dir_all(&to).map_err(|error| titan_core::Error::Internal(error.to_string())),
            })
            .await?;
        self.give_away(folder).await
    }

    /// Gives a folder with all that is in it to whom commands run as here.
    pub(crate) async fn give_away(&self, folder: &Path) -> Result<(), Trouble> {
        if let Ok(sandbox) = self.sandbox().await {
            let (folder, sandbox) = (folder.to_owned(), sandbox.clone());
            off_the_threads(move || folder::hand_over_all(&folder, &sandbox)).await?;
        }
        Ok(())
    }

    /// Clears away what other runs of a project have built and nobody looks at any more. What somebody works in stays for the next time.
    pub(crate) async fn clear_old_builds(&self, project_id: Uuid, keep: &[Uuid]) -> Result<(), Trouble> {
        let (all, keep) = (self.work_dir().join(project_id.to_string()), keep.to_owned());
        off_the_threads(move || {
            let Ok(entries) = fs::read_dir(&all) else { return Ok(()) };
            for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
                let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                let run_id = name.get(..36).and_then(|id| id.parse::<Uuid>().ok());
                if run_id.is_some_and(|run_id| !keep.contains(&run_id))
                    && let Some(_held) = folder::try_hold(&path)?
                {
                    clear_now(&path)?;
                }
            }
            Ok(())
        })
        .await
    }
}

/// Takes a folder and its mark away, whatever a command has put there.
async fn clear(folder: &Path) -> Result<(), Trouble> {
    let folder = folder.to_owned();
    off_the_threads(move || clear_now(&folder)).await
}

fn clear_now(folder: &Path) -> std::io::Result<()> {
    gone(fs::remove_file(beside(folder, "built")))?;
    forget_index(folder).map_err(std::io::Error::other)?;
    gone(remove_all(folder))
}

/// It may be many thousand files: nothing for an async thread.
async fn off_the_threads(work: impl FnOnce() -> std::io::Result<()> + Send + 'static) -> Result<(), Trouble> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| Trouble::Passing(error.to_string()))??)
}

fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
