//! The same request a hundred times at once, with one key, to two API processes: one run, and everybody is told of it.

use anyhow::{Context as _, ensure};
use futures_util::future::join_all;

use super::super::Row;
use super::super::history::{Expect, Operation};
use super::super::load::{self, Mix};
use super::super::trial::Trial;

pub(super) const ROW: Row = Row::new("same-key", "the same request 100 times at once with one key", harm);

const AT_ONCE: usize = 100;

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.set_up(1)?;
    let url = trial.database.url.clone();
    trial.api(&url)?;
    trial.load(&Mix { clients: 2, ..Mix::default() })?;
    for _ in 0..if trial.quick { 2 } else { 5 } {
        trial.moment(0..=200);
        let key = titan_core::ids::new().to_string();
        let content = format!("{key} A hundred times the same.");
        let target = trial.target();
        let project = target.projects[trial.dice.index(target.projects.len())];
        let body = load::body(&content, &Mix { limited: 0, ..Mix::default() }, 1);
        let answers = trial.block_on(async |trial| {
            let ask = |number: usize| {
                let url = format!("{}/api/projects/{project}/tasks", target.urls[number % target.urls.len()]);
                let (key, body, http) = (&key, &body, &trial.http);
                async move { load::ask(http, &url, key, body).await }
            };
            join_all((0..AT_ONCE).map(ask)).await
        });
        let made = answers.into_iter().collect::<Result<Vec<_>, _>>().map_err(anyhow::Error::msg)?;
        let first = *made.first().context("an answer")?;
        ensure!(made.iter().all(|other| *other == first), "the same request made several runs");
        trial.faults += AT_ONCE as u64 - 1;
        trial.history.add(Operation { content, expect: Expect::Completed, acknowledged: Some(first), refusal: None });
    }
    Ok(())
}
