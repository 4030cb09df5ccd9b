//! One connection that batches are written with: a batch that is refused is halved, one whose COMMIT got no answer is asked about.

use std::time::{Duration, Instant};

use diesel::sql_types::{Nullable, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::super::apply::{Batch, Failed, try_apply};
use super::super::transition::{Applied, Taken, Transition};
use crate::db::Db;
use crate::meter::Meter;
use crate::queue::{Claim, Notifier};
use crate::{Error, Result};

/// A batch that meets a row which somebody else holds is halved like one that is refused, so that only who wants that row has
/// to come again. Then no lock is waited for longer than this, and there is an end to it when a whole table is locked.
const WHILE_SIFTING: &str = "SET LOCAL lock_timeout = '100ms'";
const SIFTING: Duration = Duration::from_secs(3);
/// How long a batch is tried again while the database is away. Longer than a restart of Postgres.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Writer {
    db: Db,
    notifier: Notifier,
    connection: Option<PgConnection>,
    /// In which life of Postgres the connection was made.
    life: String,
    /// A batch is being sifted for what somebody else has locked, until then.
    sifting: Option<Instant>,
}

impl Writer {
    /// It connects when there is something to write.
    pub(super) fn new(db: &Db, notifier: &Notifier) -> Self {
        Writer { db: db.clone(), notifier: notifier.clone(), connection: None, life: String::new(), sifting: None }
    }

    /// Applies a batch with its claim.
    pub(super) fn write(
        &mut self,
        batch: &[Transition],
        claim: Option<&Claim>,
    ) -> (Vec<Result<Applied>>, Result<Vec<Taken>>) {
        self.sifting = None;
        self.commit(batch, claim)
    }

    /// Halves it when it is refused, or held up by a lock.
    fn commit(&mut self, batch: &[Transition], claim: Option<&Claim>) -> (Vec<Result<Applied>>, Result<Vec<Taken>>) {
        let begun = Instant::now();
        let failed = match self.persist(batch, claim) {
            Ok(Batch { answers, taken, hints }) => {
                let meter = Meter::get();
                meter.flushes.one();
                meter.flushed.add(batch.len());
                meter.flush_us.time(begun.elapsed());
                self.notifier.send(hints);
                return (answers, Ok(taken));
            }
            Err(error) => error,
        };
        let locked = matches!(failed, Error::Locked(_));
        let sift = locked && Instant::now() < *self.sifting.get_or_insert_with(|| Instant::now() + SIFTING);
        if failed.may_pass() && !sift {
            return (batch.iter().map(|_| Err(failed.clone())).collect(), Err(failed));
        }
        Meter::get().refused.one();
        tracing::debug!(error = %failed, batch.len = batch.len(), claim = claim.is_some(), "a batch was refused");
        match claim {
            // The claim goes alone, and what it brings is started one by one, so that a run that cannot be read harms no other.
            Some(claim) if claim.context => {
                let plain = Claim { context: false, ..claim.clone() };
                let (_, taken) = self.commit(&[], Some(&plain));
                let results = if batch.is_empty() { Vec::new() } else { self.commit(batch, None).0 };
                (results, taken)
            }
            None if batch.len() > 1 => {
                let (first, second) = batch.split_at(batch.len() / 2);
                let mut results = self.commit(first, None).0;
                results.extend(self.commit(second, None).0);
                (results, Ok(Vec::new()))
            }
            _ => (batch.iter().map(|_| Err(failed.clone())).collect(), Err(failed)),
        }
    }

    /// Tries a batch until the database takes or refuses it, or patience ends.
    fn persist(&mut self, batch: &[Transition], claim: Option<&Claim>) -> Result<Batch> {
        let give_up = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(20);
        loop {
            let failed = match self.attempt(batch, claim) {
                Ok(done) => return Ok(done),
                Err(failed) => failed,
            };
            let locked = matches!(failed.error, Error::Locked(_));
            if failed.unsure.is_some() || (failed.error.may_pass() && !locked) {
                // A connection that failed once is not trusted again.
                self.connection = None;
            }
            match failed.unsure {
                Some(unsure) => match self.ask(&unsure.0, give_up) {
                    Some(true) => return Ok(unsure.1),
                    Some(false) if !failed.error.may_pass() => return Err(failed.error),
                    Some(false) => {}
                    None => return Err(Error::Uncertain),
                },
                None if !failed.error.may_pass() || locked => return Err(failed.error),
                None => {}
            }
            // A claim that brings nothing to write is not worth the wait: the next one comes by itself.
            if batch.is_empty() || Instant::now() + pause > give_up {
                return Err(failed.error);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }

    fn attempt(&mut self, batch: &[Transition], claim: Option<&Claim>) -> std::result::Result<Batch, Failed> {
        if self.connection.is_none() {
            let made =
                self.db.for_engine().and_then(|mut connection| Ok((self.db.on(&mut connection, life)?, connection)));
            let (life, connection) = made.map_err(|error| Failed { error, unsure: None })?;
            (self.life, self.connection) = (life, Some(connection));
        }
        let mut settings = self.db.engine_settings().map(str::to_owned);
        if self.sifting.is_some() {
            settings = Some(settings.map_or_else(String::new, |settings| settings + "; ") + WHILE_SIFTING);
        }
        match self.connection.as_mut() {
            Some(connection) => try_apply(connection, settings.as_deref(), batch, claim),
            None => Err(Failed { error: Error::Unavailable("no connection".to_owned()), unsure: None }),
        }
    }

    /// Whether a transaction was committed. `None` when nobody could be asked before time was up.
    ///
    /// A server that has lost its client may still be writing the commit, so `in progress` is asked again. After a crash the
    /// numbers of transactions that were not written down are given to others: then `committed` may be said of one of those.
    fn ask(&mut self, xid: &str, give_up: Instant) -> Option<bool> {
        #[derive(QueryableByName)]
        struct Status {
            #[diesel(sql_type = Nullable<Text>)]
            status: Option<String>,
        }
        while Instant::now() < give_up {
            let asked = self.db.dedicated().and_then(|mut connection| {
                let query = sql_query("SELECT pg_xact_status($1::xid8) AS status").bind::<Text, _>(xid);
                self.db.on(&mut connection, |connection| {
                    let row: Status = query.get_result(connection)?;
                    Ok((row.status, life(connection)?))
                })
            });
            match asked {
                Ok((Some(status), life)) if status == "committed" => return (life == self.life).then_some(true),
                Ok((Some(status), _)) if status == "aborted" => return Some(false),
                _ => std::thread::sleep(Duration::from_millis(100)),
            }
        }
        None
    }
}

/// Another text after each crash of Postgres, and the same after a restart in order: a crash throws the statistics away, and
/// this is since when there are any. Whoever resets them by hand makes no more than a doubt.
fn life(connection: &mut PgConnection) -> Result<String> {
    #[derive(QueryableByName)]
    struct Since {
        #[diesel(sql_type = Text)]
        since: String,
    }
    let since: Since =
        sql_query("SELECT coalesce(extract(epoch FROM stats_reset)::text, '') AS since FROM pg_stat_bgwriter")
            .get_result(connection)?;
    Ok(since.since)
}
