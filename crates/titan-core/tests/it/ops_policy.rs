//! The rules of a proposal against people who do not keep them, against git, and against a million inputs that nobody would write.

mod fuzz;
mod hostile_diffs;
mod hostile_paths;
mod laws;

use titan_core::ops::patch::read;
use titan_core::ops::{Fault, PatchInput, Policy};

/// The rules as they are shipped.
fn policy() -> Policy {
    Policy::of(None, None).unwrap()
}

/// What is wrong with these patches, a line each.
fn faults(inputs: &[PatchInput], policy: &Policy) -> Option<String> {
    let faults = read(inputs, policy).err()?;
    assert!(!faults.is_empty() && faults.len() <= 100);
    let line = |fault: &Fault| format!("    {}: {}\n", fault.field, fault.message);
    Some(faults.iter().map(line).collect())
}
