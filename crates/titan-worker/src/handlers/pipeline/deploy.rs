//! The third step: what was built is brought to where the project is deployed.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use titan_core::engine::Done;
use titan_core::pipelines::{Order, Target, previews};
use titan_core::projects;
use titan_core::state::Level;
use titan_sandbox::remove_all;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{build_of, hook};
use crate::handler::Work;
use crate::workshop::Workshop;
use crate::workshop::build::Build;
use crate::workshop::copy::Tree;
use crate::workshop::network;
use crate::workshop::run::{Site, Trouble};

/// Between two looks at a preview that is to come up, and between two that see that somebody serves it.
const LOOK: Duration = Duration::from_millis(300);
const SEE_TO_IT: Duration = Duration::from_secs(5);
const HEALTH: Duration = Duration::from_secs(5);
/// Beyond what the template allows it to start: for a worker to take it up, and to build it where it was not.
const MARGIN: Duration = Duration::from_secs(1800);

pub(super) async fn run(workshop: &Workshop, work: &Work, order: Order) -> Result<Done, Trouble> {
    let site = Site::from(work);
    let build = build_of(work, &order).await?;
    let address = match order.target {
        Target::Preview => preview(work, &build, true).await?.address,
        Target::Directory => directory(workshop, work, &build).await?,
        Target::Hook => hook::call(workshop, work, &order, &build.commit).await?,
    };
    site.say(Level::Info, format!("Deployed: {address}")).await?;
    Ok(Done { output: json!({"target": order.target, "address": address}), writes: Vec::new() })
}

/// Where a preview is served.
pub(super) struct Shown {
    pub(super) address: String,
    /// Whether this worker reaches it: on another machine the loopback address leads elsewhere.
    pub(super) within_reach: bool,
}

/// Waits until a worker serves it, and has one do so if that is asked for. A row may say that it is served by a worker that was
/// lost a moment ago: what counts is that it answers, where that can be asked.
pub(super) async fn preview(work: &Work, build: &Build, begin: bool) -> Result<Shown, Trouble> {
    let (project_id, run_id) = (build.project_id, build.run_id);
    let own = network::identity();
    let seconds = build.rendered.deploy.preview.as_ref().map_or(0, |preview| preview.timeout_seconds);
    let give_up = Instant::now() + Duration::from_secs(seconds) + MARGIN;
    let mut seen_to = None;
    loop {
        if begin && seen_to.is_none_or(|at: Instant| at.elapsed() > SEE_TO_IT) {
            let commit = build.commit.clone();
            work.db.run(move |connection| previews::show(connection, project_id, run_id, &commit)).await?;
            seen_to = Some(Instant::now());
        }
        let now = work.db.run(move |connection| previews::get(connection, project_id)).await?;
        match now.filter(|preview| preview.run_id == run_id) {
            Some(preview) if preview.state == "running" => {
                if let Some(address) = preview.address {
                    let within_reach = !is_loopback(&address) || preview.network.as_ref() == Some(&own);
                    if !within_reach || answers(&address, build).await {
                        return Ok(Shown { address, within_reach });
                    }
                }
            }
            Some(preview) if preview.state == "failed" => {
                let why = preview.error.unwrap_or_else(|| "no reason was given".to_owned());
                return Err(Trouble::Failed(format!("the preview does not come up: {why}")));
            }
            Some(preview) if !preview.wanted => return Err(Trouble::Failed("somebody stopped the preview".to_owned())),
            Some(_) => {}
            None => return Err(Trouble::Failed("another run of the project is being shown by now".to_owned())),
        }
        if Instant::now() > give_up {
            return Err(Trouble::Failed("the preview did not come up in time".to_owned()));
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            () = work.stop.requested() => return Err(Trouble::Stopped),
        }
    }
}

fn is_loopback(address: &str) -> bool {
    let host =
        reqwest::Url::parse(address).ok().and_then(|url| Some(url.host_str()?.trim_matches(['[', ']']).to_owned()));
    host.and_then(|host| host.parse::<IpAddr>().ok()).is_some_and(|ip| ip.is_loopback())
}

async fn answers(address: &str, build: &Build) -> bool {
    let health = build.rendered.deploy.preview.as_ref().map_or("/", |preview| preview.health.as_str());
    let url = format!("{}{health}", address.trim_end_matches('/'));
    let client =
        reqwest::Client::builder().timeout(HEALTH).no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    let Ok(client) = client else { return false };
    client.get(url).send().await.is_ok_and(|answer| answer.status().is_success())
}

