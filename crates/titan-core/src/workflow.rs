//! What a run is made of: the workflows that are built in.
//!
//! A workflow is a graph of steps; a run pins it by its hash, so that a run which began under another version of Titan
//! can be told apart.

use sha2::{Digest, Sha256};

/// A step as the author wrote it. `needs` names the steps (by their number) that must be completed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepPlan {
    pub seq: i16,
    pub name: &'static str,
    /// The job kind, and so the handler, that does it.
    pub kind: &'static str,
    pub needs: &'static [i16],
    /// How long one attempt may take.
    pub timeout_ms: i64,
    /// What it is for, in one sentence.
    pub purpose: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workflow {
    pub name: &'static str,
    pub description: &'static str,
    /// Whether another run of the task goes on where the one before failed, instead of from the beginning.
    pub resumes: bool,
    /// The step that takes the project's files and says in its output which `commit` they were. When they have changed since,
    /// a run that goes on begins there at the latest.
    pub takes_files: Option<i16>,
    pub steps: &'static [StepPlan],
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// A message is answered, and what is worth keeping is remembered.
pub static CHAT: Workflow = Workflow {
    name: "chat",
    description: "Answers a message in a project and remembers what was said.",
    resumes: false,
    takes_files: None,
    steps: &[
        StepPlan {
            seq: 1,
            name: "answer",
            kind: "chat",
            needs: &[],
            timeout_ms: 600_000,
            purpose: "Asks the model and streams its answer.",
        },
        StepPlan {
            seq: 2,
            name: "remember",
            kind: "remember",
            needs: &[1],
            timeout_ms: 60_000,
            purpose: "Stores what was said as a memory of the project.",
        },
    ],
};

/// A command runs in the sandbox, on the files of the project.
pub static EXEC: Workflow = Workflow {
    name: "exec",
    description: "Runs a command in the sandbox on a project's files, and keeps what it changed for a person to approve.",
    resumes: false,
    takes_files: None,
    steps: &[StepPlan {
        seq: 1,
        name: "run",
        kind: "exec",
        needs: &[],
        timeout_ms: 2 * HOUR_MS,
        purpose: "Runs the command and commits what it changed to the run's own branch.",
    }],
};

/// A template becomes something that others can use.
pub static PIPELINE: Workflow = Workflow {
    name: "pipeline",
    description: "Makes a project of its template: scaffold, build, deploy, verify, publish.",
    resumes: true,
    takes_files: Some(2),
    steps: &[
        StepPlan {
            seq: 1,
            name: "scaffold",
            kind: "scaffold",
            needs: &[],
            timeout_ms: 10 * MINUTE_MS,
            purpose: "Writes the template's files that the project does not have yet.",
        },
        StepPlan {
            seq: 2,
            name: "build",
            kind: "build",
            needs: &[1],
            timeout_ms: 6 * HOUR_MS,
            purpose: "Builds the project as it is now, in the sandbox.",
        },
        StepPlan {
            seq: 3,
            name: "deploy",
            kind: "deploy",
            needs: &[1, 2],
            timeout_ms: HOUR_MS,
            purpose: "Brings what was built to where the project is deployed.",
        },
        StepPlan {
            seq: 4,
            name: "verify",
            kind: "verify",
            needs: &[1, 2, 3],
            timeout_ms: 6 * HOUR_MS,
            purpose: "Runs the project's tests, and checks what was deployed.",
        },
        StepPlan {
            seq: 5,
            name: "publish",
            kind: "publish",
            needs: &[1, 2, 3, 4],
            timeout_ms: 2 * HOUR_MS,
            purpose: "Gives the version a name, keeps what was built, and shows where it is.",
        },
    ],
};

/// A wish becomes a version of a project's plan.
pub static PLAN: Workflow = Workflow {
    name: "plan",
    description: "Drafts a plan for a wish, or the next version of one that was answered.",
    resumes: false,
    takes_files: None,
    steps: &[StepPlan {
        seq: 1,
        name: "draft",
        kind: "plan",
        needs: &[],
        timeout_ms: 1_200_000,
        purpose: "Asks the model for a plan, shows its sections as they are written, and stores it when all of it is right.",
    }],
};

/// A change to Titan's own code.
pub static OPS: Workflow = Workflow {
    name: "ops",
    description: "Changes Titan's own code: diff, patch, test, pull request, canary, promote.",
    resumes: true,
    takes_files: None,
    steps: &[
        StepPlan {
            seq: 1,
            name: "diff",
            kind: "ops.diff",
            needs: &[],
            timeout_ms: 20 * MINUTE_MS,
            purpose: "Puts the patches onto the code as it is, and looks whether all of it may be changed.",
        },
        StepPlan {
            seq: 2,
            name: "patch",
            kind: "ops.patch",
            needs: &[1],
            timeout_ms: 20 * MINUTE_MS,
            purpose: "Makes one commit of them on a branch of the proposal's own.",
        },
        StepPlan {
            seq: 3,
            name: "test",
            kind: "ops.test",
            needs: &[1, 2],
            timeout_ms: 6 * HOUR_MS,
            purpose: "Builds and tests what the merge would be, in the sandbox, and waits for the forge's own checks.",
        },
        StepPlan {
            seq: 4,
            name: "pull request",
            kind: "ops.pr",
            needs: &[1, 2, 3],
            timeout_ms: 20 * MINUTE_MS,
            purpose: "Opens the pull request, with all that was found.",
        },
        StepPlan {
            seq: 5,
            name: "canary",
            kind: "ops.deploy-canary",
            needs: &[1, 2, 3, 4],
            timeout_ms: 6 * HOUR_MS,
            purpose: "Deploys it beside what people use, or in its place for a while, and looks how it does.",
        },
        StepPlan {
            seq: 6,
            name: "promote",
            kind: "ops.promote",
            needs: &[1, 2, 3, 4, 5],
            timeout_ms: 6 * HOUR_MS,
            purpose: "Waits for an approval, merges exactly what was looked at, and deploys it to production.",
        },
    ],
};

/// A change to Titan's own code is taken back.
pub static OPS_ROLLBACK: Workflow = Workflow {
    name: "ops-rollback",
    description: "Takes a change to Titan's own code back from where it was rolled out.",
    resumes: false,
    takes_files: None,
    steps: &[StepPlan {
        seq: 1,
        name: "rollback",
        kind: "ops.rollback",
        needs: &[],
        timeout_ms: 2 * HOUR_MS,
        purpose: "Deploys the last good commit, and closes the pull request or opens one that takes it back.",
    }],
};

pub static ALL: &[&Workflow] = &[&CHAT, &PLAN, &EXEC, &PIPELINE, &OPS, &OPS_ROLLBACK];

impl Workflow {
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Workflow> {
        ALL.iter().copied().find(|workflow| workflow.name == name)
    }

    /// The workflow that executes a task of this type.
    #[must_use]
    pub fn for_task_type(task_type: &str) -> Option<&'static Workflow> {
        match task_type {
            "chat" => Some(&CHAT),
            "exec" => Some(&EXEC),
            "pipeline" => Some(&PIPELINE),
            "plan" => Some(&PLAN),
            "ops" => Some(&OPS),
            "ops-rollback" => Some(&OPS_ROLLBACK),
            _ => None,
        }
    }

    /// SHA-256 over everything that matters to a run, shortened to 16 hex digits.
    #[must_use]
    pub fn hash(&self) -> String {
        let digest = Sha256::digest(format!("{}{:?}", self.name, self.steps));
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The task types that anybody can create; those of Titan's own code are proposed.
pub const TASK_TYPES: &[&str] = &["chat", "plan", "exec", "pipeline"];

/// The types of tasks that a plan may propose: those of which a text says all that is to be done.
pub const PLANNED_TYPES: &[&str] = &["chat"];

/// The type of a task that has no work of its own: it is done when the tasks are that belong to it.
pub const GROUP: &str = "group";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_numbered_from_one_and_need_only_earlier_ones() {
        for workflow in ALL {
            for (index, step) in workflow.steps.iter().enumerate() {
                assert_eq!(usize::try_from(step.seq).unwrap(), index + 1, "{}", workflow.name);
                assert!(step.needs.iter().all(|need| *need < step.seq && *need >= 1));
            }
        }
    }

    #[test]
    fn the_hash_is_stable_within_a_version() {
        assert_eq!(CHAT.hash(), CHAT.hash());
        assert_eq!(CHAT.hash().len(), 16);
    }

    #[test]
    fn every_task_type_has_a_workflow() {
        assert!(TASK_TYPES.iter().all(|name| Workflow::for_task_type(name).is_some()));
        assert!(PLANNED_TYPES.iter().all(|name| TASK_TYPES.contains(name)));
    }
}
