//! A proposal's patches on the code: the commit that they stand on, and the tree that they make. The same patches on the same commit
//! always make the same tree, so a stage on another machine makes it anew and compares.

use titan_core::ops::proposals::Proposed;
use titan_core::ops::{self, Patch, PatchInput};
use titan_ops::repository::{Applied, Merged, Mirror, RepositoryError};

use super::halt::Halt;
use super::yard::Yard;
use crate::handler::Work;

/// What a proposal comes to.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// The commit of the base branch that it stands on.
    pub(super) base: String,
    pub(super) tree: String,
    /// Hunks that were found elsewhere than they say.
    pub(super) shifts: Vec<String>,
}

impl Yard {
    /// The patches, which the rules of this worker have to allow as well.
    pub(super) async fn patches(&self, work: &Work, proposed: &Proposed) -> Result<Vec<Patch>, Halt> {
        let bytes = work.blobs.read(&proposed.patches).await?;
        let inputs: Vec<PatchInput> = serde_json::from_slice(&bytes)
            .map_err(|error| Halt::Failed(format!("the patches cannot be read: {error}")))?;
        ops::patch::read(&inputs, &self.policy)
            .map_err(|faults| Halt::faults("the rules of this worker refuse the patches", &faults))
    }

    /// Puts the patches onto the commit that they are for, and brings that onto where the branch stands now.
    pub(super) async fn change(
        &self,
        mirror: &Mirror,
        patches: Vec<Patch>,
        wanted: Option<String>,
        head: String,
    ) -> Result<Change, Halt> {
        mirror
            .with(move |mirror| {
                let Some(base) = wanted.filter(|base| *base != head) else {
                    let applied = mirror.apply(&head, &patches)?;
                    return Ok(Ok(Change { base: head, shifts: told(&applied), tree: applied.tree }));
                };
                if !mirror.is_ancestor(&base, &head)? {
                    let message = format!("{base} is no commit that the branch stands on, which is at {head}");
                    return Err(RepositoryError::Refused(message));
                }
                let applied = mirror.apply(&base, &patches)?;
                Ok(match mirror.three_way(&base, &head, &applied.tree)? {
                    Merged::Tree(tree) if tree == mirror.tree_of(&head)? => {
                        Err(Halt::Failed(format!("it changes nothing: the branch has all of it at {head}")))
                    }
                    Merged::Tree(tree) => Ok(Change { base: head, shifts: told(&applied), tree }),
                    Merged::Conflicts(paths) => Err(conflicts(&head, &paths)),
                })
            })
            .await?
    }
}

fn told(applied: &Applied) -> Vec<String> {
    applied.shifts.iter().map(|(path, shift)| format!("{path}: {shift}")).collect()
}

/// What others changed meanwhile in another way.
pub(super) fn conflicts(head: &str, paths: &[String]) -> Halt {
    const MOST: usize = 10;
    let told: Vec<&str> = paths.iter().take(MOST).map(String::as_str).collect();
    let more = paths.len().saturating_sub(MOST);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    Halt::Failed(format!(
        "it does not fit to what the branch has become at {head}: {}{rest}; propose it again for that commit",
        told.join(", ")
    ))
}
