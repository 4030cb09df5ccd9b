//! Paths that must not be, and what each is refused with. The snapshot is made to be read.

use titan_core::ops::PatchInput;

/// A path, and what somebody would want with it.
const PATHS: &[(&str, &str)] = &[
    // Out of the repository.
    ("", "nothing"),
    ("..", "the folder above"),
    ("../README.md", "the folder above"),
    ("docs/../../x", "the folder above"),
    ("docs/..", "a folder by another name"),
    ("docs/../Makefile", "past the first name"),
    ("./../x", "the folder above"),
    ("docs/./../../x", "the folder above"),
    ("/etc/passwd", "the machine"),
    ("//server/share", "another machine"),
    ("///docs/x", "absolute after all"),
    ("/README.md", "absolute, though it looks right"),
    ("C:/Windows/x", "a drive"),
    ("c:x", "a drive's folder"),
    ("docs/c:/x", "a drive in the middle"),
    ("\\\\server\\share", "another machine"),
    ("docs\\..\\..\\x", "the folder above on Windows"),
    ("docs\\x.md", "a folder on Windows, a name elsewhere"),
    ("..\\x", "the folder above on Windows"),
    ("\\x", "the drive's root"),
    ("~/x\0", "ends early in C"),
    ("docs/x.md\0.png", "ends early in C"),
    ("\0", "nothing in C"),
    ("docs/%2e%2e\u{2f}..", "the folder above, half encoded"),
    // Folders.
    (".", "the root"),
    ("./", "the root"),
    ("./.", "the root"),
    ("/", "the machine's root"),
    ("docs/", "a folder"),
    ("docs//", "a folder"),
    ("docs/.", "a folder"),
    ("docs/./", "a folder"),
    ("docs/x.md/", "a file as a folder"),
    // Characters that command lines, logs and terminals obey.
    ("docs/a\nb", "a second line"),
    ("docs/a\rb", "a line written over"),
    ("docs/a\tb", "a second column"),
    ("docs/a\u{1b}[2Jb", "an empty screen"),
    ("docs/a\u{7}", "a bell"),
    ("docs/a\u{8}b", "a letter taken back"),
    ("docs/a\u{7f}", "a letter deleted"),
    ("docs/a\u{85}b", "a line's end of 1964"),
    ("docs/a\u{9b}2Jb", "an empty screen in one byte"),
    ("docs/a\u{2028}b", "a line's end of Unicode"),
    ("docs/a\u{2029}b", "a paragraph's end"),
    ("docs/a*b", "a pattern"),
    ("docs/a?b", "a pattern"),
    ("docs/\"a\"", "quotes"),
    ("docs/a<b", "a page"),
    ("docs/a>b", "a redirection"),
    ("docs/a|b", "a pipe"),
    // What looks like something else.
    ("docs/a\u{202e}dm.exe", "an ending turned around"),
    ("docs/\u{202d}a", "a direction"),
    ("docs/\u{2066}a\u{2069}", "an isolated direction"),
    ("docs/\u{61c}a", "a direction of Arabic letters"),
    ("docs/\u{200e}a", "a direction"),
    ("docs/\u{200f}a", "a direction"),
    ("docs/a\u{200b}b", "a space without width"),
    ("docs/a\u{200d}b", "a joiner"),
    ("docs/a\u{2060}b", "a joiner of words"),
    ("docs/\u{feff}a", "a byte order mark"),
    ("docs/a\u{ad}b", "a hyphen that is not there"),
    ("docs/a\u{34f}b", "a joiner of letters"),
    ("docs/a\u{180e}b", "a vowel that is not there"),
    ("docs/a\u{3164}b", "a filler"),
    ("docs/a\u{ffa0}b", "a filler of half width"),
    ("docs/a\u{115f}b", "a filler"),
    ("docs/a\u{fe0f}", "a variant"),
    ("docs/a\u{e0041}", "a tag"),
    ("docs/a\u{1d173}", "a musical control"),
    ("docs/a\u{206a}b", "a control nobody knows any more"),
    ("docs/a\u{fffd}", "bytes that were no text"),
    ("docs/e\u{301}.md", "the other way to write é"),
    ("docs/A\u{30a}", "the other way to write Å"),
    ("docs/\u{212b}", "a unit that is the letter Å"),
    ("docs/\u{212a}", "a unit that is the letter K"),
    ("docs/\u{1100}\u{1161}", "the parts of one Korean letter"),
    // Git's own.
    (".git", "the repository"),
    (".git/config", "what git runs"),
    (".git/hooks/post-checkout", "what git runs"),
    (".GIT/config", "the same on a disk without letter case"),
    (".Git/HEAD", "the same on a disk without letter case"),
    ("docs/.git/config", "a repository within"),
    ("docs/.git", "a repository within"),
    ("crates/.gIt/x", "a repository within"),
    (".git./config", "the same on Windows"),
    (".git /config", "the same on Windows"),
    (".git . ./config", "the same on Windows"),
    (".git::$INDEX_ALLOCATION/config", "the same on NTFS"),
    (".git:stream", "a second stream"),
    ("docs/x.md::$DATA", "the same file on NTFS"),
    ("docs/x.md:hidden", "a second stream"),
    ("git~1/config", "the short name of it"),
    ("GIT~1/config", "the short name of it"),
    ("docs/git~2", "the short name of it"),
    (".g\u{200c}it/config", "the same on HFS+"),
    (".\u{200d}git/config", "the same on HFS+"),
    (".gi\u{feff}t/config", "the same on HFS+"),
    (".git\u{200e}/config", "the same on HFS+"),
    (".g\u{206f}it/config", "the same on HFS+"),
    ("./.git/config", "hidden behind what is left out"),
    (".//.git/config", "hidden behind what is left out"),
    ("docs//.git", "hidden behind what is left out"),
    (".gitmodules", "code of others"),
    (".GITMODULES", "code of others"),
    ("docs/.gitmodules", "code of others"),
    (".gitmodules ", "code of others on Windows"),
    (".gitmodules.", "code of others on Windows"),
    ("GITMOD~1", "the short name of it"),
    ("gi7eba~1", "the other short name of it"),
    ("MAKEFI~1", "the short name of Makefile"),
    ("docs/OPENAP~1.JSO", "the short name of a file"),
    // What Windows keeps or drops.
    ("docs/x.", "a dot that gets lost"),
    ("docs/x ", "a space that gets lost"),
    ("docs./x", "a folder whose dot gets lost"),
    ("docs /x", "a folder whose space gets lost"),
    (" docs/x", "a space before it"),
    ("docs/...", "dots alone"),
    ("docs/. ", "a dot and a space"),
    ("docs/.. /x", "the folder above on Windows"),
    ("docs/con", "the console"),
    ("docs/CON.md", "the console with an ending"),
    ("NUL", "nothing"),
    ("docs/aux/x", "a device as a folder"),
    ("docs/prn.txt.md", "the printer"),
    ("docs/com1", "a port"),
    ("docs/LPT9.md", "a port"),
    ("docs/com\u{b9}", "a port with a raised digit"),
    ("docs/CONIN$", "the console's input"),
    ("docs/con .md", "the console, a space dropped"),
    // What is protected.
    (".ci/run", "what is tested"),
    (".CI/run", "what is tested"),
    (".ci", "a file in its place"),
    (".github/workflows/ci.yml", "what the forge runs"),
    (".GitHub/workflows/ci.yml", "what the forge runs"),
    (".forgejo/workflows/ci.yml", "what the forge runs"),
    (".gitea/workflows/ci.yml", "what the forge runs"),
    ("./.github//workflows/ci.yml", "what the forge runs"),
    (".gitattributes", "how git reads files"),
    ("crates/x/.gitattributes", "how git reads files"),
    ("docs/.GitAttributes", "how git reads files"),
    (".gitignore", "what git sees"),
    ("crates/x/.gitignore", "what git sees"),
    (".gitlab-ci.yml", "what a forge runs"),
    ("migrations/00000000000001_work/up.sql", "what is stored"),
    ("migrations/x", "what is stored"),
    ("migrations", "a file in its place"),
    ("MIGRATIONS/x", "what is stored"),
    ("M\u{131}grations/x", "a letter without its dot"),
    ("deploy/render.yaml", "where it runs"),
    ("deploy", "a file in its place"),
    ("render.yaml", "where it runs"),
    ("secrets", "a secret"),
    ("secrets/token", "a secret"),
    ("crates/titan-api/secrets/key", "a secret within"),
    ("crates/titan-api/\u{17f}ecrets/key", "a secret with a long s"),
    ("docs/Secrets", "a secret"),
    (".env", "a secret"),
    (".env.production", "a secret"),
    ("crates/titan-api/.env", "a secret within"),
    ("crates/titan-api/.ENV.local", "a secret within"),
    ("crates/titan-api/tls.pem", "a key"),
    ("docs/server.KEY", "a key"),
    ("crates/x/.netrc", "a password"),
    ("crates/x/.npmrc", "another registry"),
    ("crates/x/.cargo/config.toml", "another compiler"),
    (".cargo/config.toml", "another compiler"),
    ("crates/x/rust-toolchain.toml", "another compiler"),
    ("crates/x/clippy.toml", "what is warned of"),
    ("Makefile", "what is tested"),
    ("crates/x/Makefile", "what is tested"),
    ("scripts/test.sh", "what is tested"),
    (".config/nextest.toml", "what is tested"),
    ("TASKS.md", "what may be proposed"),
    ("crates/titan-core/src/ops/policy.rs", "these rules"),
    ("crates/titan-core/src/ops", "a file in their place"),
    ("crates/titan-core/src/Ops/policy.rs", "these rules"),
    ("crates//titan-core/./src/ops/policy.rs", "these rules"),
    ("crates/titan-core/src/filename.rs", "what they stand on"),
    ("crates/titan-core/src/config/ops.rs", "their settings"),
    ("crates/titan-ops/src/lib.rs", "what carries them out"),
    ("crates/titan-ops", "a file in its place"),
    ("crates/titan-worker/src/handlers/ops/promote.rs", "what carries them out"),
    ("crates/titan-api/src/routes/ops.rs", "who may propose"),
    ("crates/titan-api/src/routes/ops/approve.rs", "who may approve"),
    // What nobody has allowed.
    ("LICENSE", "what is not named"),
    ("Cargo.toml", "what is not named"),
    ("Cargo.lock", "what is not named"),
    ("readme.md", "another file than README.md"),
    ("README.md.bak", "more than README.md"),
    ("docs", "a file in a folder's place"),
    ("Docs/x.md", "another folder than docs"),
    ("crates", "a file in a folder's place"),
    ("crates2/x", "another folder than crates"),
    ("xdocs/a.md", "another folder than docs"),
    ("x/README.md", "another README.md"),
    ("target/debug/titan-api", "what was built"),
];

