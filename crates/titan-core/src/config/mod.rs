//! The configuration: the environment and nothing else, read once at start. A wrong value is one line that names it. The keys and
//! addresses of model providers are listed with the providers, in `vendors.rs`.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `DATABASE_URL` | the Postgres database, as a URL; not over TLS yet | none: needed |
//! | `DATABASE_DIRECT_URL` | the same database around a connection pooler, for LISTEN and the worker's lock | `DATABASE_URL` |
//! | `DATABASE_POOLER` | what `DATABASE_URL` leads to: `none` (Postgres itself) or `transaction` (a pooler in that mode) | `transaction` when `DATABASE_DIRECT_URL` is another address, else `none` |
//! | `TITAN_BIND` | address and port of the API | `127.0.0.1:3000` |
//! | `PORT` | the port alone, when `TITAN_BIND` is not set | |
//! | `TITAN_AUTH` | `local` (loopback only, no sign-in) or `required` (not there yet: refuses to start) | `local` |
//! | `TITAN_ALLOWED_HOSTS` | further names, comma separated, that a Host header may carry in local mode | |
//! | `TITAN_DATA_DIR` | where `make start` keeps its Postgres, and the daemons copies of projects' files, which may be deleted | `./data` |
//! | `TITAN_BLOB_URL` | where bytes of more than 8 KiB are kept: `postgres:`, a directory as `file:///dir` that all daemons share, or `s3://bucket/prefix` | `postgres:` |
//! | `TITAN_BLOB_GRACE_HOURS` | hours after which bytes that nothing names are removed, 2 to 8760 | `24` |
//! | `AWS_ACCESS_KEY_ID` | the key to the S3-compatible store | that of the machine, on AWS |
//! | `AWS_SECRET_ACCESS_KEY` | its secret | |
//! | `AWS_ENDPOINT_URL` | the store's address, when it is not AWS | AWS |
//! | `AWS_REGION` | the region of the bucket | `us-east-1` |
//! | `TEMPLATES_DIR` | a folder with templates of one's own beside the shipped ones: each folder in it, up to three deep, that has a `template.yaml` | none |
//! | `OUTPUT_DIR` | where projects are put whose target is a directory | `output` in `TITAN_DATA_DIR` |
//! | `TITAN_EXEC_SLOTS` | commands in the sandbox at once per worker, 1 to 256 | the processors of the machine |
//! | `TITAN_TOOLCHAINS` | folders outside of the system's that commands in the sandbox may read and have in their PATH, comma separated | the default toolchain of rustup, when it is there |
//! | `TITAN_REGISTRIES` | hosts that a build may fetch packages from, comma separated: `host` or `host:port` | those that npm and cargo are set up for on the worker's machine |
//! | `TITAN_EGRESS_INNER` | networks that are not on the public internet and that registries and the git servers of templates may lie in all the same, comma separated: `10.0.0.0/8` | none |
//! | `TITAN_EGRESS_PROXY` | the proxy that this machine goes through, for commands in the sandbox: `http://user:password@host:port` | none |
//! | `TITAN_PREVIEW_BIND` | the address that previews of projects are served at | `127.0.0.1` |
//! | `TITAN_HOOK_SHOP` | the address of the deploy hook `SHOP`, a secret; likewise with any other name of A-Z, 0-9 and _ | |
//! | `TITAN_WORKER_NAME` | what this worker is called on screen | the host's name |
//! | `TITAN_WORKER_SLOTS` | jobs at once per worker, 1 to 1000 | `768` |
//! | `TITAN_WORKER_QUEUES` | the queues this worker claims from, comma separated | all |
//! | `TITAN_LEASE` | silence after which a worker's jobs are given to others, 2s to 10m | `15s` |
//! | `TITAN_GRACE` | time that running jobs have at shutdown and after a cancel, 0s to 10m | `10s` |
//! | `TITAN_LISTEN` | `on`, or `off` to poll only | `on`; off behind a pooler without `DATABASE_DIRECT_URL` |
//! | `TITAN_HISTORY_DAYS` | days that the history of ended jobs is kept, 1 to 3650 | `30` |
//! | `TITAN_MEMORY` | what a run with a model remembers: `extract` (facts, for which the model is asked once more), `record` (what was asked and answered) or `off` | `extract` |
//! | `TITAN_MEMORY_RETENTION` | days after which a memory that was not written again is forgotten, 1 to 36500; pinned ones are kept | until it expires or is forgotten |
//! | `TITAN_EMBEDDING_MODEL` | the model, as `provider:model`, with which memories are also found by their meaning | none: by their words alone |
//! | `TITAN_DEFAULT_MODEL` | the model that answers when a task names none | the provider's own |
//! | `TITAN_FALLBACK_MODELS` | models that are asked in this order when the wanted one does not answer, comma separated: `provider:model` | none |
//! | `TITAN_PRICES` | prices that overrule the built-in list, comma separated: `provider:model=input/output` or `.../cached`, in US dollars per million tokens; `*` is every model | |
//! | `TITAN_OFFLINE_DELAY` | pause between two words of the offline model, 0s to 10s | `15ms` |
//! | `OPS_TOKEN` | the token for proposing changes to Titan's own code, a secret of 12 characters at least; `new,old` while it is changed | none: nobody can |
//! | `GITHUB_REPO` | the repository of Titan's code at GitHub: `owner/name` | none: nothing can be proposed |
//! | `GITHUB_TOKEN` | a token that may write its contents and pull requests | |
//! | `GITHUB_APP_ID` | the number of a GitHub App instead of a token | |
//! | `GITHUB_APP_PRIVATE_KEY` | its private key in PEM; `\n` stands for a line break | |
//! | `GITHUB_APP_INSTALLATION_ID` | its installation | looked up |
//! | `GITHUB_API_URL` | GitHub's API | `https://api.github.com` |
//! | `GITHUB_SERVER_URL` | where git fetches from GitHub | that of the API |
//! | `GITHUB_WEBHOOK_SECRET` | the secret of the webhook at GitHub, of 12 characters at least | none: nothing is taken |
//! | `FORGEJO_REPO` | the repository at a Forgejo instead: `owner/name` | |
//! | `FORGEJO_URL` | the Forgejo's address | |
//! | `FORGEJO_TOKEN` | a token that may write the repository | |
//! | `FORGEJO_WEBHOOK_SECRET` | the secret of the webhook at the Forgejo, of 12 characters at least | none: nothing is taken |
//! | `TITAN_OPS_BASE` | the branch that changes go to | the repository's default |
//! | `ALLOWED_PATHS` | what a proposal may change: patterns, comma separated | `README.md,docs/**,crates/**` |
//! | `PROTECTED_PATHS` | what it may not change although it is allowed | migrations, CI, secrets and more: docs/OPS.md |
//! | `TITAN_OPS_REQUIRE_NOW` | whether a proposal must name what it belongs to under "Now" in TASKS.md: `on` or `off` | `on` |
//! | `TITAN_OPS_TEST` | shell lines that build and test a change, apart by `;;` | what the repository looks like |
//! | `TITAN_OPS_CHECKS` | the forge's own checks: `required`, `if-any` or `off` | `required` |
//! | `TITAN_OPS_CHECKS_TIMEOUT` | how long they are waited for, 1s to 1440m | `60m` |
//! | `TITAN_OPS_AUTO_PR` | the riskiest change that comes to a pull request without a yes: `none`, `low`, `medium` or `high` | `low` |
//! | `TITAN_OPS_MERGE` | `approval`, or `auto` to merge what is of low risk and whose canary did well | `approval` |
//! | `TITAN_OPS_TARGET` | where changes are rolled out: `local`, `render` or `none` | `render` when its key or hook is set, else `none` |
//! | `TITAN_OPS_CANARY` | a file with the template of the analysis | the shipped one |
//! | `TITAN_OPS_DEPLOY_TIMEOUT` | how long a deployment may take until its commit answers, 1s to 240m | `30m` |
//! | `TITAN_OPS_LOCAL_ENV` | local: a file with the variables of production's daemons, as lines `NAME=value` | none: needed |
//! | `TITAN_OPS_LOCAL_CANARY_ENV` | the same for the canary's | production's |
//! | `TITAN_OPS_LOCAL_BIND` | where production's API listens | a free port |
//! | `TITAN_OPS_LOCAL_DIR` | where releases, supervisors and their logs are kept | in the data directory |
//! | `TITAN_OPS_LOCAL_PROGRAMS` | where the build leaves the programs, in the repository | `target/release` |
//! | `RENDER_API_KEY` | Render: a key of the account, a secret | |
//! | `RENDER_API_URL` | Render's API | `https://api.render.com` |
//! | `RENDER_SERVICE_API` | the id of the API's service, `srv-...` | |
//! | `RENDER_SERVICE_WORKER` | the id of the worker's service | |
//! | `RENDER_DEPLOY_HOOK_API` | without a key: the deploy hook of the API's service, a secret | |
//! | `RENDER_DEPLOY_HOOK_WORKER` | and that of the worker's | |
//! | `TITAN_OPS_RENDER_URL` | where production answers; needed with deploy hooks | looked up |
//! | `RUST_LOG` | what is logged | `info,actix_server=warn` |
//! | `TITAN_LOG_FORMAT` | `text` or `json` | `text` |
//! | `TITAN_COMMIT` | the commit that is running, shown by `/api/health` | what it was while building, else `unknown` |

