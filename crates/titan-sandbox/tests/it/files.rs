//! Files outside are neither read nor changed, by whatever way one gets to them.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use crate::kit::{CANARY, Kind, Kit, everywhere};

everywhere! {
    /// They lie beside the certificates, which builds need; as root's own number a command may read what root may.
    async fn no_private_key_of_the_machine_is_there(kit: Kit) {
        let done = kit.script("ls -d /etc/ssl/private/* /etc/pki/tls/private/* /etc/ssl/private/ 2>/dev/null | grep -v '^/etc/ssl/private/$'; cat /etc/ssl/private/*.key 2>/dev/null; [ ! -d /etc/ssl/certs ] || ls /etc/ssl/certs >/dev/null && echo certificates").await;
        assert_eq!(done.stdout(), "certificates\nfinished\n", "{}", done.words());
    }
}

everywhere! {
    async fn nothing_outside_is_read(kit: Kit) {
        kit.put("mine", "readable\n");
        // The first line shows that reading works here at all.
        let done = kit.script(
            r#"cat mine; for path in "$OUTSIDE/secret" /etc/shadow /etc/passwd- /root/.bashrc /root/.profile /proc/1/environ /proc/kcore; do
                 cat "$path" 2>/dev/null && echo "read $path"
               done
               ls "$OUTSIDE" /root /home /var/lib 2>/dev/null | grep . && echo listed"#,
        ).await;
        assert_eq!(done.stdout(), "readable\nfinished\n", "{}", done.words());
    }
}

everywhere! {
    async fn nothing_outside_is_written(kit: Kit) {
        let done = kit.script(
            r#"echo x > mine; for dir in / /etc /usr /usr/bin /root /var /run /boot /proc/sys/kernel /sys /dev /home "$OUTSIDE"; do
                 (echo x > "$dir/titan-attack") 2>/dev/null && echo "wrote $dir"
                 mkdir "$dir/titan-attack.d" 2>/dev/null && echo "made $dir"
               done
               for file in /proc/sys/kernel/hostname /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger "$OUTSIDE/secret"; do
                 (echo x >> "$file") 2>/dev/null && echo "changed $file"
                 (truncate -s 0 "$file") 2>/dev/null && [ ! -s "$file" ] && [ -f "$OUTSIDE/secret" ] && echo "emptied $file"
               done
               rm -f "$OUTSIDE/secret" && [ -e "$OUTSIDE" ] && [ ! -e "$OUTSIDE/secret" ] && echo removed"#,
        ).await;
        assert_eq!(done.stdout(), "finished\n", "{}", done.words());
        assert_eq!(fs::read_to_string(kit.work().join("mine")).expect("its own file"), "x\n");
        assert_eq!(fs::read_to_string(kit.outside().join("secret")).expect("the secret"), CANARY);
        for dir in ["/", "/etc", "/usr", "/usr/bin", "/root", "/var", "/run"] {
            assert!(!std::path::Path::new(dir).join("titan-attack").exists(), "{dir} was written to");
        }
    }
}

everywhere! {
    async fn a_link_out_of_the_directory_leads_nowhere(kit: Kit) {
        let done = kit.script(
            r#"ln -s "$OUTSIDE" link; ln -s "$OUTSIDE/secret" file
               (echo x > link/planted) 2>/dev/null && echo planted
               (echo x >> file) 2>/dev/null && echo appended
               cat file link/secret 2>/dev/null && echo read
               # A directory that becomes a link while it is written to.
               mkdir real; for i in $(seq 300); do
                 (rm -rf swap; ln -s "$OUTSIDE" swap; rm -rf swap; mkdir swap) 2>/dev/null &
                 (echo x > swap/planted) 2>/dev/null
               done; wait"#,
        ).await;
        assert_eq!(done.stdout(), "finished\n", "{}", done.words());
        assert_eq!(fs::read_dir(kit.outside()).expect("outside").count(), 1, "something was planted");
        assert_eq!(fs::read_to_string(kit.outside().join("secret")).expect("the secret"), CANARY);
    }
}

