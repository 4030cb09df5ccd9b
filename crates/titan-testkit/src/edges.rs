//! Where a worker can be killed on the way of a proposal, by name: each beginning and end of a stage, each state of a rollout, and each
//! effect outside, before it is done, when it is done and not written down, and after. The database says when one is reached: the
//! worker's own transaction waits there until the test has killed it.

use std::collections::BTreeMap;

use crate::db::TestDb;
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Bool, Integer, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl as _, sql_query};

/// When a worker is killed at an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// What happened is not written down: for an effect outside this is a reply that was lost.
    Before,
    /// As soon as it is written down.
    After,
}

pub type Edge = (&'static str, When);

/// First of the locks' two numbers, so that nobody else has the same.
const CLASS: i32 = 7_461;

/// An effect's name is its key without what differs from run to run. Who passes an edge of which nobody has written the name is not held
/// up.
const SQL: &str = "
    CREATE TABLE edges (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
    CREATE TABLE edges_passed (id bigserial PRIMARY KEY, name text NOT NULL);
    CREATE FUNCTION edge(edge text) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE lock integer := (SELECT id FROM edges WHERE name = edge);
    BEGIN
        IF lock IS NOT NULL THEN PERFORM pg_advisory_xact_lock_shared(CLASS, lock); END IF;
        INSERT INTO edges_passed (name) VALUES (edge);
    END $$;
    CREATE FUNCTION edge_of_step() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM edge(NEW.name || ' ' || NEW.status); RETURN NEW; END $$;
    CREATE FUNCTION edge_of_rollout() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM edge('rollout ' || NEW.state); RETURN NEW; END $$;
    CREATE FUNCTION edge_of_intent() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM edge(regexp_replace(NEW.key, ':?([0-9a-f]{40}|[0-9a-f-]{36})', '', 'g') ||
            CASE WHEN NEW.receipt IS NULL THEN ' meant' ELSE ' known' END);
        RETURN NEW;
    END $$;
    CREATE TRIGGER edge AFTER UPDATE ON steps FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION edge_of_step();
    CREATE TRIGGER edge AFTER UPDATE ON ops_rollouts FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION edge_of_rollout();
    CREATE TRIGGER begun AFTER INSERT ON ops_rollouts FOR EACH ROW EXECUTE FUNCTION edge_of_rollout();
    CREATE TRIGGER edge AFTER UPDATE ON ops_intents FOR EACH ROW WHEN (OLD.receipt IS NULL AND NEW.receipt IS NOT NULL)
        EXECUTE FUNCTION edge_of_intent();
    CREATE TRIGGER meant AFTER INSERT ON ops_intents FOR EACH ROW EXECUTE FUNCTION edge_of_intent();
";

/// The edges at which workers are still to be killed.
pub struct Edges {
    /// Holds the locks of those before which somebody is to be killed.
    connection: PgConnection,
    before: BTreeMap<i32, &'static str>,
    after: Vec<&'static str>,
    passed: i64,
}

/// Somebody has come to an edge.
pub struct Reached {
    edge: Edge,
    /// The lock and the server's process that waits for it.
    held: Option<(i32, i32)>,
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = Integer)]
    lock: i32,
    #[diesel(sql_type = Integer)]
    pid: i32,
}

#[derive(QueryableByName)]
struct Passed {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    name: String,
}

impl Edges {
    /// Of a database that knows nothing of edges yet.
    #[must_use]
    pub fn new(db: &TestDb, edges: &[Edge]) -> Self {
        db.execute(&SQL.replace("CLASS", &CLASS.to_string()));
        Self::again(db, edges)
    }

    /// Others from now on.
    #[must_use]
    pub fn again(db: &TestDb, edges: &[Edge]) -> Self {
        #[derive(QueryableByName)]
        struct Lock {
            #[diesel(sql_type = Integer)]
            id: i32,
        }
        let mut connection = db.connect();
        let mut before = BTreeMap::new();
        for (name, _) in edges.iter().filter(|(_, when)| *when == When::Before) {
            let lock: Lock = sql_query(
                "INSERT INTO edges (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = $1 RETURNING id",
            )
            .bind::<Text, _>(*name)
            .get_result(&mut connection)
            .unwrap();
            connection.batch_execute(&format!("SELECT pg_advisory_lock({CLASS}, {})", lock.id)).unwrap();
            before.insert(lock.id, *name);
        }
        let passed = newest(&mut connection);
        let after = edges.iter().filter(|(_, when)| *when == When::After).map(|(name, _)| *name).collect();
        Edges { connection, before, after, passed }
    }

    /// The edge that somebody has come to, if one has.
    pub fn reached(&mut self) -> Option<Reached> {
        let waiting: Vec<Waiting> = sql_query(
            "SELECT objid::bigint::integer AS lock, pid FROM pg_locks \
             WHERE locktype = 'advisory' AND classid = $1 AND objsubid = 2 AND NOT granted \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .bind::<Integer, _>(CLASS)
        .load(&mut self.connection)
        .unwrap();
        if let Some(Waiting { lock, pid }) = waiting.first() {
            return Some(Reached { edge: (self.before[lock], When::Before), held: Some((*lock, *pid)) });
        }
        let passed: Vec<Passed> = sql_query("SELECT id, name FROM edges_passed WHERE id > $1 ORDER BY id")
            .bind::<BigInt, _>(self.passed)
            .load(&mut self.connection)
            .unwrap();
        for Passed { id, name } in passed {
            self.passed = id;
            if let Some(at) = self.after.iter().position(|edge| *edge == name) {
                return Some(Reached { edge: (self.after.swap_remove(at), When::After), held: None });
            }
        }
        None
    }

    /// Lets others pass an edge, once whoever came to it is dead: what they were about to write is not written.
    pub fn release(&mut self, reached: &Reached) -> Edge {
        if let Some((lock, pid)) = reached.held {
            #[derive(QueryableByName)]
            struct Gone {
                #[diesel(sql_type = Bool)]
                gone: bool,
            }
            let gone = sql_query(format!(
                "SELECT pg_terminate_backend({pid}, 5000) OR NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid}) AS gone"
            ));
            let Gone { gone } = gone.get_result(&mut self.connection).unwrap();
            assert!(gone, "what the dead worker was about to write may be written");
            self.connection.batch_execute(&format!("SELECT pg_advisory_unlock({CLASS}, {lock})")).unwrap();
            self.before.remove(&lock);
        }
        // What it has passed since is no place where the next one is.
        self.passed = newest(&mut self.connection);
        reached.edge
    }

    /// Those that nobody has come to.
    pub fn left(&self) -> Vec<Edge> {
        let before = self.before.values().map(|name| (*name, When::Before));
        before.chain(self.after.iter().map(|name| (*name, When::After))).collect()
    }

    /// All that was passed, in order.
    pub fn passed(&mut self) -> String {
        let passed: Vec<Passed> =
            sql_query("SELECT id, name FROM edges_passed ORDER BY id").load(&mut self.connection).unwrap();
        passed.iter().map(|passed| passed.name.as_str()).collect::<Vec<_>>().join("\n")
    }
}

fn newest(connection: &mut PgConnection) -> i64 {
    #[derive(QueryableByName)]
    struct Newest {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let newest = sql_query("SELECT coalesce(max(id), 0) AS id FROM edges_passed");
    newest.get_result::<Newest>(connection).unwrap().id
}