mod blobs;
mod exec;
mod memory;
mod ops;
mod ops_target;
mod ops_webhooks;
mod prices;
mod vendors;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use blobs::{BlobSettings, BlobStore, S3Settings};
pub use exec::Exec;
pub use memory::{Memory, MemoryMode};
pub use ops::{Checks, ForgeSettings, ForgejoSettings, GitHubAccess, GitHubSettings, Ops};
pub use ops_target::{LocalSettings, RenderAccess, RenderSettings, Rollouts, TargetSettings};
pub use ops_webhooks::Webhooks;
pub use prices::PriceOf;
pub use vendors::{ConfiguredVendor, VENDORS, Vendor, Wire};

/// One line that names the variable, what is wrong and what would be right.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{variable}: {message}")]
pub struct ConfigError {
    pub variable: &'static str,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    Local,
    Required,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// Where models are asked, and with which keys.
#[derive(Debug, Clone)]
pub struct Models {
    pub default_model: Option<String>,
    /// Asked in this order when the model that was wanted does not answer.
    pub fallback_models: Vec<String>,
    /// Before what a provider tells and what is publicly known.
    pub prices: Vec<PriceOf>,
    /// In the order in which they are preferred.
    pub vendors: Vec<ConfiguredVendor>,
    pub offline_delay: Duration,
}

#[derive(Debug, Clone)]
pub struct Config {
    pub database_url: SecretString,
    pub database_direct_url: SecretString,
    /// `DATABASE_URL` leads to a pooler in transaction mode: nothing of a session outlives a transaction there.
    pub pooler: bool,
    pub bind: SocketAddr,
    pub auth: Auth,
    pub allowed_hosts: Vec<String>,
    /// Where templates lie beside the shipped and the installed ones.
    pub templates_dir: Option<PathBuf>,
    pub worker_name: String,
    pub worker_slots: usize,
    /// Empty for all.
    pub worker_queues: Vec<String>,
    pub lease: Duration,
    pub grace: Duration,
    pub listen: bool,
    pub history_days: i32,
    pub memory: Memory,
    pub models: Models,
    pub log: LogSettings,
    pub commit: Option<String>,
    pub data_dir: PathBuf,
    pub blobs: BlobSettings,
    pub exec: Exec,
    pub ops: Ops,
}

/// The HTTP server's own start-up lines speak of its threads as "workers", which here are something else.
pub const DEFAULT_FILTER: &str = "info,actix_server=warn";

/// How the daemon logs. Apart, because logging starts before the rest can be wrong.
#[derive(Debug, Clone)]
pub struct LogSettings {
    pub filter: String,
    pub format: LogFormat,
}

impl Config {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// The first variable that is missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        // What is not Unicode is none of ours, and must not keep the daemon from starting.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::from_map(&std::env::vars_os().filter_map(text).collect())
    }

