//! From a commit to the files of a template: read out of the repository as they were committed, and never written to disk. What is
//! neither a file nor a folder is refused before anything is read, and so is what is too large.

use std::collections::BTreeMap;

use titan_core::templates::{FILES, MANIFEST, MAX_FILE, MAX_FILES, MAX_MANIFEST, MAX_TOTAL};
use titan_core::text::head;
use titan_sandbox::Exit;

use super::fetch::look;
use crate::workshop::git::{Answer, Repository};
use crate::workshop::run::{Site, Trouble};

/// Bytes of the list of everything that is in a commit, and entries in it.
const MAX_LIST: usize = 8 << 20;
const MAX_ENTRIES: usize = 50_000;
/// What one object is announced with.
const ROOM_FOR_HEAD: usize = 128;
/// Problems in a reason, and folders.
const MOST_TOLD: usize = 10;
/// How a file begins that stands for one in Git LFS: <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";

/// What a template is made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) manifest: String,
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Link,
    Submodule,
}

/// A line of `git ls-tree`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    kind: Kind,
    object: String,
    size: usize,
    path: String,
}

/// # Errors
/// What keeps it from being a template, or what may pass.
pub(super) async fn read(
    repository: &Repository<'_>,
    site: Site<'_>,
    commit: &str,
    directory: Option<&str>,
) -> Result<Files, Trouble> {
    let list = ["ls-tree", "-r", "-z", "-l", "--full-tree", commit];
    let answer = repository.ask(site, look(&list, MAX_LIST)).await?;
    let too_many = || Trouble::Failed(format!("the repository holds more than {MAX_ENTRIES} files"));
    if answer.is_cut {
        return Err(too_many());
    }
    let entries = entries(&whole(answer)?.said).ok_or_else(too_many)?;
    let picked = pick(&entries, directory).map_err(Trouble::Failed)?;
    let mut read = look(&["cat-file", "--batch"], most(&picked));
    read.told = picked.iter().flat_map(|(_, entry)| format!("{}\n", entry.object).into_bytes()).collect();
    let said = whole(repository.ask(site, read).await?)?.said;
    let contents = contents(&said, &picked)
        .ok_or_else(|| Trouble::Failed("git does not give the files that it has listed".to_owned()))?;
    put_together(contents).map_err(Trouble::Failed)
}

fn most(picked: &[(String, &Entry)]) -> usize {
    picked.iter().map(|(_, entry)| entry.size + ROOM_FOR_HEAD).sum()
}

/// Git does on its own disk what it can do; what it cannot, it will never.
fn whole(answer: Answer) -> Result<Answer, Trouble> {
    match answer.exit {
        _ if answer.is_success() => Ok(answer),
        Exit::TimedOut => Err(Trouble::Passing("git did not read the repository in time".to_owned())),
        _ => Err(Trouble::Failed(format!("git cannot read the repository: {}", head(&answer.complaint, 300)))),
    }
}

/// None when there are too many.
fn entries(said: &[u8]) -> Option<Vec<Entry>> {
    let lines: Vec<&[u8]> =
        said.split(|byte| *byte == 0).filter(|line| !line.is_empty()).take(MAX_ENTRIES + 1).collect();
    (lines.len() <= MAX_ENTRIES).then(|| lines.into_iter().filter_map(entry).collect())
}

