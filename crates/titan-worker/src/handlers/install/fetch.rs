//! From an address and a name to a commit in a repository of ours: one commit deep, and nothing else of the repository's history.

use std::time::Duration;

use titan_core::templates::git::GitSource;
use titan_core::text::head;
use titan_sandbox::Exit;

use crate::workshop::git::{Answer, Call, MAX_PACK, Repository};
use crate::workshop::run::{Site, Trouble};

const FOR_NAMES: Duration = Duration::from_secs(60);
const FOR_FILES: Duration = Duration::from_secs(180);
const FOR_A_LOOK: Duration = Duration::from_secs(30);
/// Bytes of a list of names.
const MAX_NAMES: usize = 256 << 10;
/// Names in a reason.
const MOST_TOLD: usize = 20;

/// What helps when an address is refused.
pub(super) const NETWORKS: &str = "networks of your own are allowed by TITAN_EGRESS_INNER of the worker";

/// Fetches what is asked for, and says which commit it is.
///
/// # Errors
/// What a person can do something about, or what may pass.
pub(super) async fn commit(repository: &Repository<'_>, site: Site<'_>, source: &GitSource) -> Result<String, Trouble> {
    let wanted = match &source.reference {
        Some(commit) if source.is_commit() => commit.clone(),
        Some(name) if name != "HEAD" => name_of(repository, site, source, name).await?,
        _ => offered(repository, site, source).await?,
    };
    let fetch = [
        "fetch",
        "--quiet",
        "--depth=1",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-auto-maintenance",
        "--no-write-commit-graph",
        &source.url,
        &wanted,
    ];
    let answer = repository.ask(site, over_the_network(&fetch, FOR_FILES, 4096)).await?;
    if !answer.is_success() {
        return Err(if repository.is_full() { too_large() } else { why(&answer, source) });
    }
    let parse = ["rev-parse", "--verify", "--quiet", "--end-of-options", "FETCH_HEAD^{commit}"];
    let answer = repository.ask(site, look(&parse, 4096)).await?;
    let commit = String::from_utf8_lossy(&answer.said).trim().to_owned();
    if answer.is_success() && !commit.is_empty() {
        Ok(commit)
    } else {
        Err(Trouble::Failed(format!("{} leads to no commit", source.reference.as_deref().unwrap_or("HEAD"))))
    }
}

