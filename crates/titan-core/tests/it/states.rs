//! The rules stand twice, in Rust and in Postgres: here the two are compared pair by pair. Covers A3.

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

macro_rules! compare {
    ($connection:expr, $function:literal, $states:ty) => {
        for was in <$states>::ALL {
            for becomes in <$states>::ALL {
                let here = was.may_become(*becomes);
                let there = in_postgres($connection, $function, was.as_str(), becomes.as_str());
                assert_eq!(here, there, "{}: {was} -> {becomes}", $function);
            }
        }
    };
}

#[test]
fn rust_and_postgres_allow_the_same_moves() {
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
        assert!(ExecutionStatus::ALL.iter().all(|next| !was.is_terminal() || !was.may_become(*next)));
        assert!(!was.may_become(*was));
    }
}
