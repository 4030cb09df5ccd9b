//! Which paths a proposal may change: ALLOWED_PATHS says what may be, PROTECTED_PATHS what may not, and that decides.
//!
//! The two are read differently, so that a doubt always falls on the careful side:
//!
//! - A protected pattern is matched without regard to letter case, because a disk may not tell `MIGRATIONS` from `migrations`. It
//!   protects what lies beneath what it matches, and with `migrations/**` the name `migrations` itself too, or a file of that name
//!   could take the folder's place. One without a slash is a name in any folder, as in `.gitignore`.
//! - An allowed pattern is matched exactly, from the repository's root to the end of the path.
//!
//! This is a fence and no proof: code that may be changed can call what may not be. That is why a merge has an approval.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RepoPath;
use super::patterns::{Case, Patterns};

/// What may be changed when ALLOWED_PATHS says nothing.
pub const DEFAULT_ALLOWED: &[&str] = &["README.md", "docs/**", "crates/**"];

/// What may not be changed when PROTECTED_PATHS says nothing, beside [`ALWAYS_PROTECTED`].
pub const DEFAULT_PROTECTED: &[&str] = &[
    // A migration changes data for good: no rollback brings it back.
    "migrations/**",
    // How and where Titan is deployed, and with what.
    "deploy/**",
    "render.yaml",
    "secrets",
    ".env*",
    "*.pem",
    "*.key",
    ".netrc",
    // What the tests are started by: whoever changes it decides what is tested.
    "Makefile",
    "scripts/**",
    ".config/**",
    "clippy.toml",
    // Which compiler, linker or registry a build takes, and so which program it runs.
    ".cargo",
    "rust-toolchain*",
    ".npmrc",
    // What a proposal must name as its reason: nobody writes that for themselves.
    "TASKS.md",
];

/// What no setting makes free.
pub const ALWAYS_PROTECTED: &[&str] = &[
    // How git reads the tree: filters, what is ignored, submodules. `.github` and `.gitea` are among them.
    ".git*",
    // What a forge runs on each change, with secrets of its own.
    ".ci",
    ".forgejo",
    ".woodpecker*",
    ".circleci",
    ".buildkite",
    // These rules and what they stand on, and where the settings of them are read.
    "crates/titan-core/src/ops/**",
    "crates/titan-core/src/filename.rs",
    "crates/titan-core/src/config/ops*",
    // What carries a proposal out: the commit, the merge, the deployment.
    "crates/titan-ops/**",
    "crates/titan-worker/src/handlers/ops/**",
    "crates/titan-core/src/git/**",
    "crates/titan-worker/src/workshop/**",
    // Who may propose and approve, and that it is written down.
    "crates/titan-api/src/routes/ops*",
    "crates/titan-api/src/access.rs",
    "crates/titan-api/src/http/ops_calls.rs",
    "crates/titan-api/src/http/envelope.rs",
];

/// Patterns of one list.
const MOST_PATTERNS: usize = 200;

/// What may be said of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be changed, because of this pattern of ALLOWED_PATHS.
    Allowed { by: String },
    /// It may not, because of this pattern of PROTECTED_PATHS, or one that is always there.
    Protected { by: String },
    /// No pattern of ALLOWED_PATHS names it.
    NotAllowed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    Allowed,
    Protected,
    NotAllowed,
}

/// A verdict as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PathVerdict)]
pub struct Judged {
    pub path: String,
    pub verdict: VerdictKind,
    /// The pattern that decided; none when there is none.
    pub pattern: Option<String>,
    /// The same as a sentence.
    pub reason: String,
}

/// The rules, read once.
#[derive(Debug, Clone)]
pub struct Policy {
    allowed: Patterns,
    protected: Patterns,
}

