//! A machine of its own, as far as a network and a data folder go: a network namespace in which there is a loopback address and
//! nothing else, and a disk that nobody outside sees. What is to pass in or out is said port by port.

use std::fs::File;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use rustix::fd::AsFd as _;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::daemon::{Api, Daemon, Env, program_path};

/// Gone, with all that runs in it and what is on its disk, when it and its daemons are dropped.
pub struct Machine {
    /// Keeps the namespaces; where its disk is says `data`.
    holder: Daemon,
    data: PathBuf,
    network: Arc<File>,
}

impl Machine {
    /// Whether there can be one here: namespaces are made by root, where root may.
    #[must_use]
    pub fn possible() -> bool {
        let tried = Command::new("unshare").args(["--net", "--mount", "true"]).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    }

    /// A machine whose disk appears at a folder, which must be there.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn with_disk_at(data: &Path) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "sh", "-ec"]);
        command.arg("mount -t tmpfs tmpfs \"$0\"; PATH=$PATH:/usr/sbin:/sbin; ip link set lo up; echo machine ready; exec sleep 3600").arg(data);
        let holder = Daemon::launch("machine", command);
        holder.wait_for_line("machine ready");
        let network = File::open(format!("/proc/{}/ns/net", holder.pid())).expect("the machine's network");
        Machine { holder, data: data.to_owned(), network: Arc::new(network) }
    }

    /// The folder that is its disk.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Starts a program of this workspace on it.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(&self, program: &str, env: &Env) -> Daemon {
        Daemon::launch(program, self.command(&program_path(program).display().to_string(), env))
    }

    /// Starts a program of this workspace that was copied to its disk with others, where every user may read it.
    ///
    /// # Panics
    /// When it cannot be copied or started.
    #[must_use]
    pub fn start_copy(&self, program: &str, others: &[&str], env: &Env) -> Daemon {
        for name in [program].iter().chain(others) {
            let _ = self.shell(&format!("cp {} {}", program_path(name).display(), self.data.display()));
        }
        Daemon::launch(program, self.command(&self.data.join(program).display().to_string(), env))
    }

    /// An API on it, at an address of this side.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn api(&self, env: &Env) -> Api {
        let mut api = Api::of(self.start("titan-api", env), env);
        let inside: SocketAddr = api.url.trim_start_matches("http://").parse().expect("an address");
        api.url = format!("http://{}", self.outside_of(inside.port()));
        api
    }

    /// What a shell on it says.
    ///
    /// # Panics
    /// When there is none, or it fails.
    #[must_use]
    pub fn shell(&self, script: &str) -> String {
        let output = self.command("sh", &Vec::new()).args(["-c", script]).output().expect("a shell");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// From now on, this port of its loopback address leads to the same port on this side.
    ///
    /// # Panics
    /// When the port is taken.
    pub fn lead_out(&self, port: u16) {
        let listener = self.inside(move || TcpListener::bind(("127.0.0.1", port))).expect("the port");
        relay(listener, move || TcpStream::connect(("127.0.0.1", port)));
    }

    /// The address on this side that leads to a port of its loopback address.
    ///
    /// # Panics
    /// When there is no port to be had.
    #[must_use]
    pub fn outside_of(&self, port: u16) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let network = Arc::clone(&self.network);
        relay(listener, move || enter(&network, move || TcpStream::connect(("127.0.0.1", port))));
        address
    }

    /// Whether something answers at a port of its loopback address.
    #[must_use]
    pub fn answers(&self, port: u16) -> bool {
        self.inside(move || TcpStream::connect(("127.0.0.1", port))).is_ok()
    }

    fn inside<T: Send + 'static>(&self, what: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
        enter(&self.network, what)
    }

    fn command(&self, program: &str, env: &Env) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.holder.pid().to_string(), "--net", "--mount", "--", program]);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(env.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Does something in another network. A thread that has gone there does not come back, so it is one of its own.
fn enter<T: Send + 'static>(
    network: &Arc<File>,
    what: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let network = Arc::clone(network);
    let there = thread::spawn(move || {
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
        what()
    });
    there.join().unwrap_or_else(|_| Err(io::Error::other("the thread in the other network panicked")))
}

/// Forwards what comes, for as long as the process lives.
fn relay(listener: TcpListener, connect: impl Fn() -> io::Result<TcpStream> + Send + 'static) {
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // Whoever is away refuses; so does this then.
            let Ok(server) = connect() else { continue };
            let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else { continue };
            thread::spawn(move || pass(&client, &server));
            thread::spawn(move || pass(&server_too, &client_too));
        }
    });
}

fn pass(mut from: &TcpStream, mut to: &TcpStream) {
    let _ = to.set_nodelay(true);
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
