//! The layer rule: which of our crates may stand on which. Read from the manifests as cargo understands them; development
//! dependencies are free.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// What each crate may use in what it ships.
const MAY_USE: [(&str, &[&str]); 7] = [
    ("titan-core", &[]),
    ("titan-sandbox", &[]),
    ("titan-agent", &["titan-core", "titan-sandbox"]),
    ("titan-ops", &["titan-core", "titan-sandbox"]),
    ("titan-worker", &["titan-core", "titan-sandbox", "titan-agent", "titan-ops"]),
    ("titan-api", &["titan-core"]),
    ("titan-testkit", &["titan-core", "titan-sandbox", "titan-agent", "titan-ops", "titan-worker", "titan-api"]),
];

/// Libraries that belong to some crates alone.
const ONLY_IN: [(&str, &[&str]); 9] = [
    ("diesel", &["titan-core", "titan-testkit"]),
    ("tokio-postgres", &["titan-core"]),
    ("actix-web", &["titan-api", "titan-testkit"]),
    // Models; what is deployed; and what pipelines ask of what they have deployed.
    ("reqwest", &["titan-agent", "titan-ops", "titan-worker", "titan-testkit"]),
    ("octocrab", &["titan-ops"]),
    ("object_store", &["titan-core"]),
    ("seccompiler", &["titan-sandbox"]),
    ("landlock", &["titan-sandbox"]),
    ("titan-testkit", &[]),
];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(titan_testkit::db::repository())
        .output()
        .expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let packages = metadata["packages"].as_array().expect("packages").iter();
    packages
        .map(|package| {
            let shipped = package["dependencies"].as_array().expect("dependencies").iter();
            let shipped = shipped.filter(|dependency| dependency["kind"].as_str() != Some("dev"));
            (text(&package["name"]), shipped.map(|dependency| text(&dependency["name"])).collect())
        })
        .collect()
}

#[test]
fn each_crate_stands_only_on_those_beneath_it() {
    let found = dependencies();
    assert_eq!(found.len(), MAY_USE.len(), "a crate has no rule: {:?}", found.keys());
    for (name, allowed) in MAY_USE {
        let ours = found[name].iter().filter(|dependency| dependency.starts_with("titan-"));
        for dependency in ours {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not use {dependency}");
        }
    }
}

#[test]
fn libraries_of_one_layer_stay_there() {
    for (name, dependencies) in dependencies() {
        for (library, homes) in ONLY_IN {
            let used = dependencies.contains(library);
            assert!(!used || homes.contains(&name.as_str()), "{name} must not use {library}");
        }
    }
}