impl Policy {
    /// The rules of two lists of patterns, or of the defaults where there is no list.
    ///
    /// # Errors
    /// Which pattern cannot be, and why.
    pub fn of(allowed: Option<&[String]>, protected: Option<&[String]>) -> Result<Self, String> {
        let given = |list: Option<&[String]>, defaults: &[&str]| -> Vec<String> {
            list.map_or_else(|| defaults.iter().map(|pattern| (*pattern).to_owned()).collect(), <[String]>::to_vec)
        };
        let allowed = given(allowed, DEFAULT_ALLOWED);
        if allowed.is_empty() {
            return Err(
                "ALLOWED_PATHS is empty, so that nothing could be proposed; leave it out for the defaults".to_owned()
            );
        }
        let mut protected = given(protected, DEFAULT_PROTECTED);
        for (variable, patterns) in [("ALLOWED_PATHS", allowed.len()), ("PROTECTED_PATHS", protected.len())] {
            if patterns > MOST_PATTERNS {
                return Err(format!("{variable} may have at most {MOST_PATTERNS} patterns, and has {patterns}"));
            }
        }
        // First in line, so that a verdict names what cannot be switched off.
        protected.splice(0..0, ALWAYS_PROTECTED.iter().map(|pattern| (*pattern).to_owned()));
        Ok(Policy {
            allowed: Patterns::read("ALLOWED_PATHS", allowed, Case::Exact)?,
            protected: Patterns::read("PROTECTED_PATHS", protected, Case::Any)?,
        })
    }

    /// Whether this file may be changed, made or deleted.
    #[must_use]
    pub fn verdict(&self, path: &RepoPath) -> Verdict {
        if let Some(by) = self.protected.first(&[path.as_str(), &path.folded()]) {
            return Verdict::Protected { by: by.to_owned() };
        }
        match self.allowed.first(&[path.as_str()]) {
            Some(by) => Verdict::Allowed { by: by.to_owned() },
            None => Verdict::NotAllowed,
        }
    }

    /// The same for people.
    #[must_use]
    pub fn judge(&self, path: &RepoPath) -> Judged {
        let verdict = self.verdict(path);
        let (kind, pattern) = match &verdict {
            Verdict::Allowed { by } => (VerdictKind::Allowed, Some(by)),
            Verdict::Protected { by } => (VerdictKind::Protected, Some(by)),
            Verdict::NotAllowed => (VerdictKind::NotAllowed, None),
        };
        let reason = format!("{:?} {}", path.as_str(), self.sentence(&verdict));
        Judged { path: path.to_string(), verdict: kind, pattern: pattern.cloned(), reason }
    }