everywhere! {
    async fn a_hard_link_to_outside_is_not_made(kit: Kit) {
        let done = kit.script(
            r#"touch mine; ln mine second && echo inside
               ln "$OUTSIDE/secret" stolen 2>/dev/null && echo linked
               ln /usr/bin/env stolen 2>/dev/null && echo linked
               ln mine "$OUTSIDE/mine" 2>/dev/null && echo "linked out"
               mv mine "$OUTSIDE/mine" 2>/dev/null && [ -e "$OUTSIDE" ] && echo moved
               perl -e 'link("$ENV{OUTSIDE}/secret", "stolen") and print "linked\n"'"#,
        ).await;
        assert_eq!(done.stdout(), "inside\nfinished\n", "{}", done.words());
        assert_eq!(fs::metadata(kit.outside().join("secret")).expect("the secret").nlink(), 1);
    }
}

everywhere! {
    async fn names_that_climb_end_inside(kit: Kit) {
        let done = kit.script(
            r#"up=../../../../../../../..
               (echo x > "$up$OUTSIDE/planted") 2>/dev/null && echo planted
               mkdir -p build && perl -e '
                 # An archive whose names climb, taken apart by somebody who does not look.
                 for my $name ("../../../../../../..$ENV{OUTSIDE}/slip", "$ENV{OUTSIDE}/slip") {
                   open(my $file, ">", "build/$name") and print "slipped $name\n";
                   open($file, ">", $name) and print "slipped $name\n";
                 }'"#,
        ).await;
        assert_eq!(done.stdout(), "finished\n", "{}", done.words());
        assert_eq!(fs::read_dir(kit.outside()).expect("outside").count(), 1);
    }
}

everywhere! {
    async fn no_device_is_made(kit: Kit) {
        let done = kit.script(
            r#"mkfifo pipe && echo pipe
               mknod disk b 8 0 2>/dev/null && echo disk
               mknod memory c 1 1 2>/dev/null && echo memory
               mknod /tmp/memory c 1 1 2>/dev/null && echo memory
               for device in /dev/sda /dev/vda /dev/mem /dev/kmsg /dev/loop-control /dev/fuse; do
                 (: < "$device") 2>/dev/null && echo "opened $device"
               done"#,
        ).await;
        assert_eq!(done.stdout(), "pipe\nfinished\n", "{}", done.words());
    }
}

everywhere! {
    async fn no_program_becomes_its_owner(kit: Kit) {
        let done = kit.script(
            r#"cp /usr/bin/env plain && chmod 700 plain && echo plain
               cp /usr/bin/env s1; chmod u+s s1 2>/dev/null && echo "set by chmod"
               cp /usr/bin/env s2; chmod 2755 s2 2>/dev/null && echo "set by chmod"
               perl -e 'use Fcntl; umask 0;
                 sysopen(my $f, "s3", O_CREAT|O_WRONLY, 04777) and print "set by open\n";
                 open(my $g, ">", "s4"); chmod(04755, $g) and print "set by fchmod\n"'"#,
        ).await;
        assert_eq!(done.stdout(), "plain\nfinished\n", "{}", done.words());
        for entry in fs::read_dir(kit.work()).expect("the directory").flatten() {
            let mode = entry.metadata().expect("a file").permissions().mode();
            assert_eq!(mode & 0o6000, 0, "{} has mode {mode:o}", entry.path().display());
        }
    }
}