fn over_the_network<'a>(arguments: &'a [&'a str], time: Duration, most: usize) -> Call<'a> {
    Call { arguments, told: Vec::new(), network: true, time, most }
}

/// Without the network.
pub(super) fn look<'a>(arguments: &'a [&'a str], most: usize) -> Call<'a> {
    Call { arguments, told: Vec::new(), network: false, time: FOR_A_LOOK, most }
}

/// That the repository has something to offer when nothing is asked for.
async fn offered(repository: &Repository<'_>, site: Site<'_>, source: &GitSource) -> Result<String, Trouble> {
    let list = ["ls-remote", "--quiet", &source.url, "HEAD"];
    let answer = repository.ask(site, over_the_network(&list, FOR_NAMES, MAX_NAMES)).await?;
    if !answer.exit.is_success() {
        return Err(why(&answer, source));
    }
    if names(&answer.said).any(|name| name == "HEAD") {
        return Ok("HEAD".to_owned());
    }
    let told = other_names(repository, site, source).await?;
    Err(Trouble::Failed(format!("the repository says of no branch that it is the main one; say a ref{told}")))
}

/// The whole name of a tag or a branch; of both, the tag.
async fn name_of(
    repository: &Repository<'_>,
    site: Site<'_>,
    source: &GitSource,
    name: &str,
) -> Result<String, Trouble> {
    let mut candidates = vec![format!("refs/tags/{name}"), format!("refs/heads/{name}")];
    if name.starts_with("refs/") {
        candidates.push(name.to_owned());
    }
    let mut list = vec!["ls-remote", "--quiet", &*source.url];
    list.extend(candidates.iter().map(String::as_str));
    let answer = repository.ask(site, over_the_network(&list, FOR_NAMES, MAX_NAMES)).await?;
    if !answer.exit.is_success() {
        return Err(why(&answer, source));
    }
    let there: Vec<String> = names(&answer.said).collect();
    if let Some(found) = candidates.iter().find(|candidate| there.contains(candidate)) {
        return Ok(found.clone());
    }
    let told = other_names(repository, site, source).await?;
    let is_short = name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hint = if is_short { "; a commit needs its whole id" } else { "" };
    Err(Trouble::Failed(format!("the repository has no tag or branch {name:?}{told}{hint}")))
}

async fn other_names(repository: &Repository<'_>, site: Site<'_>, source: &GitSource) -> Result<String, Trouble> {
    let list = ["ls-remote", "--quiet", "--heads", "--tags", "--refs", &source.url];
    let answer = repository.ask(site, over_the_network(&list, FOR_NAMES, MAX_NAMES)).await?;
    let all: Vec<String> = names(&answer.said).collect();
    let short = |name: &String| {
        let name = name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/tags/")).unwrap_or(name);
        head(name, 60).to_owned()
    };
    let told: Vec<String> = all.iter().take(MOST_TOLD).map(short).collect();
    let more = if all.len() > told.len() { ", ..." } else { "" };
    Ok(if told.is_empty() { "; it is empty".to_owned() } else { format!("; there are {}{more}", told.join(", ")) })
}

/// The names in an answer of `ls-remote`: on each line a commit, a tab and a name.
fn names(said: &[u8]) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(said).into_owned();
    let names: Vec<String> = text.lines().filter_map(|line| Some(line.split_once('\t')?.1.to_owned())).collect();
    names.into_iter()
}

/// What git says of what will be the same the next time. It has one exit code for everything, so that its words are all there is;
/// what is not known here is tried again.
const KNOWN: [(&str, &str); 12] = [
    ("could not read Username", PRIVATE),
    ("Authentication failed", PRIVATE),
    ("terminal prompts disabled", PRIVATE),
    ("returned error: 403", PRIVATE),
    ("' not found", "there is no repository at that address"),
    ("is this a git repository?", "there is no git repository at that address"),
    ("not our ref", NOT_GIVEN),
    ("unadvertised object", NOT_GIVEN),
    ("couldn't find remote ref", NOT_GIVEN),
    (
        "does not support shallow",
        "the server speaks git's old (\"dumb\") protocol only, by which no single commit can be fetched",
    ),
    (
        "certificate",
        "the server's certificate is not trusted; your own authority's is named by GIT_SSL_CAINFO of the worker",
    ),
    ("SSL: no alternative", "the server's certificate is for another name"),
];
const PRIVATE: &str = "the server wants to know who asks: the repository is private, or not there. Only what everybody may read is \
                       fetched; for anything else send an archive";
const NOT_GIVEN: &str = "the server does not give out that commit; name a tag or a branch";

fn too_large() -> Trouble {
    let most = MAX_PACK >> 20;
    Trouble::Failed(format!("what is to be fetched has more than {most} MiB; templates live in small repositories"))
}

fn why(answer: &Answer, source: &GitSource) -> Trouble {
    if let Some(refused) = &answer.refused {
        let other = if refused.contains("public internet") {
            NETWORKS.to_owned()
        } else {
            format!("the server sends there from {}: give the address where the repository is", source.target())
        };
        return Trouble::Failed(format!("it may not connect to {refused}; {other}"));
    }
    match answer.exit {
        Exit::TimedOut => return Trouble::Passing("the server did not send everything in time".to_owned()),
        Exit::OutOfMemory | Exit::OutOfCpu | Exit::TooManyProcesses => {
            return Trouble::Failed(
                "the repository is too much work to fetch; send the template as an archive".to_owned(),
            );
        }
        _ => {}
    }
    let complaint = answer.complaint.trim_start_matches("fatal: ");
    match KNOWN.iter().find(|(words, _)| complaint.contains(words)) {
        Some((_, meaning)) => Trouble::Failed(format!("{meaning} (git: {})", head(complaint, 300))),
        None if complaint.is_empty() => Trouble::Passing("git does not say what went wrong".to_owned()),
        None => Trouble::Passing(format!("git: {}", head(complaint, 500))),
    }
}
