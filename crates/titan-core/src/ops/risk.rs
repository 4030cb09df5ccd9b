//! How closely people should look at a change before it is merged: a class, and the reasons for it in words. What is not known is
//! never low.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RepoPath;
use crate::filename::is_invisible;

use Where::{Begins, Ends, Named, Under, Word};

/// What a path says of a change, the first that fits.
const BY_PATH: &[(Risk, &[Where], &str)] = &[
    (Risk::High, &[Under("crates/titan-agent/prompts")], "steers what agents do"),
    (Risk::Medium, &[Under("crates/titan-core/templates")], "is part of every project that is made from it"),
    (Risk::Low, &[Under("docs"), Ends(".md")], "is documentation"),
    (
        Risk::High,
        &[Named("cargo.toml"), Named("cargo.lock"), Named("package.json"), Named("package-lock.json")],
        "says which code of others is built in",
    ),
    (
        Risk::High,
        &[Named("build.rs"), Ends(".sh"), Named("makefile"), Under("scripts")],
        "runs while Titan is built or tested",
    ),
    (Risk::High, &[Under("migrations"), Ends(".sql")], "changes what is stored"),
    (
        Risk::High,
        &[
            Word("auth"),
            Word("access"),
            Word("guard"),
            Word("token"),
            Word("tokens"),
            Word("secret"),
            Word("secrets"),
            Word("redact"),
        ],
        "decides who may do what, or keeps a secret",
    ),
    (Risk::High, &[Word("sandbox")], "keeps in what nobody trusts"),
    (Risk::High, &[Word("queue"), Word("engine"), Word("db")], "is where work is kept and never lost"),
    (Risk::High, &[Word("ops")], "changes how Titan changes itself"),
    (Risk::Medium, &[Word("tests"), Word("test"), Ends(".snap")], "is a test"),
    (Risk::Medium, &[Begins("crates/")], "is source code"),
    (Risk::Medium, &[], "is of no kind that is known"),
];

/// What added lines say of it, whatever the path; in files that end so.
const BY_ADDED: &[(Risk, &str, &[&str], &str)] = &[
    (Risk::High, ".rs", &["unsafe"], "adds unsafe code"),
    (Risk::High, ".rs", &["#[ignore", "#[cfg(any())]"], "switches tests off"),
    (Risk::High, ".ts", &[".skip(", ".only("], "switches tests off"),
];

/// What a test begins with; fewer of them after a change than before is a test that is gone.
const TESTS: &[(&str, &[&str])] = &[
    (".rs", &["#[test]", "#[tokio::test", "#[actix_web::test", "proptest!"]),
    (".ts", &["test(", "it("]),
    (".mjs", &["test(", "it("]),
];

/// More lines of documentation than that are no longer a small thing, more of anything are a large one.
const LOW_LINES: u64 = 400;
const HIGH_LINES: u64 = 600;
const HIGH_FILES: usize = 25;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    Low,
    Medium,
    High,
}

/// The class of a change, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RiskAssessment)]
pub struct Assessment {
    pub risk: Risk,
    /// Sentences without their stops, the weightiest first; at most 20.
    pub reasons: Vec<String>,
}

/// A file that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    pub path: RepoPath,
    pub is_deleted: bool,
    /// It is no text, or what was changed in it was not told as a whole.
    pub is_unseen: bool,
    pub added: Vec<String>,
    pub removed: Vec<String>,
}

impl Touched {
    /// Reads its diff, as git renders it. A diff that was cut off is to be told as `None`.
    #[must_use]
    pub fn of(path: RepoPath, is_deleted: bool, diff: Option<&str>) -> Self {
        let text = diff.unwrap_or_default();
        let hunks = text.split_once("\n@@ ").map_or("", |(_, hunks)| hunks);
        let of = |mark: char| -> Vec<String> {
            // The first line is what is left of the first hunk's own.
            hunks.split('\n').skip(1).filter_map(|line| line.strip_prefix(mark)).map(str::to_owned).collect()
        };
        let is_binary = hunks.is_empty()
            && text.lines().any(|line| line.starts_with("Binary files ") || line == "GIT binary patch");
        Touched { path, is_deleted, is_unseen: diff.is_none() || is_binary, added: of('+'), removed: of('-') }
    }

    fn lines(&self) -> u64 {
        (self.added.len() + self.removed.len()) as u64
    }
}