everywhere! {
    async fn what_it_owns_no_more_than_others_keeps_its_mode(kit: Kit) {
        let all = [kit.outside().join("secret"), "/dev/null".into(), "/dev/zero".into(), "/dev/tty".into(), "/usr/bin/env".into()];
        let look = || all.clone().map(|path| fs::metadata(path).map(|meta| (meta.mode(), meta.uid(), meta.mtime())).ok());
        let before = look();
        let done = kit.script(
            r#"chmod 777 "$OUTSIDE/secret" 2>/dev/null && echo chmod
               chown 1000:1000 "$OUTSIDE/secret" 2>/dev/null && echo chown
               perl -e 'open(my $f, "<", "/usr/bin/env") or exit; chmod(0777, $f) and print "fchmod\n"'
               chmod 777 /usr/bin/env 2>/dev/null && echo system
               # A copy may be changed; the machine's may not.
               chmod 600 /dev/null 2>/dev/null; touch -d 2001-01-01 /dev/zero 2>/dev/null; chmod 600 /dev/pts /dev/tty 2>/dev/null
               echo x > /dev/null && head -c 4 /dev/urandom | wc -c"#,
        ).await;
        assert_eq!(done.stdout(), "4\nfinished\n", "{}", done.words());
        assert_eq!(before, look());
    }
}

everywhere! {
    async fn a_read_only_path_is_read_and_not_written(kit: Kit) {
        let mut command = kit.bash(r#"cat "$OUTSIDE/secret"; (echo x >> "$OUTSIDE/secret") 2>/dev/null && echo wrote; touch "$OUTSIDE/new" 2>/dev/null && echo made"#);
        command.read_only = vec![kit.outside().to_owned()];
        let done = kit.run(command).await.expect("it runs");
        assert_eq!(done.stdout(), CANARY, "{}", done.words());
    }
}

everywhere! {
    async fn its_own_directory_and_tmp_are_there_to_be_used(kit: Kit) {
        let mut command = kit.bash(
            r#"pwd > where; mkdir -p a/b && echo deep > a/b/c && mv a/b/c a/d && ln -s d a/e && cat a/e
               echo scratch > "$TMPDIR/x" && cat "$TMPDIR/x" && [ "$HOME" = "$TMPDIR" ] && chmod 700 a && rm -r a && echo gone"#,
        );
        command.stdin = b"unused".to_vec();
        let done = kit.run(command).await.expect("it runs");
        assert_eq!(done.stdout(), "deep\nscratch\ngone\n", "{}", done.words());
        let place = fs::read_to_string(kit.work().join("where")).expect("where it was");
        assert_eq!(place.trim_end(), kit.sandbox.workdir_inside(kit.work()).display().to_string());
    }
}

#[tokio::test]
async fn one_run_sees_nothing_of_another_ones_scratch() {
    for kind in [Kind::Bubblewrap, Kind::Landlock] {
        let kit = Kit::new(kind).await;
        kit.script(r#"echo x > "$TMPDIR/left"; echo "$TMPDIR" > place; mkdir -p "$TMPDIR/closed/in"; chmod 0 "$TMPDIR/closed""#).await;
        let done = kit.script(r#"ls -A "$TMPDIR""#).await;
        assert_eq!(done.stdout(), "finished\n");
        if kind == Kind::Landlock {
            let place = fs::read_to_string(kit.work().join("place")).expect("the place");
            assert!(!std::path::Path::new(place.trim_end()).exists(), "it was removed with the run");
        }
    }
}

/// As the caller's own user an owner's powers would reach outside; what is left of them lets nobody in.
#[tokio::test]
async fn with_landlock_no_file_of_the_callers_is_opened_to_others() {
    let kit = Kit::new(Kind::Landlock).await;
    let secret = kit.outside().join("secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("closed");
    let done = kit
        .script(
            r#"for mode in 644 755 777 000 400 4700; do chmod $mode "$OUTSIDE/secret" 2>/dev/null && echo "$mode"; done
               chown :$(id -g) "$OUTSIDE/secret" 2>/dev/null && [ "$(id -u)" = 65534 ] && echo chown"#,
        )
        .await;
    assert_eq!(done.stdout(), "finished\n", "{}", done.words());
    assert_eq!(fs::metadata(secret).expect("the secret").mode() & 0o7777, 0o600);
}
