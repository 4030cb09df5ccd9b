//! From the start of the command to its end: who waits for it, who listens to the caller, and a look at the limits about ten
//! times a second. Whatever ends it, everything that it started ends with it.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, wait};

use super::{confine, forward, report, tree};
use crate::command::Limits;
use crate::outcome::Exit;
use crate::protocol::{Order, Report, Taken, Walls};

/// Between two looks at the limits.
const LOOK: Duration = Duration::from_millis(100);
/// The first look is early, so that a short command has one.
const FIRST_LOOK: Duration = Duration::from_millis(10);

/// What can happen while the command runs.
enum Heard {
    Exited(WaitStatus),
    Cancel,
    /// The caller is gone: nobody wants to know how it ends.
    Gone,
}

pub(super) fn run(order: &Order, caller: BufReader<UnixStream>, socket: &UnixStream) -> io::Result<()> {
    let has_namespaces = matches!(order.walls, Walls::Bubblewrap);
    let proxy = order.egress.as_deref().map(forward::listen).transpose()?;
    if let Some(inbound) = &order.inbound {
        forward::serve(&inbound.gate, inbound.port)?;
    }
    // All threads are there before the command is, which may leave no room for them.
    let (tell, heard) = channel();
    let (tell_child, child) = channel();
    listen(caller, tell.clone())?;
    reap(child, tell)?;
    let started = Instant::now();
    let child = match confine::start(order, proxy) {
        Ok(child) => child,
        Err(refusal) => {
            report(socket, &refusal);
            return Ok(());
        }
    };
    let _ = tell_child.send(child);
    report(socket, &Report::Started);
    let mut watch = Watch { limits: &order.limits, has_namespaces, started, peak: tree::Sample::default() };
    let exit = watch.until_the_end(&heard);
    watch.look();
    tree::kill_all();
    if let Some(exit) = exit {
        // The times of those that were just killed count once somebody has waited for them, which the reaper does.
        watch.look();
        let tree::Sample { memory, cpu_user, cpu_system, .. } = watch.peak;
        report(socket, &Report::Ended(Taken { exit, cpu_user, cpu_system, peak_memory: memory }));
    }
    Ok(())
}

struct Watch<'a> {
    limits: &'a Limits,
    has_namespaces: bool,
    started: Instant,
    /// The most of everything so far.
    peak: tree::Sample,
}

impl Watch<'_> {
    /// How it ended, or nothing when the caller is gone.
    fn until_the_end(&mut self, heard: &Receiver<Heard>) -> Option<Exit> {
        let deadline = self.started + self.limits.wall;
        let mut next_look = Instant::now() + FIRST_LOOK;
        // The verdict, and when it is carried out by force.
        let mut ending: Option<(Exit, Instant)> = None;
        loop {
            let force = ending.map_or(deadline, |(_, force)| force);
            let wait = next_look.min(force).saturating_duration_since(Instant::now());
            match heard.recv_timeout(wait) {
                Ok(Heard::Exited(status)) => return Some(ending.map_or_else(|| exit_of(status), |(exit, _)| exit)),
                Ok(Heard::Gone) | Err(RecvTimeoutError::Disconnected) => return None,
                Ok(Heard::Cancel) if ending.is_none() => ending = Some(self.ask_to_end(Exit::Canceled)),
                Ok(Heard::Cancel) => {}
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            match ending {
                Some((exit, force)) if now >= force => {
                    tree::kill_all();
                    ending = Some((exit, now + LOOK));
                }
                None if now >= deadline => ending = Some(self.ask_to_end(Exit::TimedOut)),
                _ => {}
            }
            if now >= next_look {
                next_look = now + LOOK;
                if let (Some(exit), None) = (self.look(), ending) {
                    // What takes too much gets no time to take more.
                    tree::kill_all();
                    ending = Some((exit, now + LOOK));
                }
            }
        }
    }

    fn ask_to_end(&self, exit: Exit) -> (Exit, Instant) {
        tree::signal_all(Signal::TERM);
        (exit, Instant::now() + self.limits.grace)
    }

    /// Looks at all processes, and says which limit is crossed.
    fn look(&mut self) -> Option<Exit> {
        let mut now = tree::sample();
        let apart = if self.has_namespaces { tree::system_v_memory() } else { 0 };
        now.memory += apart;
        if now.memory > self.limits.memory {
            // Shared pages were counted several times: the verdict is not spoken on that.
            now.memory = tree::exact_memory() + apart;
        }
        let peak = &mut self.peak;
        peak.memory = peak.memory.max(now.memory);
        peak.processes = peak.processes.max(now.processes);
        peak.cpu_user = peak.cpu_user.max(now.cpu_user);
        peak.cpu_system = peak.cpu_system.max(now.cpu_system);
        if now.memory > self.limits.memory {
            Some(Exit::OutOfMemory)
        } else if now.processes > self.limits.processes {
            Some(Exit::TooManyProcesses)
        } else if now.cpu_user + now.cpu_system > self.limits.cpu {
            Some(Exit::OutOfCpu)
        } else {
            None
        }
    }
}

fn exit_of(status: WaitStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or(0)),
    }
}

/// Waits for every process that ends, since orphans are this one's to bury, and tells of the command's own end.
fn reap(child: Receiver<Pid>, tell: Sender<Heard>) -> io::Result<()> {
    thread::Builder::new().name("reap".into()).spawn(move || {
        let Ok(child) = child.recv() else { return };
        loop {
            match wait(WaitOptions::empty()) {
                Ok(Some((pid, status))) if pid == child => drop(tell.send(Heard::Exited(status))),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                // Nobody is left.
                Err(_) => return,
            }
        }
    })?;
    Ok(())
}

/// Hears the caller: a line is the wish to end it, the end of the stream that the caller is gone.
fn listen(mut caller: BufReader<UnixStream>, tell: Sender<Heard>) -> io::Result<()> {
    thread::Builder::new().name("listen".into()).spawn(move || {
        loop {
            let mut line = Vec::new();
            match caller.by_ref().take(64).read_until(b'\n', &mut line) {
                Ok(1..) => drop(tell.send(Heard::Cancel)),
                Ok(0) | Err(_) => {
                    let _ = tell.send(Heard::Gone);
                    return;
                }
            }
        }
    })?;
    Ok(())
}
