//! Bytes of any size, named by their SHA-256: what runs make, the files of projects, documents. They are in Postgres, or the
//! larger ones outside: in a directory or an S3-compatible store.
//!
//! A [`Blob`] is stored in two steps. [`Blobs::put`] puts its bytes outside, where they are to be outside; then the row
//! that names it commits with whatever else its transaction writes. Whoever dies in between leaves an object that nothing
//! names, which [`collect()`] removes. What is small stays in Postgres whatever is configured: it travels with the transaction
//! that needs one anyway, so that the answers of models wait for nobody else.
//!
//! - `rows`: what Postgres knows, and the bytes that it holds.
//! - `outside`, `directory`, `s3`: the other places.
//! - `reading`: whole and checked, or piece by piece.
//! - `collect`: garbage.

mod collect;
mod directory;
mod outside;
mod reading;
mod rows;
mod s3;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::config::BlobStore;
use crate::db::Db;
use crate::text::hex;
use crate::{Error, Result, ids};

pub use collect::{Collected, NAMED_BY, collect};
pub use reading::Reader;

pub(crate) use rows::store;

use directory::Directory;
use outside::Outside;
use s3::S3;

/// Up to so many bytes stand in the row itself, with every store.
const SMALL: usize = 8 << 10;

/// Bytes on their way into the store.
#[derive(Clone)]
pub struct Blob {
    sha256: Vec<u8>,
    bytes: Bytes,
    /// Where they were put already.
    place: Option<String>,
}

impl Blob {
    #[must_use]
    pub fn sha256(&self) -> &[u8] {
        &self.sha256
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[must_use]
    pub fn size(&self) -> i64 {
        i64::try_from(self.bytes.len()).unwrap_or(i64::MAX)
    }

    fn is_small(&self) -> bool {
        self.bytes.len() <= SMALL
    }
}

impl From<Bytes> for Blob {
    fn from(bytes: Bytes) -> Self {
        Blob { sha256: Sha256::digest(&bytes).to_vec(), bytes, place: None }
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Blob");
        shown.field("sha256", &hex(&self.sha256)).field("size", &self.bytes.len()).field("place", &self.place).finish()
    }
}

/// The store, as it is configured. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs {
    db: Db,
    /// None when everything is in Postgres.
    outside: Option<Arc<dyn Outside>>,
    /// For threads that wait: what is outside is asked by async code.
    runtime: Option<Handle>,
}

impl Blobs {
    /// To be called on a tokio runtime, unless everything is in Postgres.
    ///
    /// # Errors
    /// When the settings of an S3-compatible store do not fit together.
    pub fn of(db: Db, store: &BlobStore) -> Result<Self> {
        let outside: Option<Arc<dyn Outside>> = match store {
            BlobStore::Postgres => None,
            BlobStore::Directory(root) => Some(Arc::new(Directory::new(root.clone()))),
            BlobStore::S3(settings) => Some(Arc::new(S3::of(settings)?)),
        };
        Ok(Blobs { db, outside, runtime: Handle::try_current().ok() })
    }

    /// Everything in Postgres.
    #[must_use]
    pub fn in_postgres(db: Db) -> Self {
        Blobs { db, outside: None, runtime: None }
    }

    /// Puts the bytes where they belong when that is outside. To be called before the transaction that stores the blob, and
    /// not long before it.
    ///
    /// # Errors
    /// [`Error::Storage`] when they cannot be put there; nothing is left behind then.
    pub async fn put(&self, blob: &mut Blob) -> Result<()> {
        let Some(outside) = self.outside.as_ref().filter(|_| !blob.is_small() && blob.place.is_none()) else {
            return Ok(());
        };
        let sha256 = blob.sha256.clone();
        if self.db.run(move |connection| rows::touch(connection, &sha256)).await? {
            return Ok(());
        }
        let digits = hex(&blob.sha256);
        let key = format!("{}/{digits}-{}", digits.get(..2).unwrap_or_default(), Uuid::simple(ids::new()));
        outside.put(&key, blob.bytes.clone()).await?;
        blob.place = Some(outside::place(outside.as_ref(), &key));
        Ok(())
    }

    /// The same for a thread that may wait.
    ///
    /// # Errors
    /// As above.
    pub fn put_blocking(&self, blob: &mut Blob) -> Result<()> {
        if self.outside.is_none() { Ok(()) } else { self.wait(self.put(blob)) }
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let missing = || Error::Internal("there is no runtime that could ask the store of blobs".to_owned());
        self.runtime.as_ref().ok_or_else(missing)?.block_on(work)
    }
}