/// `mode SP type SP object SP+ size TAB path`.
fn entry(line: &[u8]) -> Option<Entry> {
    // A name that is no UTF-8 gets marks that no path of a template may have.
    let line = String::from_utf8_lossy(line);
    let (about, path) = line.split_once('\t')?;
    let mut words = about.split_whitespace();
    let (mode, kind, object, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let kind = match (mode, kind) {
        ("120000", _) => Kind::Link,
        ("160000", _) | (_, "commit") => Kind::Submodule,
        _ => Kind::File,
    };
    Some(Entry { kind, object: object.to_owned(), size: size.parse().unwrap_or(0), path: path.to_owned() })
}

/// The manifest and what lies under `files/`, by their paths below the template's folder. What else is there is its author's.
fn pick<'e>(entries: &'e [Entry], directory: Option<&str>) -> Result<Vec<(String, &'e Entry)>, String> {
    let prefix = directory.map(|path| format!("{path}/")).unwrap_or_default();
    let below = entries.iter().filter_map(|entry| Some((entry.path.strip_prefix(&prefix)?.to_owned(), entry)));
    let picked: Vec<(String, &Entry)> =
        below.filter(|(path, _)| path == MANIFEST || path.starts_with(FILES) || format!("{path}/") == FILES).collect();
    let mut problems: Vec<String> = Vec::new();
    for (path, entry) in &picked {
        let most = if path == MANIFEST { MAX_MANIFEST } else { MAX_FILE };
        match entry.kind {
            Kind::Link => problems.push(format!("{path}: is a link; a template holds files and folders only")),
            Kind::Submodule => problems.push(format!("{path}: is a submodule, which is not fetched; commit its files")),
            Kind::File if path.contains('\u{fffd}') => problems.push(format!("{path}: its name is not UTF-8")),
            Kind::File if entry.size > most => {
                problems.push(format!("{path}: must have at most {most} bytes, and has {}", entry.size));
            }
            Kind::File => {}
        }
    }
    let total: usize = picked.iter().map(|(_, entry)| entry.size).sum();
    if picked.len() > MAX_FILES + 1 {
        problems.push(format!("{FILES} must hold at most {MAX_FILES} files, and holds {}", picked.len()));
    } else if problems.is_empty() && total > MAX_TOTAL + MAX_MANIFEST {
        problems.push(format!("its files must have at most {MAX_TOTAL} bytes together, and have {total}"));
    }
    if !problems.is_empty() {
        let more = problems.len().saturating_sub(MOST_TOLD);
        problems.truncate(MOST_TOLD);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        return Err(format!("the template is wrong: {}{more}", problems.join("; ")));
    }
    if picked.iter().any(|(path, _)| path == MANIFEST) { Ok(picked) } else { Err(no_manifest(entries, directory)) }
}

fn no_manifest(entries: &[Entry], directory: Option<&str>) -> String {
    if let Some(path) = directory {
        let is_above = |entry: &&Entry| path == entry.path || path.starts_with(&format!("{}/", entry.path));
        match entries.iter().find(is_above) {
            Some(entry) if entry.kind == Kind::Link => {
                return format!("{} is a link in the repository; links are not followed", entry.path);
            }
            Some(entry) if entry.kind == Kind::Submodule => {
                return format!(
                    "{} is a submodule, which is not fetched; give the address of its own repository",
                    entry.path
                );
            }
            Some(entry) => return format!("{} is no folder in the repository", entry.path),
            None => {}
        }
    }
    let folder = |entry: &Entry| Some(entry.path.strip_suffix(MANIFEST)?.strip_suffix('/')?.to_owned());
    let folders: Vec<String> = entries.iter().filter_map(folder).take(MOST_TOLD).collect();
    let at = directory.map_or("at the top of the repository".to_owned(), |path| format!("in the folder {path}"));
    let other = if entries.iter().any(|entry| entry.path == MANIFEST) {
        format!("; there is one at its top: leave out directory{}", or_in(&folders))
    } else if folders.is_empty() {
        ", nor anywhere else in it".to_owned()
    } else {
        format!("; say as directory where it is: {}", folders.join(", "))
    };
    format!("there is no {MANIFEST} {at}{other}")
}

fn or_in(folders: &[String]) -> String {
    if folders.is_empty() { String::new() } else { format!(", or say {}", folders.join(", ")) }
}

/// What `git cat-file --batch` says: of each object `object SP type SP size LF`, its bytes, and LF. None when it is anything else.
fn contents(said: &[u8], picked: &[(String, &Entry)]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut rest = said;
    let mut read = Vec::new();
    for (path, entry) in picked {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let about = std::str::from_utf8(rest.get(..end)?).ok()?;
        if about != format!("{} blob {}", entry.object, entry.size) {
            return None;
        }
        let (begin, end) = (end + 1, end + 1 + entry.size);
        read.push((path.clone(), rest.get(begin..end)?.to_vec()));
        rest = rest.get(end..)?.strip_prefix(b"\n")?;
    }
    rest.is_empty().then_some(read)
}

