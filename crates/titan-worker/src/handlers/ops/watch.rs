//! Asks production what it runs, also while nothing is rolled out there: people see it on top of the pages, and whoever reads the log
//! hears when it is not well.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use titan_core::db::{Db, PgConnection};
use titan_core::ops::targets;
use titan_ops::target::Side;

use super::destination::Destination;
use super::halt::Halt;
use super::rollout::note;
use super::yard::Yard;
use crate::handler::Chore;

const EVERY: Duration = Duration::from_secs(30);
/// Several workers may know the target: who finds that another one has just asked does not.
const JUST_S: i64 = 20;

pub(super) struct Watch(pub(super) Arc<Yard>);

#[async_trait]
impl Chore for Watch {
    async fn keep_on(&self, db: Db) {
        let Some(to) = &self.0.destination else { return };
        let mut was_well = true;
        loop {
            let asked = asked(to, &db).await;
            if let Err(why) = &asked
                && was_well
            {
                tracing::warn!(
                    ?why,
                    target = to.target.name(),
                    "production cannot be asked what it runs; trying again"
                );
            }
            was_well = asked.is_ok();
            tokio::time::sleep(EVERY).await;
        }
    }
}

async fn asked(to: &Destination, db: &Db) -> Result<(), Halt> {
    let name = to.target.name().to_owned();
    let seen = move |connection: &mut PgConnection| targets::seen_within(connection, &name, JUST_S);
    if db.run(seen).await? {
        return Ok(());
    }
    let asked_at = db.run(targets::now).await?;
    // Whoever has stopped it is not to find it running again because of that.
    let running = to.target.glance(Side::Production).await?;
    note(to, db, asked_at, &running).await
}
