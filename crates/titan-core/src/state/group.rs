//! How a group of tasks stands: by the tasks in it.

use super::ExecutionStatus;

/// What becomes of a group, when it changes. It has no work that could fail: a task that failed in it is executed again or
/// canceled, and until then the group goes on. One whose tasks were all done, and of which one is begun again, is reopened.
#[must_use]
pub fn rolled_up(now: ExecutionStatus, parts: &[ExecutionStatus]) -> Option<ExecutionStatus> {
    use ExecutionStatus::{Canceled, Completed, InProgress, Pending, Queued};
    let all = |states: &[ExecutionStatus]| !parts.is_empty() && parts.iter().all(|part| states.contains(part));
    let wanted = if all(&[Canceled]) {
        Canceled
    } else if all(&[Completed, Canceled]) {
        Completed
    } else if parts.iter().all(|part| matches!(part, Pending | Canceled)) {
        Pending
    } else {
        InProgress
    };
    match (now, wanted) {
        (now, wanted) if now == wanted => None,
        // The one way out of an end.
        (Completed, Pending | InProgress) => Some(Queued),
        (Pending | Queued, InProgress | Completed | Canceled) | (InProgress, Completed | Canceled) => Some(wanted),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ExecutionStatus::{Canceled, Completed, Failed, InProgress, Pending, Queued};
    use super::*;

    #[test]
    fn a_group_is_done_when_its_tasks_are() {
        assert_eq!(rolled_up(Pending, &[]), None);
        assert_eq!(rolled_up(Pending, &[Pending, Pending]), None);
        assert_eq!(rolled_up(Pending, &[Queued, Pending]), Some(InProgress));
        assert_eq!(rolled_up(InProgress, &[Completed, Pending]), None);
        assert_eq!(rolled_up(InProgress, &[Completed, Canceled]), Some(Completed));
        assert_eq!(rolled_up(InProgress, &[Completed, Failed]), None);
        assert_eq!(rolled_up(Pending, &[Canceled]), Some(Canceled));
        assert_eq!(rolled_up(Completed, &[Queued, Completed]), Some(Queued));
        assert_eq!(rolled_up(Queued, &[InProgress, Completed]), Some(InProgress));
    }

    proptest! {
        #[test]
        fn it_moves_only_where_tasks_may(now in any_status(), parts in proptest::collection::vec(any_status(), 0..5)) {
            if let Some(next) = rolled_up(now, &parts) {
                // Several moves may be written as one.
                let by_way = now == Pending && ExecutionStatus::InProgress.may_become(next)
                    || now == Queued && ExecutionStatus::InProgress.may_become(next);
                prop_assert!(now.may_become(next) || by_way || now.may_reopen() && next == Queued, "{} -> {}", now, next);
            }
        }
    }

    fn any_status() -> impl Strategy<Value = ExecutionStatus> {
        proptest::sample::select(ExecutionStatus::ALL)
    }
}