fn put_together(contents: Vec<(String, Vec<u8>)>) -> Result<Files, String> {
    let (mut manifest, mut files) = (None, BTreeMap::new());
    for (path, bytes) in contents {
        if bytes.starts_with(LFS) {
            return Err(format!("{path} is kept in Git LFS, which is not fetched; commit the file itself"));
        }
        match path.strip_prefix(FILES) {
            Some(path) => {
                files.insert(path.to_owned(), bytes);
            }
            None => {
                manifest = Some(String::from_utf8(bytes).map_err(|_| format!("{MANIFEST} is not text in UTF-8"))?);
            }
        }
    }
    let manifest = manifest.ok_or_else(|| format!("there is no {MANIFEST}"))?;
    Ok(Files { manifest, files })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(lines: &[&str]) -> Vec<Entry> {
        entries(lines.join("\0").as_bytes()).unwrap()
    }

    fn why(lines: &[&str], directory: Option<&str>) -> String {
        pick(&list(lines), directory).unwrap_err()
    }

    #[test]
    fn only_what_is_the_template_s_is_looked_at() {
        let entries = list(&[
            "100644 blob aa      12\tsub/template.yaml",
            "100755 blob bb       3\tsub/files/run me",
            "120000 blob cc       9\tsub/CLAUDE.md",
            "160000 commit dd       -\tvendor/lib",
            "100644 blob ee 99999999\tsub/video.mp4",
        ]);
        let picked = pick(&entries, Some("sub")).unwrap();
        let paths: Vec<&str> = picked.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["template.yaml", "files/run me"]);
        let said = b"aa blob 12\nname: a\nb: c\nbb blob 3\n\0\xffx\n";
        let files = put_together(contents(said, &picked).unwrap()).unwrap();
        assert_eq!((&*files.manifest, &files.files["run me"][..]), ("name: a\nb: c", &b"\0\xffx"[..]));
        for broken in
            [&b"aa blob 12\nname"[..], b"aa missing\n", b"aa blob 11\nname: a\nb: \nbb blob 3\n\0\xffx\n", b""]
        {
            assert_eq!(contents(broken, &picked), None);
        }
    }

    #[test]
    fn what_leads_out_or_is_too_much_is_refused() {
        const MANIFEST: &str = "100644 blob aa 5\ttemplate.yaml";
        for (line, says) in [
            ("120000 blob bb 11\tfiles/passwd", "files/passwd: is a link"),
            ("120000 blob bb 11\tfiles", "files: is a link"),
            ("160000 commit bb -\tfiles/lib", "files/lib: is a submodule"),
            ("100644 blob bb 1048577\tfiles/big", "files/big: must have at most 1048576 bytes, and has 1048577"),
        ] {
            assert!(why(&[MANIFEST, line], None).contains(says), "{}", why(&[MANIFEST, line], None));
        }
        assert!(why(&["120000 blob aa 5\ttemplate.yaml"], None).contains("template.yaml: is a link"));
        let many: Vec<String> = (0..=MAX_FILES).map(|n| format!("100644 blob bb 1\tfiles/{n}")).collect();
        let many: Vec<&str> = std::iter::once(MANIFEST).chain(many.iter().map(String::as_str)).collect();
        assert!(why(&many, None).contains("at most 500 files"));
        let large: Vec<String> = (0..9).map(|n| format!("100644 blob bb 1000000\tfiles/{n}")).collect();
        let large: Vec<&str> = std::iter::once(MANIFEST).chain(large.iter().map(String::as_str)).collect();
        assert!(why(&large, None).contains("bytes together"));
    }

    #[test]
    fn where_the_template_lies_instead_is_said() {
        let there = ["100644 blob aa 5\ta/template.yaml", "100644 blob bb 5\tb/c/template.yaml"];
        assert_eq!(
            why(&there, None),
            "there is no template.yaml at the top of the repository; say as directory where it is: a, b/c"
        );
        assert!(why(&there, Some("x")).starts_with("there is no template.yaml in the folder x; say as directory"));
        assert_eq!(why(&["120000 blob aa 5\tx"], Some("x/y")), "x is a link in the repository; links are not followed");
        assert!(why(&["160000 commit aa -\tx"], Some("x")).contains("give the address of its own repository"));
        assert_eq!(why(&["100644 blob aa 5\tx"], Some("x")), "x is no folder in the repository");
        assert!(why(&["100644 blob aa 5\ttemplate.yaml"], Some("x")).contains("leave out directory"));
        assert!(why(&[], None).ends_with("nor anywhere else in it"));
    }

    #[test]
    fn a_pointer_to_another_store_is_no_file() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n".to_vec();
        let why = put_together(vec![("files/logo.png".to_owned(), pointer)]).unwrap_err();
        assert!(why.starts_with("files/logo.png is kept in Git LFS"), "{why}");
    }
}
