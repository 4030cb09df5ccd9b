//! What a command takes too much of ends it, and only it.

use std::time::{Duration, Instant};

use titan_sandbox::{Event, Exit};

use crate::kit::{Kind, Kit, carrying, eventually, everywhere, marker, places_of};

const MIB: u64 = 1024 * 1024;

everywhere! {
    async fn memory_of_one_process(kit: Kit) {
        let mut command = kit.bash(r#"perl -e 'my @all; for (1..4000) { push @all, "x" x 1048576; select(undef, undef, undef, 0.002) } print "had it all\n"'"#);
        command.limits.memory = 200 * MIB;
        let done = kit.run(command).await.expect("it runs");
        assert_eq!(done.ended.exit, Exit::OutOfMemory, "{}", done.words());
        assert!(done.ended.peak_memory > 100 * MIB, "{}", done.ended.peak_memory);
    }
}

everywhere! {
    async fn memory_of_many_processes(kit: Kit) {
        let mut command = kit.bash(
            r#"for i in 1 2 3 4 5 6; do perl -e 'my @all; for (1..60) { push @all, "x" x 1048576 } sleep 20' & done; wait; echo all"#,
        );
        command.limits.memory = 200 * MIB;
        let done = kit.run(command).await.expect("it runs");
        assert_eq!(done.ended.exit, Exit::OutOfMemory, "{}", done.words());
    }
}

/// What they share is not counted for each of them.
#[tokio::test]
async fn shared_memory_counts_once() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let mut command = kit.bash(r#"perl -e 'my $all = "x" x (64 << 20); for (1..6) { fork or do { sleep 1; exit } } 1 while wait != -1; print "shared\n"'"#);
    command.limits.memory = 250 * MIB;
    let done = kit.run(command).await.expect("it runs");
    assert_eq!((done.ended.exit, done.stdout().as_str()), (Exit::Code(0), "shared\n"), "{}", done.words());
}

everywhere! {
    async fn processes(kit: Kit) {
        let marker = marker();
        // Each makes two more, for a while: without a limit it would be many thousands.
        let bomb = format!(r#"perl -e 'my $end = time + 3; while (time < $end) {{ fork; select(undef, undef, undef, 0.01) }} sleep 1' {marker}"#);
        let mut command = kit.bash(&bomb);
        command.limits.processes = 64;
        let started = Instant::now();
        let done = kit.run(command).await.expect("it runs");
        // Held by the kernel where it can be, ended where it cannot.
        let bounded = matches!(done.ended.exit, Exit::TooManyProcesses | Exit::Code(_));
        assert!(bounded, "{}", done.words());
        assert!(started.elapsed() < Duration::from_secs(29), "{:?}", started.elapsed());
        assert_eq!(carrying(&marker), 0);
    }
}

everywhere! {
    async fn the_size_of_a_file(kit: Kit) {
        let mut command = kit.bash(r#"perl -e '$SIG{XFSZ} = "IGNORE"; open(my $f, ">", "big"); for (1..64) { syswrite($f, "x" x 1048576) or do { print "full\n"; last } }'; stat -c %s big"#);
        command.limits.file_size = 8 * MIB;
        let done = kit.run(command).await.expect("it runs");
        assert_eq!(done.stdout(), format!("full\n{}\n", 8 * MIB), "{}", done.words());
    }
}

everywhere! {
    async fn open_files(kit: Kit) {
        let mut command = kit.bash(r#"perl -e 'my @all; while (open(my $f, "<", "/dev/null")) { push @all, $f; last if @all > 500 } print @all < 64 ? "few\n" : "many\n"'"#);
        command.limits.open_files = 64;
        let done = kit.run(command).await.expect("it runs");
        assert_eq!(done.stdout(), "few\n", "{}", done.words());
    }
}

everywhere! {
    async fn time_of_the_processor(kit: Kit) {
        let mut command = kit.bash("(while :; do :; done) & while :; do :; done");
        command.limits.cpu = Duration::from_secs(1);
        let done = kit.run(command).await.expect("it runs");
        assert_eq!(done.ended.exit, Exit::OutOfCpu, "{}", done.words());
        let cpu = done.ended.cpu_user + done.ended.cpu_system;
        assert!(cpu >= Duration::from_secs(1) && cpu < Duration::from_secs(3), "{cpu:?}");
    }
}

/// What lies in memory without a process that holds it.
#[tokio::test]
async fn with_bubblewrap_scratch_is_small() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let mut command = kit.bash(
        r#"for dir in /tmp /dev/shm; do
             perl -e 'open(my $f, ">", "$ARGV[0]/big") or die; for (1..64) { syswrite($f, "x" x 1048576) == 1048576 or do { print "full\n"; exit } } print "none\n"' $dir
           done; (echo x > /dev/x) 2>/dev/null && echo dev; (echo x > /x) 2>/dev/null && echo root; (echo x > /run/x) 2>/dev/null && echo run; :"#,
    );
    command.limits.scratch = 4 * MIB;
    let done = kit.run(command).await.expect("it runs");
    assert_eq!(done.stdout(), "full\nfull\n", "{}", done.words());
}

#[tokio::test]
async fn with_bubblewrap_shared_memory_of_system_v_counts() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let mut command = kit.bash(
        r#"perl -e 'use IPC::SysV qw(IPC_PRIVATE IPC_CREAT); for (1..400) { my $id = shmget(IPC_PRIVATE, 1048576, IPC_CREAT|0600) // die "$!"; shmwrite($id, "x" x 1048576, 0, 1048576); select(undef, undef, undef, 0.003) } sleep 5; print "had it\n"'"#,
    );
    command.limits.memory = 100 * MIB;
    let done = kit.run(command).await.expect("it runs");
    assert_eq!(done.ended.exit, Exit::OutOfMemory, "{}", done.words());
}

everywhere! {
    async fn output(kit: Kit) {
        let mut command = kit.bash(r#"head -c 20000000 /dev/zero | tr '\0' x; echo end >&2"#);
        command.limits.output = 1000;
        let done = kit.run(command).await.expect("it runs");
        assert_eq!(done.ended.exit, Exit::Code(0), "it was not blocked: {}", done.words());
        assert_eq!(done.stdout().len(), 1000);
        assert_eq!(done.events.last(), Some(&Event::Cut { limit: 1000 }));
        assert_eq!(done.ended.output_bytes, 20_000_004);
    }
}

everywhere! {
    async fn the_machine_takes_it_first_when_memory_is_short(kit: Kit) {
        let marker = marker();
        let command = kit.bash(&format!("perl -e 'sleep 20' {marker}"));
        let (events, _heard) = tokio::sync::mpsc::channel(1);
        let sandbox = kit.sandbox.clone();
        let run = tokio::spawn(async move { sandbox.run(command, events, tokio_util::sync::CancellationToken::new()).await });
        eventually("it is up", Duration::from_secs(10), || carrying(&marker) == 1).await;
        for place in places_of(&marker) {
            assert_eq!(std::fs::read_to_string(place.join("oom_score_adj")).expect("its place in the queue"), "1000\n");
        }
        run.abort();
    }
}

everywhere! {
    async fn memory_of_who_closes_itself_to_others(kit: Kit) {
        // Not dumpable: its exact numbers are refused to everybody of its user.
        let prctl = libc::SYS_prctl;
        let mut command = kit.bash(&format!(
            r#"perl -e 'syscall({prctl}, 4, 0, 0, 0, 0); my @all; for (1..4000) {{ push @all, "x" x 1048576; select(undef, undef, undef, 0.002) }} print "had it all\n"'"#
        ));
        command.limits.memory = 200 * MIB;
        let done = kit.run(command).await.expect("it runs");
        assert_eq!(done.ended.exit, Exit::OutOfMemory, "{}", done.words());
    }
}
