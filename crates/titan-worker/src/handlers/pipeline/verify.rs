//! The fourth step: the project's own tests, then what the template says must hold of what was deployed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use titan_core::engine::{Done, NewEvent};
use titan_core::pipelines::{Order, Target};
use titan_core::state::Level;
use titan_core::templates::{Check, HttpCheck, What};
use titan_core::text;

use super::{build_of, deploy, left_by, preview};
use crate::handler::Work;
use crate::workshop::Workshop;
use crate::workshop::build::Build;
use crate::workshop::copy::Tree;
use crate::workshop::run::{Job, Site, Trouble};

const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer that are looked at.
const MAX_BODY: usize = 4 << 20;

pub(super) async fn run(workshop: &Arc<Workshop>, work: &Work, order: Order) -> Result<Done, Trouble> {
    let site = Site::from(work);
    let build = build_of(work, &order).await?;
    let folder = workshop.built(site, &build).await?;
    workshop.run_steps(site, build.project_id, &build.rendered.steps.verify, &folder).await?;
    let asks = build.rendered.checks.iter().any(|check| matches!(check.what, What::Http(_)));
    // What was deployed is asked. Where that is nothing that answers this worker, what was built is served for as long as it takes.
    let deployed = match order.target {
        Target::Preview if asks => Some(deploy::preview(work, &build, false).await?).filter(|shown| shown.within_reach),
        _ => None,
    };
    let deployed = deployed.map(|shown| shown.address);
    let served = match deployed {
        None if asks => Some(preview::serve_for_a_while(workshop, site, &build, &folder).await?),
        _ => None,
    };
    let release = match (order.target, left_by(work, "deploy", "address"), &build.rendered.deploy.directory) {
        (Target::Directory, Some(current), Some(directory)) => {
            Some(Release { folder: deploy::release(current, build.run_id), from: directory.from.clone() })
        }
        _ => None,
    };
    let address = served.as_ref().map(|served| served.address.as_str()).or(deployed.as_deref());
    let mut failed = Vec::new();
    for check in &build.rendered.checks {
        if work.stop.reason().is_some() {
            return Err(Trouble::Stopped);
        }
        let found = look(workshop, site, &build, &folder, release.as_ref(), address, check).await?;
        let (level, line) = match &found {
            Ok(()) => (Level::Info, format!("Holds: {}", check.name)),
            Err(why) => (Level::Error, format!("Does not hold: {}: {why}", check.name)),
        };
        let data = json!({"name": check.name, "holds": found.is_ok(), "why": found.as_ref().err()});
        site.tell(NewEvent::told("check.done", level, line, data)).await?;
        failed.extend(found.err().map(|why| format!("{}: {why}", check.name)));
    }
    if let Some(served) = served {
        served.stop().await;
    }
    let checks = build.rendered.checks.len();
    match failed.first() {
        None => Ok(Done { output: json!({"checks": checks}), writes: Vec::new() }),
        Some(first) => Err(Trouble::Failed(format!("{} of {checks} checks do not hold: {first}", failed.len()))),
    }
}

/// What was put into a directory, and of which folder of the build it was made.
struct Release {
    folder: PathBuf,
    from: String,
}

impl Release {
    /// Where a file of the build is in it, if it was deployed.
    fn path_of(&self, path: &str) -> Option<String> {
        if self.from == "." {
            return Some(path.to_owned());
        }
        Some(path.strip_prefix(self.from.trim_end_matches('/'))?.strip_prefix('/')?.to_owned())
    }
}

/// Why it does not hold, if it does not.
async fn look(
    workshop: &Workshop,
    site: Site<'_>,
    build: &Build,
    folder: &Path,
    release: Option<&Release>,
    address: Option<&str>,
    check: &Check,
) -> Result<Result<(), String>, Trouble> {
    match &check.what {
        What::Command(step) => match workshop.run(site, Job::of_step(build.project_id, step, folder)).await {
            Ok(_) => Ok(Ok(())),
            Err(Trouble::Failed(why)) => Ok(Err(why)),
            Err(other) => Err(other),
        },
        What::File(file) => {
            let (folder, path) = match release.and_then(|release| Some((&release.folder, release.path_of(&file.path)?)))
            {
                Some((folder, path)) => (folder.clone(), path),
                None => (folder.to_owned(), file.path.clone()),
            };
            let read = tokio::task::spawn_blocking(move || Tree::open(&folder).ok()?.text(&path)).await;
            let Some(content) = read.ok().flatten() else { return Ok(Err(format!("{} is not there", file.path))) };
            Ok(contains(&content, file.contains.as_deref()))
        }
        What::Http(http) => Ok(ask(address.unwrap_or_default(), http).await),
    }
}

fn contains(content: &str, wanted: Option<&str>) -> Result<(), String> {
    match wanted {
        Some(wanted) if !content.contains(wanted) => {
            Err(format!("{:?} is not in it; it begins with {:?}", text::head(wanted, 200), text::head(content, 200)))
        }
        _ => Ok(()),
    }
}

async fn ask(address: &str, check: &HttpCheck) -> Result<(), String> {
    let failed = |error: reqwest::Error| format!("GET {} has no answer: {error}", check.path);
    let client =
        reqwest::Client::builder().timeout(TIMEOUT).no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    let url = format!("{}{}", address.trim_end_matches('/'), check.path);
    let mut answer = client.map_err(failed)?.get(url).send().await.map_err(failed)?;
    let status = answer.status().as_u16();
    if status != check.status {
        return Err(format!("GET {} answers {status}, and not {}", check.path, check.status));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BODY {
            break;
        }
    }
    contains(&String::from_utf8_lossy(&body), check.contains.as_deref())
}
