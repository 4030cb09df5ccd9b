//! Where the bytes of blobs are kept: `TITAN_BLOB_URL`, and the variables by which S3-compatible stores are known everywhere.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{ConfigError, Vars, wrong};

const URL: &str = "TITAN_BLOB_URL";
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT"];

#[derive(Debug, Clone)]
pub enum BlobStore {
    Postgres,
    Directory(PathBuf),
    S3(S3Settings),
}

#[derive(Debug, Clone)]
pub struct S3Settings {
    pub bucket: String,
    /// What the names of objects begin with; may be empty.
    pub prefix: String,
    /// All that begin with `AWS_`.
    pub variables: HashMap<String, SecretString>,
}

/// The store, and for how long what nothing names is kept in it.
#[derive(Debug, Clone)]
pub struct BlobSettings {
    pub store: BlobStore,
    pub grace: Duration,
}

impl BlobSettings {
    pub(super) fn of(vars: &Vars<'_>) -> Result<Self, ConfigError> {
        let hours = vars.number("TITAN_BLOB_GRACE_HOURS", 2, 8760)?.unwrap_or(24);
        let grace = Duration::from_secs(u64::try_from(hours).unwrap_or(u64::MAX).saturating_mul(3600));
        Ok(BlobSettings { store: BlobStore::of(vars)?, grace })
    }
}

impl BlobStore {
    /// The value is not repeated in a message: somebody may have written a password into it.
    fn of(vars: &Vars<'_>) -> Result<Self, ConfigError> {
        const RIGHT: &str =
            "must be postgres:, an absolute path such as file:///var/lib/titan/blobs, or s3://bucket/prefix";
        let Some(given) = vars.text(URL) else { return Ok(BlobStore::Postgres) };
        let url = Url::parse(given).map_err(|_| wrong(URL, RIGHT))?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain {
            return Err(wrong(
                URL,
                format!("{RIGHT}, and nothing more; keys are told by AWS_ACCESS_KEY_ID and the like"),
            ));
        }
        match (url.scheme(), url.host_str()) {
            ("postgres", None) if url.path().is_empty() => Ok(BlobStore::Postgres),
            ("file", None) => match url.to_file_path() {
                Ok(path) if path.parent().is_some() => Ok(BlobStore::Directory(path)),
                _ => Err(wrong(URL, RIGHT)),
            },
            ("s3", Some(bucket)) => S3Settings::of(vars, bucket, url.path()).map(BlobStore::S3),
            _ => Err(wrong(URL, RIGHT)),
        }
    }
}

impl S3Settings {
    fn of(vars: &Vars<'_>, bucket: &str, path: &str) -> Result<Self, ConfigError> {
        for (one, other) in
            [("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")]
        {
            if vars.text(one).is_some() && vars.text(other).is_none() {
                return Err(wrong(other, format!("is not set, and {one} is; they belong together")));
            }
        }
        for name in ENDPOINTS {
            vars.http_url(name)?;
        }
        let ours = vars.0.keys().filter(|name| name.starts_with("AWS_"));
        let variables = ours.filter_map(|name| Some((name.clone(), vars.secret(name)?))).collect();
        let prefix = path.trim_matches('/').to_owned();
        Ok(S3Settings { bucket: bucket.to_owned(), prefix, variables })
    }

    /// Whether the store is asked without TLS, because its address says so.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        let endpoint = ENDPOINTS.iter().find_map(|name| self.variables.get(*name));
        endpoint.is_some_and(|url| url.expose_secret().starts_with("http://"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<BlobStore, ConfigError> {
        let map = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        BlobStore::of(&Vars(&map))
    }

    #[test]
    fn a_store_is_known_by_its_address() {
        assert!(matches!(of(&[]), Ok(BlobStore::Postgres)));
        assert!(matches!(of(&[(URL, "postgres:")]), Ok(BlobStore::Postgres)));
        let Ok(BlobStore::Directory(path)) = of(&[(URL, "file:///var/lib/my%20blobs")]) else { panic!() };
        assert_eq!(path, PathBuf::from("/var/lib/my blobs"));
        let keys =
            [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "hidden"), ("AWS_ENDPOINT_URL", "http://s3")];
        let all: Vec<_> = [(URL, "s3://bucket/a/b/")].into_iter().chain(keys).collect();
        let Ok(BlobStore::S3(settings)) = of(&all) else { panic!() };
        assert_eq!((settings.bucket.as_str(), settings.prefix.as_str()), ("bucket", "a/b"));
        assert!(settings.is_plain_http() && settings.variables.len() == 3);
        assert!(!format!("{settings:?}").contains("hidden"));
    }

    #[test]
    fn a_wrong_one_is_named_and_not_repeated() {
        for (pairs, variable) in [
            ([(URL, "blobs"), ("X", "")], URL),
            ([(URL, "file://blobs/hidden"), ("X", "")], URL),
            ([(URL, "file:///"), ("X", "")], URL),
            ([(URL, "postgres://u:hidden@h/d"), ("X", "")], URL),
            ([(URL, "s3://id:hidden@bucket"), ("X", "")], URL),
            ([(URL, "s3:///hidden"), ("X", "")], URL),
            ([(URL, "gs://hidden"), ("X", "")], URL),
            ([(URL, "s3://b"), ("AWS_ACCESS_KEY_ID", "hidden")], "AWS_SECRET_ACCESS_KEY"),
            ([(URL, "s3://b"), ("AWS_ENDPOINT_URL", "hidden")], "AWS_ENDPOINT_URL"),
        ] {
            let error = of(&pairs).unwrap_err();
            assert_eq!(error.variable, variable);
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }
}
