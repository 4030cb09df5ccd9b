//! The system calls that are refused. A list of what is refused, not of what is allowed, because a build may use anything else;
//! what stands here opens doors in the walls, or parts of the kernel where doors have been found before, and no build needs it.
//!
//! An answer, not a death: programs try, and go another way. EPERM where a program can see that it is not allowed, ENOSYS where
//! it has an older way to do the same, EAFNOSUPPORT for sockets.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, sock_filter,
};

use super::calls;
use crate::protocol::Walls;

/// For each call the rules on its arguments, of which one suffices; without any it is always refused.
type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// What is applied, one after the other: the strictest answer counts.
pub(super) fn programs(walls: &Walls) -> Result<Vec<BpfProgram>, BackendError> {
    let architecture = std::env::consts::ARCH.try_into()?;
    let lists =
        [(not_permitted(walls)?, libc::EPERM), (not_there(walls), libc::ENOSYS), (sockets(walls)?, libc::EAFNOSUPPORT)];
    let mut programs = Vec::new();
    for (rules, errno) in lists {
        let refuse = SeccompAction::Errno(errno.unsigned_abs());
        programs.push(SeccompFilter::new(rules, SeccompAction::Allow, refuse, architecture)?.try_into()?);
    }
    if cfg!(target_arch = "x86_64") {
        programs.push(second_table());
    }
    Ok(programs)
}

fn always(calls: &[c_long]) -> impl Iterator<Item = (c_long, Vec<SeccompRule>)> {
    calls.iter().map(|call| (*call, Vec::new()))
}

fn not_permitted(walls: &Walls) -> Result<Rules, BackendError> {
    let mut rules: Rules = always(calls::NOT_PERMITTED).collect();
    // A new namespace would bring capabilities within it, and with them parts of the kernel that only those reach.
    let namespaces = calls::NAMESPACES.iter().map(|flag| rule(vec![has(0, *flag)?]));
    rules.insert(libc::SYS_clone, namespaces.collect::<Result<_, _>>()?);
    // They type into the terminal of whoever started this.
    let requests = [libc::TIOCSTI, libc::TIOCLINUX].into_iter();
    let requests = requests.map(|request| rule(vec![compare(1, SeccompCmpOp::Eq, request)?]));
    rules.insert(libc::SYS_ioctl, requests.collect::<Result<_, _>>()?);
    // Limits of another process, by which it can be stopped, blinded and killed: of the stage, or of anything else of the user's.
    // Who reads them names no new ones.
    let names_new = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)?;
    rules.insert(libc::SYS_prlimit64, vec![rule(vec![of_another(0)?, names_new])?]);
    // A program that runs as its owner: outside of the walls the owner is the caller's user. Device files likewise.
    for (call, mode) in calls::WITH_MODE {
        let mut refused = Vec::new();
        for bit in [libc::S_ISUID, libc::S_ISGID] {
            refused.push(rule(vec![has(*mode, bit.into())?])?);
        }
        if calls::MAKES_DEVICES.contains(call) {
            for kind in [libc::S_IFCHR, libc::S_IFBLK] {
                refused.push(rule(vec![compare(*mode, SeccompCmpOp::MaskedEq(libc::S_IFMT.into()), kind.into())?])?);
            }
        }
        rules.insert(*call, refused);
    }
    for (call, flags, mode) in calls::OPENS {
        let mut refused = Vec::new();
        for creates in [libc::O_CREAT, calls::O_TMPFILE_BIT] {
            for bit in [libc::S_ISUID, libc::S_ISGID] {
                refused.push(rule(vec![has(*flags, creates as u64)?, has(*mode, bit.into())?])?);
            }
        }
        rules.insert(*call, refused);
    }
    if let Walls::Landlock(grants) = walls {
        rules.extend(always(calls::UNSEEN_BY_LANDLOCK));
        for (call, process) in calls::SCHEDULES {
            rules.insert(*call, vec![rule(vec![of_another(*process)?])?]);
        }
        if grants.is_callers_user() {
            rules.extend(always(calls::GIVES_AWAY));
            for (call, mode) in calls::CHANGES_MODE {
                rules.entry(*call).or_default().extend(opens_or_closes(*mode)?);
            }
        }
    }
    Ok(rules)
}

/// A mode that lets anybody else in, or the owner not. What remains can at most take others' access to the user's files away;
/// and it is what a linker asks for, under the narrow umask that such a command has.
fn opens_or_closes(mode: u8) -> Result<Vec<SeccompRule>, BackendError> {
    let mut refused = Vec::new();
    for bit in [0o040, 0o020, 0o010, 0o004, 0o002, 0o001] {
        refused.push(rule(vec![has(mode, bit)?])?);
    }
    for bit in [0o400, 0o200] {
        refused.push(rule(vec![compare(mode, SeccompCmpOp::MaskedEq(bit), 0)?])?);
    }
    Ok(refused)
}

fn not_there(walls: &Walls) -> Rules {
    let mut rules: Rules = always(calls::NOT_THERE).collect();
    if let Walls::Landlock(_) = walls {
        rules.extend(always(calls::SYSTEM_V));
    }
    rules
}

/// With a network of its own, the ordinary families; without, none at all: Landlock does not keep a program from the
/// sockets of other programs that lie in the file system. Pairs of sockets are another call, and stay.
fn sockets(walls: &Walls) -> Result<Rules, BackendError> {
    let families = match walls {
        Walls::Bubblewrap => vec![libc::AF_UNIX, libc::AF_INET, libc::AF_INET6],
        Walls::Landlock(_) => return Ok(always(&[libc::SYS_socket]).collect()),
    };
    let others = families.into_iter().map(|family| compare(0, SeccompCmpOp::Ne, u64::from(family.unsigned_abs())));
    Ok(Rules::from([(libc::SYS_socket, vec![rule(others.collect::<Result<_, _>>()?)?])]))
}

/// x86_64 has a second table of calls, with numbers from here on, which the other programs do not name. Nothing built for
/// today's systems uses it.
fn second_table() -> BpfProgram {
    const FIRST: u32 = 0x4000_0000;
    let step = |code: u32, jf: u8, k: u32| sock_filter { code: u16::try_from(code).unwrap_or(0), jt: 0, jf, k };
    vec![
        // The number of the call stands first in what a filter sees.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 1, FIRST),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs()),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ]
}

fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions)
}

/// Any number but 0, which is the caller itself.
fn of_another(argument: u8) -> Result<SeccompCondition, BackendError> {
    compare(argument, SeccompCmpOp::Ne, 0)
}

fn has(argument: u8, bit: u64) -> Result<SeccompCondition, BackendError> {
    compare(argument, SeccompCmpOp::MaskedEq(bit), bit)
}

/// The lower half of an argument, because that is all the kernel reads of these.
fn compare(argument: u8, operation: SeccompCmpOp, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operation, value)
}

#[cfg(test)]
mod tests {
    use super::programs;
    use crate::protocol::{Grants, Walls};

    /// The kernel takes 4,096 instructions a program.
    #[test]
    fn each_program_fits() {
        for walls in [Walls::Bubblewrap, Walls::Landlock(Grants { read: vec![], write: vec![], identity: None })] {
            let programs = programs(&walls).expect("programs");
            assert!(programs.iter().all(|program| program.len() < 2_000), "{:?}", programs.iter().map(Vec::len));
        }
    }
}
