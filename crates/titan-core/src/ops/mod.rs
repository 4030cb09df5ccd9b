//! Changes to Titan's own code: what may be proposed, and how far a proposal has come.
//!
//! First the rules, which are pure and know neither a database nor a repository. The API refuses with them before anything is stored,
//! and a worker asks them again about what really changed. In reading order: what a path is (`path`), which paths may be changed
//! (`policy`), how a change is told (`patch`, and `unified` for a diff), what came of it in the repository's tree (`tree`), and how
//! closely people should look at it (`risk`). `docs/OPS.md` tells the same to people.
//!
//! Then what is written down: who called (`audit`), what was proposed (`proposals`), what is done outside (`intents`), what people
//! decided (`decisions`), how far it is rolled out (`rollouts`), that it is to be taken back (`rollbacks`), and what production answers
//! (`targets`). And that the forge has news (`webhooks`).

mod fault;
pub mod path;
mod patterns;
pub mod policy;

pub mod patch;
pub mod unified;

pub mod risk;
pub mod tree;

pub mod audit;
pub mod decisions;
pub mod intents;
pub mod proposals;
pub mod rollbacks;
pub mod rollouts;
pub mod targets;
pub mod webhooks;

pub use fault::{Fault, MOST_FAULTS};
pub use patch::{Change, Patch, PatchInput};
pub use path::{PathFault, RepoPath};
pub use policy::{Judged, Policy, Verdict};
pub use risk::Risk;
pub use unified::Unified;