/// Puts the built files into a folder of their own, and has the name of the project lead to it: who looks sees the old files or the
/// new ones, and never some of both.
async fn directory(workshop: &Workshop, work: &Work, build: &Build) -> Result<String, Trouble> {
    let from = build.rendered.deploy.directory.as_ref().map(|directory| directory.from.clone());
    let from = from.ok_or_else(|| Trouble::Failed("the template has no directory to deploy".to_owned()))?;
    let built = workshop.built(Site::from(work), build).await?;
    let project_id = build.project_id;
    let (name, _) = work.db.run(move |connection| projects::name_and_spec(connection, project_id)).await?;
    let home = workshop.output_dir().join(folder_name(&name, project_id));
    let run_id = build.run_id;
    let put = move || put(&built, &from, &home, run_id);
    let current = tokio::task::spawn_blocking(put).await.map_err(|error| Trouble::Passing(error.to_string()))??;
    Ok(current.display().to_string())
}

/// The folder that a run's version lies in, once it is deployed to a directory.
pub(super) fn release(current: &str, run_id: Uuid) -> PathBuf {
    Path::new(current).with_file_name(run_id.to_string())
}

/// A name for people, and enough of the id that no two projects share it.
fn folder_name(name: &str, id: Uuid) -> String {
    let word = |c: char| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(word).take(40).collect();
    let parts: Vec<&str> = name.split('-').filter(|part| !part.is_empty()).collect();
    let id = id.simple().to_string();
    let tail = id.get(24..).unwrap_or(&id);
    if parts.is_empty() { tail.to_owned() } else { format!("{}-{tail}", parts.join("-")) }
}

fn put(built: &Path, from: &str, home: &Path, run_id: Uuid) -> Result<PathBuf, Trouble> {
    let (release, current) = (home.join(run_id.to_string()), home.join("current"));
    if fs::read_link(&current).is_ok_and(|to| to == Path::new(&run_id.to_string())) && release.is_dir() {
        return Ok(current);
    }
    let making = home.join(format!("{run_id}.new"));
    for left in [&making, &release] {
        if left.exists() {
            remove_all(left)?;
        }
    }
    let tree = Tree::open(built)?.below(from).map_err(|error| {
        Trouble::Failed(format!("the template deploys the folder {from:?}, and the build left none there: {error}"))
    })?;
    tree.copy(&tree.files()?, &making)?;
    fs::rename(&making, &release)?;
    let link = home.join(format!("{run_id}.link"));
    let _ = fs::remove_file(&link);
    symlink(run_id.to_string(), &link)?;
    fs::rename(&link, &current)?;
    clear_old(home, run_id)?;
    Ok(current)
}

/// The version before stays, for who is reading it just now.
fn clear_old(home: &Path, newest: Uuid) -> Result<(), Trouble> {
    let mut old: Vec<Uuid> = fs::read_dir(home)?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|run_id| *run_id != newest)
        .collect();
    // By their age, which the ids tell.
    old.sort();
    old.pop();
    for run_id in old {
        remove_all(&home.join(run_id.to_string()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_for_people_and_for_one_project() {
        let id = Uuid::from_u128(0xabcd_ef01);
        assert_eq!(folder_name("My Web App!", id), "my-web-app-abcdef01");
        assert_eq!(folder_name("../..", id), "abcdef01");
    }

    #[test]
    fn the_name_leads_to_one_version_or_the_other() {
        let root = tempfile::tempdir().unwrap();
        let (from, home) = (root.path().join("from"), root.path().join("out"));
        fs::create_dir_all(&from).unwrap();
        let runs: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
        for (number, run_id) in runs.iter().enumerate() {
            fs::write(from.join("a"), number.to_string()).unwrap();
            // Twice, as after a crash.
            for _ in 0..2 {
                let current = put(root.path(), "from", &home, *run_id).unwrap();
                assert_eq!(fs::read_to_string(current.join("a")).unwrap(), number.to_string());
            }
        }
        assert!(
            matches!(put(root.path(), "none", &home, Uuid::from_u128(9)), Err(Trouble::Failed(why)) if why.contains("none"))
        );
        assert!(!home.join(runs[0].to_string()).exists() && home.join(runs[1].to_string()).exists());
    }
}
