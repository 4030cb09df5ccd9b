//! Directories that outlive a command, beside its own.

use std::fs;
use std::os::unix::fs::chown;

use tempfile::TempDir;

use crate::kit::{Kind, Kit, NOBODY, everywhere, is_root};

fn cache(kit: &Kit) -> TempDir {
    let cache = tempfile::Builder::new().prefix("titan-test-cache-").tempdir().expect("a directory");
    if is_root() && kit.kind != Kind::Bubblewrap {
        chown(cache.path(), Some(NOBODY), Some(NOBODY)).expect("an owner");
    }
    cache
}

everywhere! {
    async fn what_one_command_keeps_the_next_one_finds(kit: Kit) {
        let cache = cache(&kit);
        let run = async |script: &str| {
            let mut command = kit.bash(script);
            command.caches.insert("npm".to_owned(), cache.path().to_owned());
            let inside = kit.sandbox.cache_inside("npm", cache.path());
            command.env.insert("CACHE".to_owned(), inside.display().to_string());
            kit.run(command).await.expect("it runs").stdout()
        };
        assert_eq!(run("mkdir $CACHE/a && echo kept > $CACHE/a/b && cat $CACHE/a/b").await, "kept\n");
        assert_eq!(fs::read_to_string(cache.path().join("a/b")).expect("a file"), "kept\n");
        assert_eq!(run("cat $CACHE/a/b; touch $CACHE/../beside 2>/dev/null || echo refused").await, "kept\nrefused\n");
    }
}

everywhere! {
    async fn what_is_part_of_the_system_is_no_cache(kit: Kit) {
        for (name, path) in [("npm", "/etc"), ("npm", "/"), ("../x", "/var/tmp"), ("", "/var/tmp")] {
            let mut command = kit.bash("true");
            command.caches.insert(name.to_owned(), path.into());
            let refused = kit.run(command).await.expect_err("it is refused").to_string();
            assert!(refused.contains("cannot be used") || refused.contains("caches are"), "{path}: {refused}");
        }
    }
}
