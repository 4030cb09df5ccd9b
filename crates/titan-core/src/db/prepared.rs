//! Statements that are planned once per connection.
//!
//! Diesel sends the text of each `sql_query` anew, because it cannot know whether there are endlessly many of them. Ours
//! are constants, so they may be prepared; a connection to a pooler has its cache switched off and sends text all the same.

use diesel::deserialize::{self, QueryableByName};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::row::NamedRow;
use diesel::sql_types::Untyped;
use diesel::{PgConnection, QueryResult, RunQueryDsl};

/// A query with its values, prepared at its first use on a connection.
#[derive(Debug, Clone, Copy)]
#[must_use = "a query does nothing until it is executed"]
pub struct Prepared<Q>(Q);

/// What turns a `sql_query` with a constant text into a [`Prepared`] one.
pub trait Prepare: Sized {
    fn prepared(self) -> Prepared<Self> {
        Prepared(self)
    }
}

impl<Q: Query> Prepare for Q {}

impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();
    /// Cached by its text: two queries may have the same type.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> Query for Prepared<Q> {
    type SqlType = Untyped;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> RunQueryDsl<PgConnection> for Prepared<Q> {}

impl<Q: Query + QueryFragment<Pg>> Prepared<Q> {
    /// Runs a statement of which no rows and no count are wanted. Diesel prepares what is loaded and never what is executed: the
    /// latter it asks through a reference, which does not know that the statement is constant.
    ///
    /// # Errors
    /// What Postgres has against it.
    pub fn run(self, connection: &mut PgConnection) -> QueryResult<()> {
        self.load::<NoRow>(connection).map(|_| ())
    }
}

struct NoRow;

impl QueryableByName<Pg> for NoRow {
    fn build<'a>(_: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        Ok(NoRow)
    }
}