/// The class of all that was changed.
#[must_use]
pub fn assess(files: &[Touched]) -> Assessment {
    let mut reasons: Vec<(Risk, String)> = files.iter().flat_map(of_file).collect();
    let lines: u64 = files.iter().map(Touched::lines).sum();
    if lines > HIGH_LINES {
        reasons.push((Risk::High, format!("{lines} lines are changed, more than {HIGH_LINES}")));
    } else if lines > LOW_LINES {
        reasons.push((Risk::Medium, format!("{lines} lines are changed, more than {LOW_LINES}")));
    }
    if files.len() > HIGH_FILES {
        reasons.push((Risk::High, format!("{} files are changed, more than {HIGH_FILES}", files.len())));
    }
    let risk = reasons.iter().map(|(risk, _)| *risk).max().unwrap_or(Risk::Medium);
    // Only what made it so is a reason.
    const MOST_REASONS: usize = 20;
    let mut said: Vec<String> = reasons.into_iter().filter(|(of, _)| *of == risk).map(|(_, reason)| reason).collect();
    if said.is_empty() {
        said.push("nothing is known of what is changed".to_owned());
    }
    if said.len() > MOST_REASONS {
        let more = said.len() - MOST_REASONS + 1;
        said.truncate(MOST_REASONS - 1);
        said.push(format!("and {more} more of this kind"));
    }
    Assessment { risk, reasons: said }
}

fn of_file(file: &Touched) -> Vec<(Risk, String)> {
    let path = file.path.as_str();
    let plain = file.path.folded();
    let mut reasons = Vec::new();
    let by_path =
        BY_PATH.iter().find(|(_, places, _)| places.is_empty() || places.iter().any(|place| place.fits(&plain)));
    if let Some((risk, _, why)) = by_path {
        reasons.push((*risk, format!("{path} {why}")));
    }
    for (risk, ending, words, why) in BY_ADDED {
        let adds = |line: &String| words.iter().any(|word| holds(line, word));
        if plain.ends_with(ending) && file.added.iter().any(adds) {
            reasons.push((*risk, format!("{path} {why}")));
        }
    }
    if file.added.iter().any(|line| line.chars().any(|c| is_invisible(c) || c == '\r')) {
        reasons.push((
            Risk::High,
            format!("{path} gets characters that cannot be seen, or that show text in another order"),
        ));
    }
    if loses_tests(file, &plain) {
        reasons.push((Risk::High, format!("{path} loses tests")));
    }
    if file.is_unseen {
        reasons.push((Risk::High, format!("{path} is no text, or too large to be shown")));
    }
    reasons
}

fn loses_tests(file: &Touched, plain: &str) -> bool {
    let is_test = ["tests", "test", "e2e"].into_iter().any(|word| Word(word).fits(plain)) || plain.ends_with(".snap");
    if file.is_deleted && is_test {
        return true;
    }
    let marks = TESTS.iter().find(|(ending, _)| plain.ends_with(ending)).map_or(&[][..], |(_, marks)| *marks);
    let count = |lines: &[String]| {
        lines.iter().filter(|line| marks.iter().any(|mark| line.trim_start().starts_with(mark))).count()
    };
    count(&file.removed) > count(&file.added)
}

/// Whether a word stands in a line as itself; what begins or ends with a mark is looked for as it is.
fn holds(line: &str, word: &str) -> bool {
    let of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        let joined =
            |inner: Option<char>, outer: Option<char>| inner.is_some_and(of_word) && outer.is_some_and(of_word);
        !joined(word.chars().next(), before) && !joined(word.chars().next_back(), after)
    })
}

