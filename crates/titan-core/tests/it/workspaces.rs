//! The files of projects: two machines that share only the database, writers at the same time, programs that leave strange things behind.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use chrono::DateTime;
use proptest::prelude::*;
use tempfile::TempDir;
use titan_core::Error;
use titan_core::ids::{self, Uuid};
use titan_core::workspaces::{Branch, Change, Merged, Precondition, Said, Target, Workspace, Workspaces, Written};

use crate::support::Bench;

/// A machine with a disk of its own.
struct Machine {
    disk: TempDir,
    workspaces: Workspaces,
}

impl Machine {
    fn new(bench: &Bench) -> Self {
        let disk = tempfile::tempdir().unwrap();
        let workspaces = Workspaces::new(bench.test.db.clone(), bench.blobs(), disk.path());
        Machine { disk, workspaces }
    }

    fn open(&self, project: Uuid) -> Workspace {
        self.workspaces.open(project).unwrap()
    }
}

fn said(message: &str) -> Said<'_> {
    Said { author: "Ida", message, at: DateTime::UNIX_EPOCH }
}

fn put(path: &str, content: &str) -> Change {
    Change::Put { path: path.to_owned(), bytes: content.as_bytes().to_vec(), executable: false }
}

fn write(workspace: &Workspace, changes: &[Change]) -> titan_core::Result<Written> {
    workspace.write(Branch::Main, changes, &Precondition::None, &said("Change"))
}

fn paths(workspace: &Workspace, branch: Branch) -> Vec<String> {
    let head = workspace.head(branch).unwrap();
    workspace.entries(head).unwrap().into_iter().map(|entry| entry.path).collect()
}

fn content(workspace: &Workspace, path: &str) -> Option<String> {
    let file = workspace.file(workspace.head(Branch::Main).unwrap(), path).unwrap()?;
    Some(String::from_utf8(file.bytes).unwrap())
}

fn target<'a>(branch: Branch, expected: Option<&'a str>, base: &'a str) -> Target<'a> {
    // Nobody else works on it.
    Target { branch, expected, base: Some(base), also: Box::leak(Box::new(|_: &mut _| Ok(()))) }
}

/// Merges a run as it is seen now.
fn merge(workspace: &Workspace, branch: Branch) -> titan_core::Result<Option<Merged>> {
    let Branch::OfRun(run_id) = branch else { panic!("not of a run") };
    let shown = workspace.head(branch).unwrap_or_default().to_owned();
    workspace.merge(run_id, &shown, &said("Merge"), &mut |_| Ok(()))
}

#[test]
fn what_one_machine_writes_another_reads_and_changes() {
    let bench = Bench::new();
    let (api, worker) = (Machine::new(&bench), Machine::new(&bench));
    assert_eq!(api.open(bench.project).head(Branch::Main), None);
    let first =
        write(&api.open(bench.project), &[put("src/main.rs", "fn main() {}\n"), put("Ä 'b'.txt", "é")]).unwrap();
    assert!(first.changed);

    let there = worker.open(bench.project);
    assert_eq!(there.head(Branch::Main), Some(first.commit.as_str()));
    assert_eq!(paths(&there, Branch::Main), ["src/main.rs", "Ä 'b'.txt"]);
    assert_eq!(content(&there, "Ä 'b'.txt").as_deref(), Some("é"));
    assert_eq!(content(&there, "src"), None, "a folder is no file");
    assert_eq!(content(&there, "none"), None);
    assert_eq!(content(&there, "x blob 0"), None, "git says of it what it says of a file, and that it is missing");

    let second = write(&there, &[Change::Delete { path: "src/main.rs".to_owned() }, put("a", "b\n")]).unwrap();
    let here = api.open(bench.project);
    assert_eq!(paths(&here, Branch::Main), ["a", "Ä 'b'.txt"]);
    let log = here.log(&second.commit, None, 0, 10).unwrap();
    assert_eq!(log.iter().map(|commit| commit.id.as_str()).collect::<Vec<_>>(), [&second.commit, &first.commit]);
    assert_eq!((log[0].author.as_str(), log[0].title.as_str()), ("Ida", "Change"));
    let difference = here.difference(Some(&first.commit), &second.commit).unwrap();
    assert!(difference.patch.contains("+b\n") && difference.patch.contains("-fn main() {}"), "{}", difference.patch);
    let counted: Vec<_> = difference.files.iter().map(|file| (file.path.as_str(), file.added, file.removed)).collect();
    assert_eq!(counted, [("a", Some(1), Some(0)), ("src/main.rs", Some(0), Some(1))]);

    let same = write(&here, &[put("a", "b\n")]).unwrap();
    assert_eq!(same, Written { commit: second.commit, changed: false });
}

