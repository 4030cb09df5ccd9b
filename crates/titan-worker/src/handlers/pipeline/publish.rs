//! The last step: the version gets its number and tag, what was built is kept as an output, and everybody is told where it is.

use std::path::PathBuf;

use serde_json::json;
use titan_core::engine::{Done, Write};
use titan_core::pipelines::{Order, previews, publications};
use titan_core::state::Level;

use super::{build_of, left_by};
use crate::handler::Work;
use crate::workshop::Workshop;
use crate::workshop::build::Build;
use crate::workshop::copy::{self, Tree};
use crate::workshop::run::{Site, Trouble};

pub(super) async fn run(workshop: &Workshop, work: &Work, order: Order) -> Result<Done, Trouble> {
    let (site, project_id, run_id) = (Site::from(work), work.started.project_id, work.fence.run_id);
    let build = build_of(work, &order).await?;
    let folder = workshop.built(site, &build).await?;
    workshop.run_steps(site, project_id, &build.rendered.steps.publish, &folder).await?;
    let archive = archive(&build, folder).await?;

    let address = left_by(work, "deploy", "address").map(str::to_owned);
    let (commit, at) = (build.commit.clone(), address.clone());
    let publication = work
        .db
        .run(move |connection| publications::publish(connection, project_id, run_id, &commit, at.as_deref()))
        .await?;
    let tag = publication.tag();
    site.say(Level::Info, format!("Published as {tag}")).await?;

    let used = work.db.run(move |connection| previews::used(connection, project_id)).await?;
    let keep: Vec<_> = used.into_iter().chain([build.run_id]).collect();
    workshop.clear_old_builds(project_id, &keep).await?;
    let mut writes = vec![Write::Output {
        name: format!("Published {tag}"),
        kind: "text",
        media_type: "text/markdown; charset=utf-8".to_owned(),
        content: told(&tag, &order, &build.commit, address.as_deref()).into_bytes().into(),
    }];
    writes.extend(archive.map(|bytes| Write::Output {
        name: format!("{}-{tag}.tar.gz", order.template.split('@').next().unwrap_or_default().replace('/', "-")),
        kind: "file",
        media_type: "application/gzip".to_owned(),
        content: bytes.into(),
    }));
    let output = json!({"tag": tag, "number": publication.number, "commit": build.commit, "address": address});
    Ok(Done { output, writes })
}

/// The files that the template's steps name as artifacts, and the folder that it deploys.
async fn archive(build: &Build, folder: PathBuf) -> Result<Option<Vec<u8>>, Trouble> {
    let steps = build.rendered.steps.build.iter().chain(&build.rendered.steps.publish);
    let mut patterns: Vec<String> = steps.flat_map(|step| step.artifacts.iter().cloned()).collect();
    match build.rendered.deploy.directory.as_ref().map(|directory| directory.from.as_str()) {
        Some(".") => patterns.push("**".to_owned()),
        Some(from) => patterns.push(format!("{from}/**")),
        None => {}
    }
    let pack = move || {
        let tree = Tree::open(&folder)?;
        let found = copy::matching(tree.files()?, &patterns)?;
        if found.is_empty() { Ok(None) } else { tree.pack(&found).map(Some) }
    };
    tokio::task::spawn_blocking(pack).await.map_err(|error| Trouble::Passing(error.to_string()))?
}

fn told(tag: &str, order: &Order, commit: &str, address: Option<&str>) -> String {
    let place = match address {
        Some(address) if address.starts_with("http") => format!("It can be seen at <{address}>."),
        Some(address) => format!("Where it is: `{address}`"),
        None => String::new(),
    };
    let commit = commit.get(..12).unwrap_or(commit);
    format!(
        "**{tag}** was built from commit `{commit}` with the template {}, checked and published.\n\n{place}\n",
        order.template
    )
}
