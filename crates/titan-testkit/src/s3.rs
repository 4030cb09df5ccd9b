//! An S3-compatible store as a process of its own: the server of moto, which `scripts/moto.sh` installs once.

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use crate::daemon::{Daemon, Env, env};
use crate::db::repository;
use crate::{plain_http, wait};

const BUCKET: &str = "blobs";

/// A store with an empty bucket. It is killed when it is dropped.
pub struct FakeS3 {
    daemon: Daemon,
    port: u16,
}

impl FakeS3 {
    /// # Panics
    /// When moto is not on this machine and cannot be installed, or does not start.
    #[must_use]
    pub fn start() -> Self {
        let installed = Command::new("bash").arg(repository().join("scripts/moto.sh")).output().expect("bash");
        let said = String::from_utf8_lossy(&installed.stderr);
        assert!(installed.status.success(), "scripts/moto.sh: {said}");
        let program = String::from_utf8(installed.stdout).expect("a path").trim().to_owned();
        let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address").port();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let store = FakeS3 { daemon: Daemon::launch("moto_server", command), port };
        wait::until_blocking("the S3-compatible store", || TcpStream::connect(("127.0.0.1", port)).ok());
        let made = store.ask("PUT", &format!("/{BUCKET}"));
        assert!(made.starts_with("HTTP/1.1 200"), "{made}");
        store
    }

    /// The variables with which a daemon finds it.
    #[must_use]
    pub fn env(&self) -> Env {
        env(&[
            ("TITAN_BLOB_URL", &format!("s3://{BUCKET}/some/where")),
            ("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "a-secret-key"),
            ("AWS_REGION", "us-east-1"),
        ])
    }

    /// The names of all objects.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let listing = self.ask("GET", &format!("/{BUCKET}?list-type=2"));
        let keys = listing.split("<Key>").skip(1);
        keys.filter_map(|rest| Some(rest.split_once("</Key>")?.0.to_owned())).collect()
    }

    /// Where it listens at the loopback address.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it: from now on nothing answers there.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    fn ask(&self, method: &str, path: &str) -> String {
        plain_http::ask(&format!("127.0.0.1:{}", self.port), method, path, "")
    }
}