/// A kind of path, told in small letters.
#[derive(Debug, Clone, Copy)]
enum Where {
    /// Beneath this folder of the repository.
    Under(&'static str),
    Begins(&'static str),
    Ends(&'static str),
    /// A file of this name in any folder.
    Named(&'static str),
    /// This is a word of one of its names.
    Word(&'static str),
}

impl Where {
    fn fits(self, path: &str) -> bool {
        match self {
            Under(folder) => path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
            Begins(beginning) => path.starts_with(beginning),
            Ends(ending) => path.ends_with(ending),
            Named(name) => path.rsplit('/').next() == Some(name),
            Word(word) => path.split(|c: char| !c.is_alphanumeric()).any(|part| part == word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(path: &str, added: &[&str], removed: &[&str]) -> Touched {
        let texts = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Touched {
            path: RepoPath::parse(path).unwrap(),
            is_deleted: false,
            is_unseen: false,
            added: texts(added),
            removed: texts(removed),
        }
    }

    fn risk(files: &[Touched]) -> (Risk, String) {
        let Assessment { risk, reasons } = assess(files);
        (risk, reasons.join("; "))
    }

    #[test]
    fn by_path() {
        for (path, wanted, says) in [
            ("README.md", Risk::Low, "is documentation"),
            ("docs/QUEUE.md", Risk::Low, "is documentation"),
            ("docs/dashboard.svg", Risk::Low, "is documentation"),
            ("crates/titan-agent/prompts/rules.md", Risk::High, "steers what agents do"),
            ("crates/titan-core/templates/cli/files/README.md", Risk::Medium, "every project"),
            ("crates/titan-core/src/page.rs", Risk::Medium, "is source code"),
            ("crates/titan-core/tests/it/reading.rs", Risk::Medium, "is a test"),
            ("crates/titan-core/Cargo.toml", Risk::High, "code of others"),
            ("CARGO.LOCK", Risk::High, "code of others"),
            ("crates/titan-api/dashboard/package.json", Risk::High, "code of others"),
            ("crates/titan-core/build.rs", Risk::High, "runs while Titan is built"),
            ("crates/titan-api/src/access.rs", Risk::High, "who may do what"),
            ("crates/titan-api/src/http/guard.rs", Risk::High, "who may do what"),
            ("crates/titan-sandbox/src/lib.rs", Risk::High, "nobody trusts"),
            ("crates/titan-core/src/queue/claim.rs", Risk::High, "never lost"),
            ("crates/titan-core/src/engine/mod.rs", Risk::High, "never lost"),
            ("Dockerfile", Risk::Medium, "no kind that is known"),
        ] {
            let (risk, why) = risk(&[touched(path, &["x"], &[])]);
            assert!(risk == wanted && why.contains(says), "{path}: {risk:?}: {why}");
        }
    }

    #[test]
    fn by_what_is_added_and_removed() {
        let path = "crates/titan-core/src/page.rs";
        for (added, removed, wanted) in [
            ("unsafe { x() }", "", Risk::High),
            ("fn is_unsafe() {}", "", Risk::Medium),
            ("    #[ignore = \"slow\"]", "", Risk::High),
            ("let a = \"\u{202e}\";", "", Risk::High),
            ("a\rb", "", Risk::High),
            ("", "    #[test]", Risk::High),
            ("    #[test]", "    #[test]", Risk::Medium),
            ("", "    #[tokio::test(flavor = \"multi_thread\")]", Risk::High),
        ] {
            let (risk, why) = risk(&[touched(path, &[added], &[removed])]);
            assert_eq!(risk, wanted, "{added:?} {removed:?}: {why}");
        }
        let deleted = Touched { is_deleted: true, ..touched("crates/x/tests/it/a.rs", &[], &["x"]) };
        assert_eq!(risk(&[deleted]), (Risk::High, "crates/x/tests/it/a.rs loses tests".to_owned()));
        let unseen = Touched::of(RepoPath::parse("docs/a.png").unwrap(), false, None);
        assert_eq!(risk(&[unseen]).0, Risk::High);
    }

    #[test]
    fn by_size() {
        let lines = |lines: usize| touched("docs/a.md", &vec!["x"; lines], &[]);
        assert_eq!(risk(&[lines(400)]).0, Risk::Low);
        assert_eq!(risk(&[lines(401)]), (Risk::Medium, "401 lines are changed, more than 400".to_owned()));
        assert_eq!(risk(&[lines(300), lines(301)]), (Risk::High, "601 lines are changed, more than 600".to_owned()));
        let many: Vec<Touched> = (0..26).map(|at| touched(&format!("docs/{at}.md"), &["x"], &[])).collect();
        assert_eq!(risk(&many).0, Risk::High);
        let many: Vec<Touched> = (0..25).map(|at| touched(&format!("crates/x/src/{at}.rs"), &["x"], &[])).collect();
        let assessment = assess(&many);
        assert_eq!((assessment.risk, assessment.reasons.len()), (Risk::Medium, 20));
        assert_eq!(assessment.reasons[19], "and 6 more of this kind");
        assert_eq!(assess(&[]).risk, Risk::Medium);
    }

    #[test]
    fn lines_of_a_diff_as_git_renders_it() {
        let diff = "diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@ fn x\n-old\n--- y\n+new\n++++ z\n same\n";
        let file = Touched::of(RepoPath::parse("f").unwrap(), false, Some(diff));
        assert_eq!(
            (file.added, file.removed, file.is_unseen),
            (vec!["new".into(), "+++ z".into()], vec!["old".into(), "-- y".into()], false)
        );
        let binary = "diff --git a/f b/f\nindex 1..2 100644\nBinary files a/f and b/f differ\n";
        assert!(Touched::of(RepoPath::parse("f").unwrap(), false, Some(binary)).is_unseen);
    }
}