#[test]
fn each_is_refused_with_its_reason() {
    let policy = super::policy();
    let mut told = String::new();
    for (path, what) in PATHS {
        for input in ways(path) {
            let faults = super::faults(&[input], &policy).unwrap_or_else(|| panic!("{path:?} passed"));
            assert!(faults.contains("patches[0].path: "), "{path:?}: {faults}");
        }
        let content = PatchInput { path: (*path).to_owned(), content: Some("x".to_owned()), ..PatchInput::default() };
        let faults = super::faults(&[content], &policy).unwrap();
        told.push_str(&format!("{path:?} ({what})\n{faults}"));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn too_long_or_too_deep() {
    let policy = super::policy();
    let long = format!("docs/{}", "x".repeat(236));
    for (path, says) in [
        (long.clone(), "must have at most 240 bytes, and has 241"),
        (format!("docs/{}", "é".repeat(118)), "must have at most 240 bytes, and has 241"),
        (format!("docs/{}x", "a/".repeat(32)), "must have at most 32 names between slashes, and has 34"),
        (format!("docs/{}x", "./".repeat(200)), "must have at most 240 bytes"),
        ("x".repeat(1 << 20), "must have at most 240 bytes"),
    ] {
        for input in ways(&path) {
            let faults = super::faults(&[input], &policy).unwrap();
            assert!(faults.contains(says), "{faults}");
        }
    }
    for path in [&long[..240], "docs/a/b", &format!("docs/{}x", "a/".repeat(30))] {
        let content = PatchInput { path: path.to_owned(), content: Some("x".to_owned()), ..PatchInput::default() };
        assert_eq!(super::faults(&[content], &policy), None, "{path}");
    }
}

#[test]
fn there_are_enough_of_them() {
    let mut paths: Vec<&str> = PATHS.iter().map(|(path, _)| *path).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), PATHS.len(), "each once");
    assert!(paths.len() >= 190, "{}", paths.len());
}

/// All that can be done to a file.
fn ways(path: &str) -> [PatchInput; 3] {
    let input = PatchInput { path: path.to_owned(), ..PatchInput::default() };
    [
        PatchInput { content: Some("x".to_owned()), ..input.clone() },
        PatchInput { delete: Some(true), ..input.clone() },
        PatchInput { diff: Some(format!("--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+b\n")), ..input },
    ]
}