    /// What follows a path: `is protected by ...`.
    pub(super) fn sentence(&self, verdict: &Verdict) -> String {
        match verdict {
            Verdict::Allowed { by } => format!("may be changed: ALLOWED_PATHS has {by:?}"),
            Verdict::Protected { by } if ALWAYS_PROTECTED.contains(&by.as_str()) => {
                format!("is protected by {by:?}, always and whatever is configured; a person changes it by hand")
            }
            Verdict::Protected { by } => {
                format!("is protected by {by:?} of PROTECTED_PATHS; a person changes it by hand")
            }
            Verdict::NotAllowed => format!("is not among ALLOWED_PATHS, which are {}", self.allowed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(patterns: &[&str]) -> Vec<String> {
        patterns.iter().map(|pattern| (*pattern).to_owned()).collect()
    }

    fn says(policy: &Policy, path: &str) -> String {
        policy.judge(&RepoPath::parse(path).unwrap()).reason
    }

    #[test]
    fn the_defaults_of_this_tree() {
        let policy = Policy::of(None, None).unwrap();
        for path in ["README.md", "docs/OPS.md", "crates/titan-api/src/lib.rs", "crates/titan-agent/prompts/rules.md"] {
            assert!(says(&policy, path).contains("may be changed"), "{path}");
        }
        for path in [
            "migrations/1/up.sql",
            "migrations",
            "Migrations/1/up.sql",
            "crates/x/.env",
            "crates/x/.env.local",
            ".ENV",
            ".ci/run",
            ".github/workflows/ci.yml",
            "crates/x/.gitattributes",
            "crates/x/.GitIgnore",
            "crates/titan-core/src/ops/policy.rs",
            "crates/titan-core/src/ops",
            "crates/titan-core/src/OPS/policy.rs",
            "crates/titan-ops/Cargo.toml",
            "crates/titan-api/src/routes/ops.rs",
            "crates/titan-api/src/routes/ops/propose.rs",
            "crates/titan-api/.cargo/config.toml",
            "crates/deep/secrets/token",
            "crates/x/tls.PEM",
            "scripts/test.sh",
            "makefile",
        ] {
            assert!(says(&policy, path).contains("is protected by"), "{path}: {}", says(&policy, path));
        }
        for path in ["LICENSE", "readme.md", "Docs/x", "docs", "Cargo.toml", "crates", "x/README.md"] {
            assert!(
                says(&policy, path).contains("is not among ALLOWED_PATHS, which are README.md, docs/**, crates/**"),
                "{path}"
            );
        }
    }

    #[test]
    fn no_setting_frees_what_is_always_protected() {
        let policy = Policy::of(Some(&list(&["**"])), Some(&[])).unwrap();
        for path in
            [".ci/run", "crates/titan-core/src/ops/mod.rs", ".gitattributes", "a/.gitignore", "CRATES/titan-OPS/x"]
        {
            assert!(says(&policy, path).contains("always and whatever is configured"), "{path}");
        }
        for path in ["migrations/x", "scripts/test.sh", "Cargo.toml", "a/b/c"] {
            assert!(says(&policy, path).contains("may be changed"), "{path}");
        }
    }

    #[test]
    fn the_users_own_lists() {
        let allowed = list(&["client/**", "server/", "Dockerfile", "docs/*.md"]);
        let protected = list(&["infra/**", "secrets/**", "database/migrations/**", "server/Größe", "client/*"]);
        let policy = Policy::of(Some(&allowed), Some(&protected)).unwrap();
        for path in ["server/a/b.js", "Dockerfile", "docs/a.md"] {
            assert!(says(&policy, path).contains("may be changed"), "{path}");
        }
        for path in ["client/x", "client/x/y", "CLIENT", "server/GRÖSSE", "server/größe/x", "Database/Migrations"] {
            assert!(says(&policy, path).contains("of PROTECTED_PATHS"), "{path}");
        }
        for path in ["docs/a/b.md", "x/Dockerfile", "server", "DOCKERFILE"] {
            assert!(says(&policy, path).contains("is not among"), "{path}");
        }
    }

    #[test]
    fn patterns_that_cannot_be() {
        for (pattern, says) in [
            ("", "must not be empty"),
            (" docs", "space"),
            ("/docs/**", "must not begin with /"),
            ("!docs/**", "must not begin with !"),
            ("docs\\**", "backslashes"),
            ("docs/../x", "must not hold"),
            ("./docs", "must not hold"),
            ("a//b", "two slashes"),
            ("a[", "is not a pattern such as docs/**"),
            ("{a", "is not a pattern"),
            ("e\u{301}", "composed form"),
            (&"x".repeat(241), "too long"),
        ] {
            for (variable, policy) in [
                ("ALLOWED_PATHS", Policy::of(Some(&list(&[pattern])), None)),
                ("PROTECTED_PATHS", Policy::of(None, Some(&list(&[pattern])))),
            ] {
                let error = policy.unwrap_err();
                assert!(error.starts_with(variable) && error.contains(says), "{pattern:?}: {error}");
            }
        }
        assert!(Policy::of(Some(&[]), None).unwrap_err().contains("nothing could be proposed"));
        assert!(Policy::of(Some(&vec!["a".to_owned(); 201]), None).unwrap_err().contains("at most 200"));
    }

    #[test]
    fn every_pattern_protects_something_of_its_own_name() {
        for pattern in ALWAYS_PROTECTED.iter().chain(DEFAULT_PROTECTED) {
            let policy = Policy::of(Some(&list(&["**"])), None).unwrap();
            let path = pattern.trim_end_matches("/**").replace('*', "x");
            let verdict = policy.verdict(&RepoPath::parse(&path).unwrap());
            assert!(matches!(verdict, Verdict::Protected { .. }), "{path}");
        }
    }
}
