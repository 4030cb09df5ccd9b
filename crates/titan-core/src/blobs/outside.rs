//! What a store outside of Postgres must be able to do: little, so that many can.

use std::fmt;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

use crate::Result;

/// Holds objects under keys such as `ab/ab12..-0198..`. A key is written once.
#[async_trait]
pub(super) trait Outside: fmt::Debug + Send + Sync + 'static {
    /// What the places of its objects begin with.
    fn scheme(&self) -> &'static str;

    /// Durable when it returns. Of what fails nothing can be read.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<()>;

    /// A part of an object, as long as was asked for.
    async fn get(&self, key: &str, range: Range<u64>) -> Result<Bytes>;

    /// One that is not there counts as removed.
    async fn remove(&self, key: &str) -> Result<()>;

    /// Everything that is there, also what was never finished.
    fn list(&self) -> BoxStream<'_, Result<Object>>;
}

/// An object, as a listing tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) key: String,
    pub(super) written_at: DateTime<Utc>,
}

/// How an object is named in the database.
pub(super) fn place(outside: &dyn Outside, key: &str) -> String {
    format!("{}:{key}", outside.scheme())
}
