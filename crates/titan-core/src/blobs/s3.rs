//! Objects in an S3-compatible store.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{ClientConfigKey, ObjectStore as _, ObjectStoreExt as _, PutPayload, RetryConfig};
use secrecy::ExposeSecret as _;

use super::outside::{Object, Outside};
use crate::config::S3Settings;
use crate::error::one_line;
use crate::{Error, Result};

/// How long one request may take with what it sends or fetches, and a connection to come about.
const TIMEOUTS: [(ClientConfigKey, &str); 2] =
    [(ClientConfigKey::Timeout, "60 seconds"), (ClientConfigKey::ConnectTimeout, "5 seconds")];
/// A store that is away is asked again so often, and for so long.
const RETRIES: usize = 4;
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct S3 {
    store: AmazonS3,
    bucket: String,
    prefix: Path,
}

impl fmt::Debug for S3 {
    /// Without the store, which holds keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3").field("bucket", &self.bucket).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl S3 {
    pub(super) fn of(settings: &S3Settings) -> Result<Self> {
        let wrong = |error: object_store::Error| Error::Storage(one_line(&error.to_string()));
        let mut builder =
            AmazonS3Builder::new().with_bucket_name(&settings.bucket).with_allow_http(settings.is_plain_http());
        for (key, value) in TIMEOUTS {
            builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
        }
        for (name, value) in &settings.variables {
            // What the library does not know is another program's.
            if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
                builder = builder.with_config(key, value.expose_secret());
            }
        }
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: PATIENCE, ..RetryConfig::default() };
        let store = builder.with_retry(retry).build().map_err(wrong)?;
        Ok(S3 { store, bucket: settings.bucket.clone(), prefix: Path::from(settings.prefix.as_str()) })
    }

    fn path(&self, key: &str) -> Path {
        Path::from(format!("{}/{key}", self.prefix))
    }

    fn failed(&self, doing: &str, error: &object_store::Error) -> Error {
        Error::Storage(format!("the bucket {:?} cannot be {doing}: {}", self.bucket, one_line(&error.to_string())))
    }
}

#[async_trait]
impl Outside for S3 {
    fn scheme(&self) -> &'static str {
        "s3"
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        let put = self.store.put(&self.path(key), PutPayload::from_bytes(bytes)).await;
        put.map(|_| ()).map_err(|error| self.failed("written", &error))
    }

    async fn get(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        let length = range.end.saturating_sub(range.start);
        if length == 0 {
            return Ok(Bytes::new());
        }
        let bytes = self.store.get_range(&self.path(key), range).await;
        let bytes = bytes.map_err(|error| self.failed("read", &error))?;
        if bytes.len() as u64 == length {
            return Ok(bytes);
        }
        Err(Error::Storage(format!("the bucket {:?} gave {} of {length} bytes of {key}", self.bucket, bytes.len())))
    }

    async fn remove(&self, key: &str) -> Result<()> {
        match self.store.delete(&self.path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("written", &error)),
        }
    }

    fn list(&self) -> BoxStream<'_, Result<Object>> {
        let listed = self.store.list(Some(&self.prefix)).map_err(|error| self.failed("listed", &error));
        let ours = listed.try_filter_map(move |object| async move {
            let key = object.location.prefix_match(&self.prefix);
            let key = key.map(|parts| parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"));
            Ok(key.map(|key| Object { key, written_at: object.last_modified }))
        });
        ours.boxed()
    }
}