    /// Reads a map instead; what tests use, since nothing but a real start reads the environment.
    ///
    /// # Errors
    /// As above.
    pub fn from_map(map: &HashMap<String, String>) -> Result<Self, ConfigError> {
        let vars = Vars(map);
        let database_url = vars.database("DATABASE_URL")?.ok_or_else(|| {
            wrong(
                "DATABASE_URL",
                "is not set; it names the Postgres database, e.g. postgres://titan:secret@localhost/titan",
            )
        })?;
        let database_direct_url = vars.database("DATABASE_DIRECT_URL")?.unwrap_or_else(|| database_url.clone());
        let same = database_direct_url.expose_secret() == database_url.expose_secret();
        let pooler = vars.choice("DATABASE_POOLER", &[("none", false), ("transaction", true)])?.unwrap_or(!same);
        // Nobody can listen through a pooler.
        let can_listen = !(pooler && same);
        Ok(Config {
            database_url,
            database_direct_url,
            pooler,
            bind: vars.bind()?,
            auth: vars
                .choice("TITAN_AUTH", &[("local", Auth::Local), ("required", Auth::Required)])?
                .unwrap_or(Auth::Local),
            allowed_hosts: vars
                .text("TITAN_ALLOWED_HOSTS")
                .map(|names| list(&names.to_lowercase()))
                .unwrap_or_default(),
            templates_dir: vars.text("TEMPLATES_DIR").map(PathBuf::from),
            worker_name: vars.text("TITAN_WORKER_NAME").map_or_else(crate::daemon::host_name, str::to_owned),
            worker_slots: vars.number("TITAN_WORKER_SLOTS", 1, 1000)?.unwrap_or(768),
            worker_queues: vars.text("TITAN_WORKER_QUEUES").map(list).unwrap_or_default(),
            lease: vars.duration("TITAN_LEASE", 2_000, 600_000)?.unwrap_or(Duration::from_secs(15)),
            grace: grace(&vars)?,
            listen: vars.choice("TITAN_LISTEN", &[("on", true), ("off", false)])?.unwrap_or(true) && can_listen,
            history_days: vars
                .number("TITAN_HISTORY_DAYS", 1, 3650)?
                .and_then(|days| i32::try_from(days).ok())
                .unwrap_or(30),
            memory: Memory::of(&vars)?,
            models: Models {
                default_model: vars.text("TITAN_DEFAULT_MODEL").map(str::to_owned),
                fallback_models: vars.text("TITAN_FALLBACK_MODELS").map(list).unwrap_or_default(),
                prices: vars.text("TITAN_PRICES").map(prices::parse).transpose()?.unwrap_or_default(),
                vendors: vars.vendors()?,
                offline_delay: vars.duration("TITAN_OFFLINE_DELAY", 0, 10_000)?.unwrap_or(Duration::from_millis(15)),
            },
            log: LogSettings::from_map(map)?,
            commit: vars.text("TITAN_COMMIT").map(str::to_owned),
            exec: Exec::of(&vars)?,
            ops: Ops::of(&vars)?,
            data_dir: vars.text("TITAN_DATA_DIR").unwrap_or("data").into(),
            blobs: BlobSettings::of(&vars)?,
        })
    }

