//! No namespaces: the stage is started as it is, and lays Landlock around the command. What is not granted here is refused, but
//! its place stays in sight, and the command finds its directory where it really is.

use std::path::PathBuf;

use super::{ETC, Launch, SYSTEM, environment, unusable};
use crate::command::Command;
use crate::error::Error;
use crate::private::Private;
use crate::protocol::{Grants, Order, Walls};
use crate::sandbox::Sandbox;

pub(super) fn plan(
    sandbox: &Sandbox,
    command: &Command,
    workdir: PathBuf,
    mut write: Vec<PathBuf>,
    read_only: Vec<(PathBuf, PathBuf)>,
    private: &Private,
    identity: Option<(u32, u32)>,
) -> Result<Launch, Error> {
    if identity.is_none() && rustix::process::geteuid().is_root() {
        // Root owns the whole system, and Landlock does not keep an owner from changing the mode of what it owns.
        return Err(unusable(
            &workdir,
            "it belongs to root, and without bubblewrap the command runs as its owner: give it to another user (chown), \
             or do not run Titan as root",
        ));
    }
    let tmp = private.tmp();
    write.push(tmp.clone());
    let system = SYSTEM.iter().chain(&ETC).map(PathBuf::from);
    let order = Order {
        program: command.program.clone(),
        args: command.args.clone(),
        env: environment(command, &tmp),
        directory: workdir,
        stdin: private.stdin(),
        limits: command.limits.clone(),
        walls: Walls::Landlock(Grants {
            read: system.chain(read_only.into_iter().map(|(_, real)| real)).collect(),
            write,
            identity,
        }),
        egress: None,
        inbound: None,
    };
    // The stage stays root, so that it can watch and kill; only the command becomes its owner.
    Ok(Launch { program: sandbox.stage().to_owned(), args: Vec::new(), order, start_as: None })
}
