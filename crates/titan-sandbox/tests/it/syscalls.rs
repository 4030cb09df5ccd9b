//! The doors that are system calls: each is tried by its number, so that no tool has to be installed, and refused.

use libc::c_long;

use crate::kit::{Kind, Kit, everywhere};

/// Calls with plain numbers as arguments, and what would be said where nobody forbade them is never what is expected here.
fn calls() -> Vec<(&'static str, c_long, &'static str)> {
    vec![
        ("ptrace", libc::SYS_ptrace, "0, 0, 0, 0"),
        ("process_vm_readv", libc::SYS_process_vm_readv, "1, 0, 0, 0, 0, 0"),
        ("mount", libc::SYS_mount, "0, 0, 0, 0, 0"),
        ("umount2", libc::SYS_umount2, "0, 0"),
        ("pivot_root", libc::SYS_pivot_root, "0, 0"),
        ("chroot", libc::SYS_chroot, "0"),
        ("setns", libc::SYS_setns, "0, 0"),
        ("unshare users", libc::SYS_unshare, "0x10000000"),
        ("unshare files", libc::SYS_unshare, "0x20000"),
        ("clone with users", libc::SYS_clone, "0x10000011, 0, 0, 0, 0"),
        ("bpf", libc::SYS_bpf, "0, 0, 0"),
        ("perf_event_open", libc::SYS_perf_event_open, "0, 0, 0, 0, 0"),
        ("userfaultfd", libc::SYS_userfaultfd, "1"),
        ("init_module", libc::SYS_init_module, "0, 0, 0"),
        ("kexec_load", libc::SYS_kexec_load, "0, 0, 0, 0"),
        ("reboot", libc::SYS_reboot, "0, 0, 0, 0"),
        ("swapon", libc::SYS_swapon, "0, 0"),
        ("keyctl", libc::SYS_keyctl, "0, 0, 0, 0, 0"),
        ("add_key", libc::SYS_add_key, "0, 0, 0, 0, 0"),
        ("open_by_handle_at", libc::SYS_open_by_handle_at, "0, 0, 0"),
        ("move_mount", libc::SYS_move_mount, "0, 0, 0, 0, 0"),
        ("fsopen", libc::SYS_fsopen, "0, 0"),
        ("sethostname", libc::SYS_sethostname, "0, 0"),
        ("clock_settime", libc::SYS_clock_settime, "0, 0"),
        ("pidfd_getfd", libc::SYS_pidfd_getfd, "0, 0, 0"),
        ("terminal input", libc::SYS_ioctl, "0, 0x5412, 0"),
        ("clone3", libc::SYS_clone3, "0, 0"),
        ("openat2", libc::SYS_openat2, "0, 0, 0, 0"),
        ("io_uring_setup", libc::SYS_io_uring_setup, "0, 0"),
        ("memfd_create", libc::SYS_memfd_create, "0, 0"),
    ]
}

everywhere! {
    async fn each_door_is_shut(kit: Kit) {
        let mut script = String::from("use Errno; sub try { my ($name, @call) = @_; my $r = syscall($call[0], @call[1..$#call]); \
            print \"$name: \", ($r == -1 ? ($!{EPERM} ? 'EPERM' : $!{ENOSYS} ? 'ENOSYS' : \"open, $!\") : 'done'), \"\\n\"; }\n");
        for (name, number, arguments) in calls() {
            script.push_str(&format!("try('{name}', {number}, {arguments});\n"));
        }
        kit.put("try.pl", &script);
        let done = kit.script("perl try.pl").await;
        insta::allow_duplicates! { insta::assert_snapshot!("each_door_is_shut", done.stdout()); }
    }
}

/// By its second number, from a table that other filters forget.
#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn the_second_table_is_shut() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let number = libc::SYS_getpid | 0x4000_0000;
    let done = kit
        .script(&format!(
            "perl -e 'use Errno; print syscall({number}) == -1 && $!{{ENOSYS}} ? qq(shut\n) : qq(open\n)'"
        ))
        .await;
    assert_eq!(done.stdout(), "shut\nfinished\n");
}

everywhere! {
    async fn the_tools_for_it_fail(kit: Kit) {
        let done = kit.script(
            r#"for tool in "mount -t tmpfs x ." "umount /usr" "unshare -U true" "unshare -r true" "chroot . true" "setpriv --reuid 0 true" "su -c true" "nsenter -t 1 -m true"; do
                 program=${tool%% *}; command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] || { echo "no $program"; continue; }
                 PATH=$PATH:/usr/sbin:/sbin $tool </dev/null >/dev/null 2>&1 && echo "done: $tool"
               done"#,
        ).await;
        let said = done.stdout();
        let done: Vec<&str> = said.lines().filter(|line| line.starts_with("done")).collect();
        assert!(done.is_empty(), "{done:?}");
    }
}

/// Fallbacks are taken: what is refused does not keep ordinary programs from running.
#[tokio::test]
async fn ordinary_programs_go_on() {
    for kind in [Kind::Bubblewrap, Kind::Landlock] {
        let kit = Kit::new(kind).await;
        let done = kit
            .script(
                r#"cat <(echo substituted); seq 1000 | sort -R | sort -n | tail -1
                   perl -e 'use threads; print "threads\n"' 2>/dev/null || echo threads
                   if command -v cc >/dev/null; then printf 'int main(void){return 0;}' > a.c && cc -o a a.c && ./a && echo compiled; else echo compiled; fi
                   tar cf a.tar /usr/bin/env 2>/dev/null && tar tf a.tar | wc -l"#,
            )
            .await;
        assert_eq!(done.stdout(), "substituted\n1000\nthreads\ncompiled\n1\nfinished\n", "{kind:?} {}", done.words());
    }
}