    /// Where a connection is a session of Postgres's own, as LISTEN and the worker's lock need it. `None` when every way
    /// leads through a pooler.
    #[must_use]
    pub fn direct(&self) -> Option<&SecretString> {
        let around = self.database_direct_url.expose_secret() != self.database_url.expose_secret();
        (!self.pooler || around).then_some(&self.database_direct_url)
    }
}

impl LogSettings {
    /// # Errors
    /// When the format is neither `text` nor `json`.
    pub fn from_map(map: &HashMap<String, String>) -> Result<Self, ConfigError> {
        let vars = Vars(map);
        let format = vars.choice("TITAN_LOG_FORMAT", &[("text", LogFormat::Text), ("json", LogFormat::Json)])?;
        Ok(LogSettings {
            filter: vars.text("RUST_LOG").unwrap_or(DEFAULT_FILTER).to_owned(),
            format: format.unwrap_or(LogFormat::Text),
        })
    }
}

impl Models {
    #[must_use]
    pub fn vendor(&self, name: &str) -> Option<&ConfiguredVendor> {
        self.vendors.iter().find(|configured| configured.vendor.name == name)
    }
}

/// The names in a comma separated list.
fn list(names: &str) -> Vec<String> {
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn wrong(variable: &'static str, message: impl Into<String>) -> ConfigError {
    ConfigError { variable, message: message.into() }
}

/// What a worker may need beyond its grace, to hand back what it holds and to say that it is gone. Who kills it before that kills one
/// that stops in order.
pub const BEYOND_GRACE: Duration = Duration::from_secs(15);

/// After how long a daemon with these variables has stopped that was asked to.
///
/// # Errors
/// When `TITAN_GRACE` is no time.
pub fn stops_within(variables: &HashMap<String, String>) -> Result<Duration, ConfigError> {
    Ok(grace(&Vars(variables))? + BEYOND_GRACE)
}

fn grace(vars: &Vars<'_>) -> Result<Duration, ConfigError> {
    Ok(vars.duration("TITAN_GRACE", 0, 600_000)?.unwrap_or(Duration::from_secs(10)))
}

/// The environment as text; a variable that is set to nothing counts as not set.
struct Vars<'a>(&'a HashMap<String, String>);

