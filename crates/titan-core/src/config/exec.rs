//! The settings of commands in the sandbox, and of what pipelines bring about.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use url::Url;

use super::{ConfigError, Vars, list, wrong};

#[derive(Debug, Clone)]
pub struct Exec {
    /// Commands at once.
    pub slots: usize,
    /// None: what is found.
    pub toolchains: Option<Vec<PathBuf>>,
    /// None: those that are found.
    pub registries: Option<Vec<String>>,
    pub inner_networks: Vec<String>,
    pub proxy: Option<SecretString>,
    pub preview_bind: IpAddr,
    /// The addresses of deploy hooks, by the names that follow `TITAN_HOOK_`. They are secrets.
    pub hooks: BTreeMap<String, SecretString>,
    output_dir: Option<PathBuf>,
}

impl Exec {
    pub(super) fn of(vars: &Vars<'_>) -> Result<Self, ConfigError> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Exec {
            slots: vars.number("TITAN_EXEC_SLOTS", 1, 256)?.unwrap_or(processors),
            toolchains: vars.text("TITAN_TOOLCHAINS").map(|paths| list(paths).into_iter().map(PathBuf::from).collect()),
            registries: vars.text("TITAN_REGISTRIES").map(list),
            inner_networks: vars.text("TITAN_EGRESS_INNER").map(list).unwrap_or_default(),
            proxy: vars.secret("TITAN_EGRESS_PROXY"),
            preview_bind: match vars.text("TITAN_PREVIEW_BIND") {
                None => IpAddr::V4(Ipv4Addr::LOCALHOST),
                Some(given) => given.parse().map_err(|_| {
                    wrong("TITAN_PREVIEW_BIND", format!("must be an address such as 127.0.0.1, and is {given:?}"))
                })?,
            },
            hooks: hooks(vars)?,
            output_dir: vars.text("OUTPUT_DIR").map(PathBuf::from),
        })
    }

    #[must_use]
    pub fn output_dir(&self, data_dir: &Path) -> PathBuf {
        self.output_dir.clone().unwrap_or_else(|| data_dir.join("output"))
    }
}

fn hooks(vars: &Vars<'_>) -> Result<BTreeMap<String, SecretString>, ConfigError> {
    let mut hooks = BTreeMap::new();
    for (name, address) in vars.beginning_with("TITAN_HOOK_") {
        let is_address =
            Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !is_address {
            let message = format!(
                "TITAN_HOOK_{name} must be the address of a deploy hook, which begins with https:// or http://"
            );
            return Err(wrong("TITAN_HOOK_", message));
        }
        hooks.insert(name.to_owned(), SecretString::from(address));
    }
    Ok(hooks)
}
