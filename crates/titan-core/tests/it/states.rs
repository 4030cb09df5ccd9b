//! The rules stand twice, in Rust move by move, and in Postgres for what one update may write, which is one move or several: here the
//! two are compared pair by pair. Covers A3.

use diesel::sql_types::{Bool, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use titan_core::state::{ExecutionStatus, RunStage, RunStatus, StepStatus};
use titan_testkit::db::TestDb;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Bool)]
    allowed: bool,
}

fn in_postgres(connection: &mut PgConnection, function: &str, was: &str, becomes: &str) -> bool {
    sql_query(format!("SELECT {function}($1, $2) AS allowed"))
        .bind::<Text, _>(was)
        .bind::<Text, _>(becomes)
        .get_result::<Row>(connection)
        .unwrap()
        .allowed
}

/// Whether one move or several lead from here to there.
fn leads_to<S: Copy + PartialEq>(all: &[S], may_become: fn(S, S) -> bool, was: S, becomes: S) -> bool {
    let mut reached = vec![was];
    while let Some(next) =
        all.iter().find(|next| !reached.contains(next) && reached.iter().any(|from| may_become(*from, **next)))
    {
        reached.push(*next);
    }
    was != becomes && reached.contains(&becomes)
}

macro_rules! compare {
    ($connection:expr, $function:literal, $states:ty) => {
        for was in <$states>::ALL {
            for becomes in <$states>::ALL {
                let here = leads_to(<$states>::ALL, <$states>::may_become, *was, *becomes);
                let there = in_postgres($connection, $function, was.as_str(), becomes.as_str());
                assert_eq!(here, there, "{}: {was} -> {becomes}", $function);
            }
        }
    };
}

#[test]
fn postgres_allows_what_the_moves_in_rust_lead_to() {
    let test = TestDb::new();
    let mut connection = test.connect();
    compare!(&mut connection, "titan_run_edge", RunStatus);
    compare!(&mut connection, "titan_stage_edge", RunStage);
    compare!(&mut connection, "titan_step_edge", StepStatus);
    compare!(&mut connection, "titan_task_edge", ExecutionStatus);
}

#[test]
fn nothing_leaves_a_final_state_and_nothing_moves_to_itself() {
    for was in RunStatus::ALL {
        assert!(RunStatus::ALL.iter().all(|next| !was.is_terminal() || !was.may_become(*next)));
        assert!(!was.may_become(*was));
    }
    for was in StepStatus::ALL {
        assert!(StepStatus::ALL.iter().all(|next| !was.is_terminal() || !was.may_become(*next)));
        assert!(!was.may_become(*was));
    }
    for was in ExecutionStatus::ALL {
        // What failed may be given up.
        let gives_up = |next: &ExecutionStatus| *was == ExecutionStatus::Failed && *next == ExecutionStatus::Canceled;
        let stays = |next: &ExecutionStatus| !was.is_terminal() || !was.may_become(*next) || gives_up(next);
        assert!(ExecutionStatus::ALL.iter().all(stays));
        assert!(!was.may_become(*was));
    }
}