#[test]
fn a_copy_may_be_deleted_and_a_project_that_is_not_there_has_none() {
    let bench = Bench::new();
    let machine = Machine::new(&bench);
    write(&machine.open(bench.project), &[put("a", "1")]).unwrap();
    fs::remove_dir_all(machine.disk.path().join("workspaces")).unwrap();
    assert_eq!(content(&machine.open(bench.project), "a").as_deref(), Some("1"));
    assert!(matches!(machine.workspaces.open(ids::new()), Err(Error::NotFound("project", _))));
}

#[test]
fn writers_at_the_same_time_lose_nothing() {
    let bench = Bench::new();
    let machines = [Machine::new(&bench), Machine::new(&bench)];
    write(&machines[0].open(bench.project), &[put("start", "")]).unwrap();
    std::thread::scope(|scope| {
        for (number, machine) in machines.iter().enumerate() {
            scope.spawn(move || {
                for count in 0..5 {
                    // Opened once, so that most of them stand on what is not the newest any more.
                    let workspace = machine.open(bench.project);
                    write(&workspace, &[put(&format!("{number}/{count}"), "x")]).unwrap();
                }
            });
        }
    });
    let workspace = machines[0].open(bench.project);
    assert_eq!(paths(&workspace, Branch::Main).len(), 11);
    assert_eq!(workspace.log(workspace.head(Branch::Main).unwrap(), None, 0, 100).unwrap().len(), 11);
}

#[test]
fn a_file_that_was_changed_meanwhile_is_not_written_over() {
    let bench = Bench::new();
    let machine = Machine::new(&bench);
    let workspace = machine.open(bench.project);
    write(&workspace, &[put("a", "1")]).unwrap();
    let now = machine.open(bench.project);
    let read = now.file(now.head(Branch::Main).unwrap(), "a").unwrap().unwrap();
    write(&now, &[put("a", "2")]).unwrap();
    // The one who writes has opened the workspace before that.
    let late = now.write(Branch::Main, &[put("a", "3")], &Precondition::Is(read.id), &said("Late"));
    assert!(matches!(&late, Err(Error::Stale(why)) if why.contains("changed by somebody else")), "{late:?}");
    let twice = now.write(Branch::Main, &[put("a", "4")], &Precondition::Absent, &said("New"));
    assert!(matches!(&twice, Err(Error::Stale(why)) if why.contains("there already")), "{twice:?}");
    assert_eq!(content(&machine.open(bench.project), "a").as_deref(), Some("2"));
}

#[test]
fn what_cannot_be_a_file_is_refused_with_the_reason() {
    let bench = Bench::new();
    let machine = Machine::new(&bench);
    let workspace = machine.open(bench.project);
    write(&workspace, &[put("src/main.rs", ""), put("README.md", "")]).unwrap();
    let workspace = machine.open(bench.project);
    for (changes, says) in [
        (vec![put("../x", "")], "is not a name"),
        (vec![put(".git/hooks/pre-commit", "")], "git's own"),
        (vec![put("src", "")], "is a folder"),
        (vec![put("README.md/x", "")], "is a file"),
        (vec![put("readme.md", "")], "capital letters"),
        (vec![put("x", ""), put("x", "")], "named twice"),
        (vec![put("x", ""), put("X", "")], "capital letters"),
        (vec![put("x", &"x".repeat(titan_core::workspaces::MAX_FILE + 1))], "at most 26214400 bytes"),
    ] {
        let error = write(&workspace, &changes).unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
    let renamed = [Change::Delete { path: "README.md".to_owned() }, put("readme.md", "")];
    write(&workspace, &renamed).unwrap();
    assert_eq!(paths(&machine.open(bench.project), Branch::Main), ["readme.md", "src/main.rs"]);
}

#[test]
fn many_bundles_become_one_and_nobody_notices() {
    let bench = Bench::new();
    let (writer, reader) = (Machine::new(&bench), Machine::new(&bench));
    // More than git may answer at once.
    let large =
        |seed: u64| Change::Put { path: format!("{seed}.bin"), bytes: noise(24 << 20, seed), executable: false };
    write(&writer.open(bench.project), &[large(1), large(2), large(3)]).unwrap();
    for number in 0..60 {
        write(&writer.open(bench.project), &[put("count", &number.to_string())]).unwrap();
        if number == 20 {
            assert_eq!(content(&reader.open(bench.project), "count").as_deref(), Some("20"));
        }
    }
    let left = bench.test.count("SELECT count(*) FROM workspace_bundles");
    assert!((1..20).contains(&left), "{left}");
    for machine in [&reader, &writer, &Machine::new(&bench)] {
        let workspace = machine.open(bench.project);
        assert_eq!(content(&workspace, "count").as_deref(), Some("59"));
        assert_eq!(workspace.log(workspace.head(Branch::Main).unwrap(), None, 0, 100).unwrap().len(), 61);
    }
    // What a copy had before it read the one for all is in its pack with the rest.
    let packs =
        fs::read_dir(reader.disk.path().join(format!("workspaces/{}.git/objects/pack", bench.project))).unwrap();
    let packs = packs.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "pack")).count();
    assert!(packs <= 2, "{packs} packs");
}