impl Vars<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// What follows this in their names, and their values.
    fn beginning_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let set = self.0.iter().map(|(name, value)| (name, value.trim())).filter(|(_, value)| !value.is_empty());
        set.filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value)))
    }

    fn secret(&self, name: &str) -> Option<SecretString> {
        self.text(name).map(SecretString::from)
    }

    /// Those of which something is set.
    fn vendors(&self) -> Result<Vec<ConfiguredVendor>, ConfigError> {
        let mut configured = Vec::new();
        for vendor in VENDORS {
            let (base_url, api_key) = (self.http_url(vendor.base_url_variable)?, self.secret(vendor.key_variable));
            if base_url.is_some() || api_key.is_some() {
                configured.push(ConfiguredVendor { vendor, base_url, api_key });
            }
        }
        Ok(configured)
    }

    fn choice<T: Copy>(&self, name: &'static str, choices: &[(&str, T)]) -> Result<Option<T>, ConfigError> {
        let Some(given) = self.text(name) else { return Ok(None) };
        match choices.iter().find(|(word, _)| *word == given) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
                Err(wrong(name, format!("must be one of {}, and is {given:?}", words.join(", "))))
            }
        }
    }

    fn number(&self, name: &'static str, min: usize, max: usize) -> Result<Option<usize>, ConfigError> {
        let Some(given) = self.text(name) else { return Ok(None) };
        match given.parse() {
            Ok(n) if (min..=max).contains(&n) => Ok(Some(n)),
            _ => Err(wrong(name, format!("must be a number from {min} to {max}, and is {given:?}"))),
        }
    }

    /// `300ms`, `15s` or `2m`.
    fn duration(&self, name: &'static str, min_ms: u64, max_ms: u64) -> Result<Option<Duration>, ConfigError> {
        let Some(given) = self.text(name) else { return Ok(None) };
        let units = [("ms", 1), ("s", 1_000), ("m", 60_000)];
        let millis = units
            .iter()
            .find_map(|(unit, factor)| given.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(*factor));
        match millis {
            Some(n) if (min_ms..=max_ms).contains(&n) => Ok(Some(Duration::from_millis(n))),
            _ => Err(wrong(
                name,
                format!(
                    "must be a time from {min_ms}ms to {max_ms}ms, written like 300ms, 15s or 2m, and is {given:?}"
                ),
            )),
        }
    }

    fn http_url(&self, name: &'static str) -> Result<Option<Url>, ConfigError> {
        let Some(given) = self.text(name) else { return Ok(None) };
        match Url::parse(given) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Some(url)),
            _ => Err(wrong(name, "must be an http:// or https:// address")),
        }
    }

    /// The value is not repeated in the message: it may hold a password.
    fn database(&self, name: &'static str) -> Result<Option<SecretString>, ConfigError> {
        let Some(given) = self.secret(name) else { return Ok(None) };
        match Url::parse(given.expose_secret()) {
            Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => Ok(Some(given)),
            _ => Err(wrong(name, "must be a URL such as postgres://user:password@host:5432/database")),
        }
    }

    fn bind(&self) -> Result<SocketAddr, ConfigError> {
        if let Some(given) = self.text("TITAN_BIND") {
            let message = || {
                wrong("TITAN_BIND", format!("must be an address with a port such as 127.0.0.1:3000, and is {given:?}"))
            };
            return given.parse().map_err(|_| message());
        }
        let port = match self.text("PORT") {
            None => 3000,
            Some(given) => given
                .parse::<u16>()
                .map_err(|_| wrong("PORT", format!("must be a number from 0 to 65535, and is {given:?}")))?,
        };
        Ok(SocketAddr::from(([127, 0, 0, 1], port)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let mut map = HashMap::from([("DATABASE_URL".to_owned(), "postgres://u:hidden@h/d".to_owned())]);
        map.extend(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Config::from_map(&map)
    }

    #[test]
    fn the_defaults_are_those_of_the_header() {
        let config = with(&[]).unwrap();
        assert_eq!(config.bind.to_string(), "127.0.0.1:3000");
        assert_eq!((config.worker_slots, config.lease, config.listen), (768, Duration::from_secs(15), true));
        assert_eq!(config.models.offline_delay, Duration::from_millis(15));
    }

    #[test]
    fn port_alone_is_honoured_and_bind_wins() {
        assert_eq!(with(&[("PORT", "8080")]).unwrap().bind.to_string(), "127.0.0.1:8080");
        assert_eq!(with(&[("PORT", "8080"), ("TITAN_BIND", "0.0.0.0:1")]).unwrap().bind.to_string(), "0.0.0.0:1");
    }

    #[test]
    fn a_wrong_value_names_its_variable_and_what_would_be_right() {
        for (name, value, says) in [
            ("TITAN_BIND", "nowhere", "127.0.0.1:3000"),
            ("PORT", "70000", "65535"),
            ("TITAN_AUTH", "none", "local, required"),
            ("TITAN_WORKER_SLOTS", "0", "1 to 1000"),
            ("TITAN_LEASE", "15", "15s"),
            ("TITAN_LEASE", "1s", "2000ms"),
            ("TITAN_LISTEN", "maybe", "on, off"),
            ("DATABASE_POOLER", "session", "none, transaction"),
            ("TITAN_HISTORY_DAYS", "0", "1 to 3650"),
            ("TITAN_MEMORY", "on", "extract, record, off"),
            ("TITAN_MEMORY_RETENTION", "0", "1 to 36500"),
            ("TITAN_EMBEDDING_MODEL", "text-embedding-3-small", "provider:model"),
            ("TITAN_EMBEDDING_MODEL", "anthropic:x", "openai"),
            ("OPENAI_BASE_URL", "ftp://x", "http://"),
            ("TITAN_LOG_FORMAT", "xml", "text, json"),
            ("TITAN_BLOB_URL", "ftp://x", "s3://bucket/prefix"),
            ("TITAN_BLOB_GRACE_HOURS", "1", "2 to 8760"),
            ("TITAN_PRICES", "openai:gpt=cheap", "provider:model=input/output"),
            ("TITAN_EXEC_SLOTS", "0", "1 to 256"),
            ("TITAN_PREVIEW_BIND", "localhost", "127.0.0.1"),
        ] {
            let error = with(&[(name, value)]).unwrap_err();
            assert_eq!(error.variable, name);
            assert!(error.message.contains(says), "{error}");
        }
    }

    #[test]
    fn a_database_url_is_needed_and_never_repeated() {
        assert_eq!(Config::from_map(&HashMap::new()).unwrap_err().variable, "DATABASE_URL");
        let error = with(&[("DATABASE_URL", "mysql://u:hidden@h/d")]).unwrap_err();
        assert!(!error.to_string().contains("hidden"));
        assert!(!format!("{:?}", with(&[]).unwrap()).contains("hidden"));
    }

    #[test]
    fn a_pooler_is_known_by_a_second_address_and_needs_one_to_be_passed_by() {
        let way = |pairs: &[(&str, &str)]| {
            let config = with(pairs).unwrap();
            (config.pooler, config.direct().map(|url| url.expose_secret().to_owned()), config.listen)
        };
        let (own, other) = ("postgres://u:hidden@h/d", "postgres://u:hidden@h:6432/d");
        assert_eq!(way(&[]), (false, Some(own.to_owned()), true));
        assert_eq!(way(&[("DATABASE_DIRECT_URL", own)]), (false, Some(own.to_owned()), true));
        assert_eq!(way(&[("DATABASE_DIRECT_URL", other)]), (true, Some(other.to_owned()), true));
        assert_eq!(
            way(&[("DATABASE_DIRECT_URL", other), ("DATABASE_POOLER", "none")]),
            (false, Some(other.to_owned()), true)
        );
        assert_eq!(way(&[("DATABASE_POOLER", "transaction")]), (true, None, false));
        assert_eq!(way(&[("DATABASE_POOLER", "transaction"), ("TITAN_LISTEN", "on")]), (true, None, false));
    }

    #[test]
    fn nothing_counts_as_not_set() {
        assert!(with(&[("OPENAI_API_KEY", "  ")]).unwrap().models.vendors.is_empty());
    }
}
