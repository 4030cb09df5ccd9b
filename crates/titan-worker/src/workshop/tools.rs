//! What builds need of this machine beside the system's own programs: toolchains, certificates, and where packages are fetched.
//! Found by looking at how the tools are set up here, so that nothing of that has to be said twice.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Where programs are that every sandbox has.
const SYSTEM: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Variables with which tools are told of certificates. They hold no secret.
const CERTIFICATES: [&str; 7] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "CARGO_HTTP_CAINFO",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
];

/// For npm to say where it fetches packages.
const NPM: Duration = Duration::from_secs(20);

pub(super) struct Tools {
    pub(super) read_only: Vec<PathBuf>,
    pub(super) env: BTreeMap<String, String>,
    /// Certificates that git is to trust instead of the system's, wherever they lie.
    pub(super) git_certificates: Option<PathBuf>,
}

impl Tools {
    pub(super) fn find(given: Option<&[PathBuf]>) -> Self {
        let read_only: Vec<PathBuf> = match given {
            Some(folders) => folders.to_vec(),
            None => rust_toolchain().into_iter().collect(),
        };
        let mut path: Vec<String> = Vec::new();
        for folder in &read_only {
            let bin = folder.join("bin");
            path.push(if bin.is_dir() { bin } else { folder.clone() }.display().to_string());
        }
        path.push(SYSTEM.to_owned());
        let mut all = BTreeMap::from([("PATH".to_owned(), path.join(":")), ("CI".to_owned(), "true".to_owned())]);
        // Only what lies where the sandbox has it in sight.
        let in_sight = |value: &String| value.starts_with("/etc/ssl/certs/") || value.starts_with("/usr/");
        for name in CERTIFICATES {
            if let Some(value) = env::var(name).ok().filter(in_sight) {
                all.insert(name.to_owned(), value);
            }
        }
        let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let git_certificates = named("GIT_SSL_CAINFO").or_else(|| named("SSL_CERT_FILE"));
        Tools { read_only, env: all, git_certificates }
    }
}

fn home() -> Option<PathBuf> {
    env::var_os("HOME").map(PathBuf::from)
}

/// The toolchain itself, not rustup's stand-ins for it: those would need rustup's own folder and settings.
fn rust_toolchain() -> Option<PathBuf> {
    let rustup = env::var_os("RUSTUP_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".rustup")))?;
    let settings = fs::read_to_string(rustup.join("settings.toml")).unwrap_or_default();
    let named = settings.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == "default_toolchain").then(|| value.trim().trim_matches('"').to_owned())
    });
    let toolchains = rustup.join("toolchains");
    let usual = named.map(|name| toolchains.join(name)).filter(|path| path.is_dir());
    usual.or_else(|| fs::read_dir(toolchains).ok()?.flatten().map(|entry| entry.path()).find(|path| path.is_dir()))
}

/// The hosts that npm and cargo fetch packages from on this machine.
#[must_use]
pub fn registries() -> Vec<String> {
    let mut hosts: Vec<String> = of_npm().into_iter().chain(of_cargo()).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

fn of_npm() -> Option<String> {
    let mut npm = Command::new("npm");
    npm.args(["config", "get", "registry"]).stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::piped());
    let mut npm = npm.spawn().ok()?;
    let give_up = Instant::now() + NPM;
    while npm.try_wait().ok()?.is_none() {
        if Instant::now() > give_up {
            tracing::warn!("npm does not say within {NPM:?} which registry it uses; name it in TITAN_REGISTRIES");
            let _ = (npm.kill(), npm.wait());
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    // An address fits into a pipe, so that nobody had to read meanwhile.
    let mut said = String::new();
    npm.stdout?.read_to_string(&mut said).ok()?;
    host_of(said.trim())
}

/// Cargo says where it looks only by what it keeps: each index has a folder that is named after its host, and tells in a file where
/// the packages are.
fn of_cargo() -> Vec<String> {
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".cargo")));
    let Some(folders) = cargo.and_then(|cargo| fs::read_dir(cargo.join("registry/index")).ok()) else {
        return Vec::new();
    };
    folders.flatten().flat_map(|folder| of_index(&folder.path())).collect()
}

fn of_index(folder: &Path) -> Vec<String> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let host = name.rsplit_once('-').map(|(host, _)| host.to_owned()).filter(|host| host.contains('.'));
    let told: Option<Value> =
        fs::read_to_string(folder.join("config.json")).ok().and_then(|text| serde_json::from_str(&text).ok());
    let downloads = told.and_then(|told| host_of(told.get("dl")?.as_str()?));
    host.into_iter().chain(downloads).collect()
}

/// `host` or `host:port` of an address.
fn host_of(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let usual = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(host);
    (!usual.is_empty()).then(|| usual.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address() {
        for (address, host) in [
            ("https://packages.example/", Some("packages.example")),
            ("https://me:word@packages.example:8443/npm?x", Some("packages.example:8443")),
            ("https://packages.example:443/a", Some("packages.example")),
            ("undefined", None),
            ("https:///x", None),
        ] {
            assert_eq!(host_of(address).as_deref(), host, "{address}");
        }
    }

    #[test]
    fn an_index_tells_its_hosts() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("index.example-0123456789abcdef");
        fs::create_dir(&folder).unwrap();
        assert_eq!(of_index(&folder), ["index.example"]);
        fs::write(folder.join("config.json"), r#"{"dl": "https://static.example/crates", "api": "x"}"#).unwrap();
        assert_eq!(of_index(&folder), ["index.example", "static.example"]);
    }
}