#[test]
fn a_program_works_on_files_and_what_it_made_is_collected() {
    let bench = Bench::new();
    let machine = Machine::new(&bench);
    let main =
        write(&machine.open(bench.project), &[put("a", "1"), put("b", "2"), put(".gitignore", "target/\n")]).unwrap();
    let run = Branch::OfRun(ids::new());
    let directory = machine.disk.path().join("work");
    machine.open(bench.project).check_out(&main.commit, &directory).unwrap();
    fs::write(directory.join("a"), "changed").unwrap();
    fs::remove_file(directory.join("b")).unwrap();
    fs::create_dir_all(directory.join("target/debug")).unwrap();
    fs::write(directory.join("target/debug/big"), "built").unwrap();
    fs::write(directory.join("run.sh"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(directory.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    // What no workspace holds.
    symlink("/etc/passwd", directory.join("link")).unwrap();
    symlink("/etc", directory.join("folder")).unwrap();
    fs::write(directory.join("nul.txt"), "").unwrap();
    fs::write(directory.join("A"), "another").unwrap();
    nested_repository(&directory.join("inner"));
    // What git refuses to take at all.
    git(&["init", "--quiet"], &directory.join("app"));
    fs::write(directory.join("app/main.rs"), "").unwrap();
    fs::write(directory.join("git~1"), "").unwrap();
    fs::create_dir(directory.join(".GIT")).unwrap();
    fs::write(directory.join(".GIT/x"), "").unwrap();
    fs::write(directory.join("secret"), "").unwrap();
    fs::set_permissions(directory.join("secret"), fs::Permissions::from_mode(0o000)).unwrap();
    let reads_all = fs::read(directory.join("secret")).is_ok();

    let workspace = machine.open(bench.project);
    let made = workspace.collect(target(run, None, &main.commit), &directory, &said("Build")).unwrap();
    assert!(made.changed);
    let told = made.left_out.join("\n");
    for (name, why) in [
        ("link", "symbolic link"),
        ("folder", "symbolic link"),
        ("nul.txt", "device"),
        ("inner", "repository"),
        ("a", "capital"),
        ("app", "repository"),
        ("git~1", "git's own"),
        (".GIT/x", "git's own"),
        ("secret", if reads_all { "" } else { "cannot be read" }),
    ] {
        if name == "secret" && reads_all {
            continue;
        }
        assert!(told.lines().any(|line| line.starts_with(name) && line.contains(why)), "{name}: {told}");
    }
    let elsewhere = Machine::new(&bench);
    let other = elsewhere.open(bench.project);
    let entries = other.entries(other.head(run).unwrap()).unwrap();
    let listed = entries.iter().map(|entry| (entry.path.as_str(), entry.executable));
    let listed: Vec<_> = listed.filter(|(path, _)| *path != "secret").collect();
    assert_eq!(listed, [(".gitignore", false), ("A", false), ("run.sh", true)]);
    assert_eq!(paths(&other, Branch::Main), [".gitignore", "a", "b"], "not before it is merged");
    let again = other.collect(target(run, Some(&made.commit), &made.commit), &directory, &said("Again")).unwrap();
    assert_eq!((again.changed, &again.commit), (false, &made.commit), "the same work twice is one commit");
}

#[test]
fn who_was_taken_for_dead_publishes_nothing_over_the_work_of_the_next() {
    let bench = Bench::new();
    let machine = Machine::new(&bench);
    let main = write(&machine.open(bench.project), &[put("a", "1")]).unwrap();
    let run = Branch::OfRun(ids::new());
    let (slow, fast) = (machine.disk.path().join("slow"), machine.disk.path().join("fast"));
    let collect = |directory: &Path, made: &str, target: Target<'_>| {
        machine.open(bench.project).check_out(&main.commit, directory).unwrap();
        fs::write(directory.join("a"), made).unwrap();
        machine.open(bench.project).collect(target, directory, &said("Work"))
    };
    let done = collect(&fast, "fast", target(run, None, &main.commit)).unwrap();
    // It looks at the files only now, and finds a branch that it did not leave there.
    let late = collect(&slow, "slow", target(run, None, &main.commit));
    assert!(matches!(&late, Err(Error::Conflict(_))), "{late:?}");
    // Nor when the branch is merged and gone again.
    assert!(matches!(merge(&machine.open(bench.project), run).unwrap(), Some(Merged::Yes(_))));
    let mut lost = |_: &mut _| Err(Error::Fenced { job_id: 1, epoch: 1 });
    let late =
        collect(&slow, "slow", Target { branch: run, expected: None, base: Some(&main.commit), also: &mut lost });
    assert!(matches!(&late, Err(Error::Fenced { .. })), "{late:?}");
    let now = machine.open(bench.project);
    assert_eq!((now.head(run), now.head(Branch::Main)), (None, Some(done.commit.as_str())));
    // What was shown is what is merged, or nothing is.
    now.write(run, &[put("a", "other")], &Precondition::None, &said("Other")).unwrap();
    let Branch::OfRun(run_id) = run else { unreachable!() };
    let other = machine.open(bench.project).merge(run_id, &done.commit, &said("Merge"), &mut |_| Ok(()));
    assert!(matches!(&other, Err(Error::Conflict(why)) if why.contains("not those that were shown")), "{other:?}");
}

#[test]
fn branches_that_nobody_will_merge_are_dropped() {
    let mut bench = Bench::new();
    let machine = Machine::new(&bench);
    let mut run = |status: &str| {
        let run_id = bench.submit("hello").run_id.unwrap();
        let finished = if status == "queued" { "NULL" } else { "now()" };
        bench
            .test
            .execute(&format!("UPDATE runs SET status = '{status}', finished_at = {finished} WHERE id = '{run_id}'"));
        let open = machine.open(bench.project);
        open.write(Branch::OfRun(run_id), &[put("a", status)], &Precondition::None, &said("Work")).unwrap();
        run_id
    };
    let (queued, completed, _canceled) = (run("queued"), run("completed"), run("canceled"));
    assert_eq!(bench.test.db.run_blocking(titan_core::workspaces::drop_abandoned).unwrap(), 1);
    let mut left = machine.open(bench.project).unmerged_runs();
    left.sort();
    assert_eq!(left, [queued, completed]);
    bench.test.execute("DELETE FROM jobs");
}

/// With a hook in it and everything.
fn nested_repository(directory: &Path) {
    git(&["init", "--quiet"], directory);
    git(&["-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "--allow-empty", "-m", "x"], directory);
}

fn git(arguments: &[&str], directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    let done = std::process::Command::new("git").args(arguments).current_dir(directory).status().unwrap();
    assert!(done.success());
}

#[test]
fn a_folder_has_one_spelling() {
    let bench = Bench::new();
    let machine = Machine::new(&bench);
    let main = write(&machine.open(bench.project), &[put("src/b", "1")]).unwrap();
    let run = Branch::OfRun(ids::new());
    let directory = machine.disk.path().join("work");
    machine.open(bench.project).check_out(&main.commit, &directory).unwrap();
    fs::create_dir(directory.join("SRC")).unwrap();
    fs::write(directory.join("SRC/a"), "2").unwrap();
    let made =
        machine.open(bench.project).collect(target(run, None, &main.commit), &directory, &said("Build")).unwrap();
    assert_eq!(made.left_out, ["src/b: \"src\" differs from \"SRC\" only by capital letters"]);
    let now = machine.open(bench.project);
    assert_eq!(paths(&now, run), ["SRC/a"]);
    now.write(run, &[put("SRC/a", "3")], &Precondition::None, &said("Later")).unwrap();
}

#[test]
fn what_somebody_was_killed_over_is_in_nobodys_way() {
    let bench = Bench::new();
    let machine = Machine::new(&bench);
    let main = write(&machine.open(bench.project), &[put("a", "1")]).unwrap();
    let directory = machine.disk.path().join("work");
    fs::write(directory.with_extension("index.lock"), "").unwrap();
    fs::write(directory.with_extension("index"), "no index").unwrap();
    machine.open(bench.project).check_out(&main.commit, &directory).unwrap();
    assert_eq!(fs::read_to_string(directory.join("a")).unwrap(), "1");
    titan_core::workspaces::forget_index(&directory).unwrap();
    assert!(!directory.with_extension("index").exists());
}

/// Bytes that cannot be made smaller, always the same.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        // <https://en.wikipedia.org/wiki/Xorshift>
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).take(length.div_ceil(8)).flatten().take(length).collect()
}

#[test]
fn large_files_that_cannot_be_made_smaller_are_published() {
    let bench = Bench::new();
    let machine = Machine::new(&bench);
    let main = write(&machine.open(bench.project), &[put("a", "1")]).unwrap();
    let run = Branch::OfRun(ids::new());
    let directory = machine.disk.path().join("work");
    machine.open(bench.project).check_out(&main.commit, &directory).unwrap();
    for seed in 1..4 {
        fs::write(directory.join(format!("{seed}.bin")), noise(24 << 20, seed)).unwrap();
    }
    machine.open(bench.project).collect(target(run, None, &main.commit), &directory, &said("Build")).unwrap();
    assert!(matches!(merge(&machine.open(bench.project), run).unwrap(), Some(Merged::Yes(_))));
    let elsewhere = Machine::new(&bench);
    let now = elsewhere.open(bench.project);
    let read = now.file(now.head(Branch::Main).unwrap(), "3.bin").unwrap().unwrap();
    assert!(read.bytes == noise(24 << 20, 3));
}

#[test]
fn what_is_too_much_is_refused_before_it_is_stored() {
    let bench = Bench::new();
    let machine = Machine::new(&bench);
    let main = write(&machine.open(bench.project), &[put("a", "1"), put(".gitignore", "kept/\n")]).unwrap();
    let run = Branch::OfRun(ids::new());
    let directory = machine.disk.path().join("work");
    let lay = |folder: &str, count: usize, size: u64| {
        machine.open(bench.project).check_out(&main.commit, &directory).unwrap();
        fs::create_dir(directory.join(folder)).unwrap();
        for number in 0..count {
            fs::File::create(directory.join(format!("{folder}/{number}"))).unwrap().set_len(size).unwrap();
        }
    };
    let collect = || machine.open(bench.project).collect(target(run, None, &main.commit), &directory, &said("Build"));
    for (count, size, says) in [
        (10_001, 0, "at most 10000 in a project"),
        (1, 26 << 20, "at most 26214400"),
        (11, 25 << 20, "at most 268435456"),
    ] {
        lay("modules", count, size);
        let refused = collect();
        assert!(
            matches!(&refused, Err(Error::Invalid { message, .. }) if message.contains(says) && message.contains(".gitignore")),
            "{refused:?}"
        );
        let objects = machine.disk.path().join(format!("workspaces/{}.git/objects", bench.project));
        let stored = fs::read_dir(objects).unwrap().count();
        assert!(stored < 10, "{stored} folders of objects");
    }
    lay("kept", 10_001, 0);
    assert!(!collect().unwrap().changed, "what is ignored does not count");
}

#[test]
fn a_difference_is_cut_and_not_refused() {
    let bench = Bench::new();
    let machine = Machine::new(&bench);
    let text = "line of a text\n".repeat((24 << 20) / 15);
    let changes: Vec<_> = (0..3).map(|number| put(&format!("{number}.txt"), &text)).collect();
    let written = write(&machine.open(bench.project), &changes).unwrap();
    let difference = machine.open(bench.project).difference(None, &written.commit).unwrap();
    assert!(difference.truncated && difference.patch.ends_with("+line of a text\n"));
    assert!((1_000_000..=1 << 20).contains(&difference.patch.len()), "{}", difference.patch.len());
    assert_eq!(difference.files.len(), 3);
}

#[test]
fn a_merge_keeps_to_the_limits_and_to_one_spelling() {
    let bench = Bench::new();
    let machine = Machine::new(&bench);
    let open = || machine.open(bench.project);
    let many = |folder: &str| (0..4500).map(|number| put(&format!("{folder}/{number}"), "")).collect::<Vec<_>>();
    write(&open(), &many("base")).unwrap();
    let (large, spelled) = (Branch::OfRun(ids::new()), Branch::OfRun(ids::new()));
    open().write(large, &many("theirs"), &Precondition::None, &said("Work")).unwrap();
    open().write(spelled, &[put("readme.md", "")], &Precondition::None, &said("Work")).unwrap();
    write(&open(), &[put("README.md", "")]).unwrap();
    assert_eq!(merge(&open(), spelled).unwrap(), Some(Merged::Conflicts(vec!["readme.md".to_owned()])));
    write(&open(), &many("ours")).unwrap();
    let refused = merge(&open(), large);
    assert!(matches!(&refused, Err(Error::Conflict(why)) if why.contains("at most 10000")), "{refused:?}");
    assert_eq!(open().unmerged_runs().len(), 2);
    write(&open(), &[put("one more", "")]).unwrap();
}

#[test]
fn a_run_is_merged_when_both_sides_agree_and_conflicts_are_named() {
    let bench = Bench::new();
    let machine = Machine::new(&bench);
    let open = || machine.open(bench.project);
    write(&open(), &[put("a", "1\n"), put("b", "1\n")]).unwrap();
    let (one, two, three) = (Branch::OfRun(ids::new()), Branch::OfRun(ids::new()), Branch::OfRun(ids::new()));
    for (branch, path) in [(one, "a"), (two, "b"), (three, "a")] {
        open().write(branch, &[put(path, &branch.name())], &Precondition::None, &said("Work")).unwrap();
    }
    let mut unmerged = open().unmerged_runs();
    unmerged.sort();
    assert_eq!(unmerged.len(), 3);

    let first = merge(&open(), one).unwrap();
    assert!(matches!(first, Some(Merged::Yes(_))), "nothing else has changed");
    let second = merge(&open(), two).unwrap();
    let Some(Merged::Yes(commit)) = second else { panic!("{second:?}") };
    assert_eq!(open().head(Branch::Main), Some(commit.as_str()));
    assert_eq!((content(&open(), "a"), content(&open(), "b")), (Some(one.name()), Some(two.name())));

    let third = merge(&open(), three).unwrap();
    assert_eq!(third, Some(Merged::Conflicts(vec!["a".to_owned()])));
    assert_eq!(open().head(Branch::Main), Some(commit.as_str()), "nothing was written");
    assert_eq!(merge(&open(), two).unwrap(), None, "it is merged and forgotten");
    let elsewhere = Machine::new(&bench);
    let other = elsewhere.open(bench.project);
    assert_eq!(content(&other, "b"), Some(two.name()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]
    #[test]
    fn any_series_of_changes_reads_as_a_map_would(
        series in prop::collection::vec(prop::collection::vec(("[ab]{1,2}", prop::option::of("[a-z]{0,9}")), 1..4), 1..6)
    ) {
        let bench = Bench::new();
        let (one, two) = (Machine::new(&bench), Machine::new(&bench));
        let mut expected = std::collections::BTreeMap::new();
        for (step, changes) in series.into_iter().enumerate() {
            let changes: std::collections::BTreeMap<_, _> = changes.into_iter().collect();
            let told: Vec<_> = changes.iter().map(|(path, content)| match content {
                Some(content) => put(path, content),
                None => Change::Delete { path: path.clone() },
            }).collect();
            let machine = if step % 2 == 0 { &one } else { &two };
            write(&machine.open(bench.project), &told).unwrap();
            for (path, content) in changes {
                match content {
                    Some(content) => expected.insert(path, content),
                    None => expected.remove(&path),
                };
            }
        }
        let workspace = two.open(bench.project);
        let read: std::collections::BTreeMap<_, _> =
            paths(&workspace, Branch::Main).into_iter().map(|path| (path.clone(), content(&workspace, &path).unwrap())).collect();
        prop_assert_eq!(read, expected);
    }
}
