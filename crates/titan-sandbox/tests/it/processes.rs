//! Other processes are neither seen into, nor signalled, nor joined; and the daemon's own secrets are nowhere.

use std::collections::BTreeSet;

use crate::kit::{CANARY, Kind, Kit, everywhere};

everywhere! {
    async fn nothing_of_the_callers_environment_is_there(kit: Kit) {
        let victim = kit.victim();
        let own = std::process::id();
        let outside: BTreeSet<String> = std::env::vars().map(|(name, _)| name).collect();
        assert!(outside.iter().any(|name| name.starts_with("CARGO")), "there is something to leak");
        let mut command = kit.bash(&format!(
            r#"env -0 | tr '\0' '\n' | sort; echo --; cat /proc/*/environ /proc/{own}/environ /proc/{}/environ 2>/dev/null | tr '\0' '\n' | grep -a -E 'canary|CARGO'; echo finished"#,
            victim.pid()
        ));
        command.env.insert("GIVEN".to_owned(), "two\nlines".to_owned());
        let done = kit.run(command).await.expect("it runs");
        done.assert_finished();
        let said = done.stdout();
        let (env, rest) = said.split_once("--\n").expect("both parts");
        let names: BTreeSet<&str> = env.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
        // The last three are bash's own.
        let known = BTreeSet::from(["GIVEN", "HOME", "LANG", "OUTSIDE", "PATH", "TMPDIR", "PWD", "SHLVL", "_"]);
        assert_eq!(names, known);
        assert_eq!(rest, "finished\n");
        assert!(!said.contains(CANARY));
    }
}

everywhere! {
    async fn no_open_file_of_the_callers_is_there(kit: Kit) {
        // Left open for every child, as a daemon's own libraries might: a file, and a directory to climb out of.
        let files = [kit.outside().join("secret"), "/".into()].map(|path| std::fs::File::open(path).expect("a file"));
        for file in &files {
            rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty()).expect("inherited");
        }
        let [secret, root] = files.each_ref().map(std::os::fd::AsRawFd::as_raw_fd);
        let done = kit.script(&format!(
            r#"(cat <&{secret}) 2>/dev/null && echo read; (ls /proc/self/fd/{root}/ /dev/fd/{root}/) 2>/dev/null && echo listed
               perl -e 'for (3..200) {{ open(my $f, "<&=", $_) and print "open: $_\n" }}'"#
        )).await;
        assert_eq!(done.stdout(), "finished\n", "{}", done.words());
    }
}

everywhere! {
    async fn what_it_is_given_is_not_shown_to_the_machine(kit: Kit) {
        let secret = crate::kit::marker();
        let mut command = kit.bash("echo up; sleep 20");
        command.env.insert("TOKEN".to_owned(), format!("token-{secret}"));
        let (events, mut heard) = tokio::sync::mpsc::channel(4);
        let sandbox = kit.sandbox.clone();
        let run = tokio::spawn(async move { sandbox.run(command, events, tokio_util::sync::CancellationToken::new()).await });
        assert!(heard.recv().await.is_some(), "it is up");
        for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&line).contains(&secret), "{} shows it", entry.path().display());
        }
        run.abort();
    }
}

everywhere! {
    async fn no_process_outside_is_signalled(kit: Kit) {
        let mut victim = kit.victim();
        let done = kit.script(&format!(
            r#"for pid in {} {} 1; do for signal in TERM KILL STOP; do kill -$signal $pid 2>/dev/null && [ $pid != 1 ] && echo "signalled $pid"; done; done
               kill -0 $$ && echo own"#,
            victim.pid(), std::process::id(),
        )).await;
        assert_eq!(done.stdout(), "own\nfinished\n", "{}", done.words());
        victim.assert_unharmed();
    }
}

everywhere! {
    /// By the limits of another process it can be blinded, and killed: of files, of the processor's time.
    async fn no_other_process_gets_new_limits(kit: Kit) {
        let mut victim = kit.victim();
        kit.put("limit.pl", "use Errno; my ($call, $pid, $limit) = @ARGV; my ($new, $old) = (pack('QQ', 3, 3), pack('QQ', 0, 0)); \
            print syscall($call, $pid + 0, $limit + 0, $new, $old) == 0 ? 'limited' : $!{EPERM} ? 'refused' : \"open, $!\", \"\\n\";");
        let (call, files, processor) = (libc::SYS_prlimit64, libc::RLIMIT_NOFILE, libc::RLIMIT_CPU);
        let done = kit.script(&format!(
            r#"for pid in $PPID {} {}; do for limit in {files} {processor}; do perl limit.pl {call} $pid $limit; done; done
               (perl limit.pl {call} 0 {processor}; ulimit -n 64; ulimit -n)"#,
            victim.pid(), std::process::id(),
        )).await;
        assert_eq!(done.stdout(), format!("{}limited\n64\nfinished\n", "refused\n".repeat(6)), "{}", done.words());
        victim.assert_unharmed();
    }
}

everywhere! {
    async fn no_process_outside_is_scheduled_otherwise(kit: Kit) {
        let mut victim = kit.victim();
        let pid = victim.pid();
        let done = kit.script(&format!(
            r#"perl -e 'setpriority(0, {pid}, 19) and print "slowed\n"'
               command -v taskset >/dev/null && taskset -p 1 {pid} >/dev/null 2>&1 && echo bound
               command -v ionice >/dev/null && ionice -c 3 -p {pid} >/dev/null 2>&1 && echo idled
               nice -n 5 true && echo own"#
        )).await;
        assert_eq!(done.stdout(), "own\nfinished\n", "{}", done.words());
        victim.assert_unharmed();
    }
}

everywhere! {
    async fn no_process_outside_is_looked_into(kit: Kit) {
        let victim = kit.victim();
        let done = kit.script(&format!(
            r#"for file in mem maps cmdline cwd/x fd/0 root/etc/passwd environ; do
                 for pid in {} {}; do
                   (: < /proc/$pid/$file) 2>/dev/null && echo "opened $pid $file"
                 done
                 # The stage: the parent of the command.
                 [ $file = cmdline ] || (: < /proc/$PPID/$file) 2>/dev/null && [ $file != cmdline ] && echo "opened the stage's $file"
               done
               readlink /proc/$PPID/fd/* /proc/$PPID/exe /proc/$PPID/cwd /proc/$PPID/root && echo "followed the stage's files"
               (echo x > /proc/$PPID/mem) 2>/dev/null && echo "wrote to the stage""#,
            victim.pid(), std::process::id(),
        )).await;
        assert_eq!(done.stdout(), "finished\n", "{}", done.words());
    }
}

everywhere! {
    async fn the_stage_cannot_be_stopped_from_inside(kit: Kit) {
        let done = kit.script("for signal in KILL STOP TERM INT HUP; do kill -$signal $PPID 2>/dev/null; done; sleep 0.3").await;
        assert_eq!(done.ended.exit, titan_sandbox::Exit::Code(0), "{}", done.words());
    }
}

/// What is not there cannot be asked about.
#[tokio::test]
async fn with_namespaces_other_processes_have_no_number() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let done = kit.script("ls /proc | grep -E '^[0-9]+$' | wc -l").await;
    let count: usize = done.stdout().lines().next().expect("a line").trim().parse().expect("a number");
    assert!(count < 8, "only the stage and these: {count}");
    let done = kit.script(r#"hostname 2>/dev/null || cat /proc/sys/kernel/hostname; id -u; grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status"#).await;
    insta::assert_snapshot!(done.stdout());
}
