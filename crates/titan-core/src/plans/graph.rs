//! Which tasks of a plan wait for which. A group has no work of its own: who needs it needs everything in it, and what it needs
//! everything in it needs. So only the tasks that are done themselves wait, and are waited for.

use std::collections::{BTreeMap, BTreeSet};

use super::content::PlanContent;

/// What each task that is no group needs, by key; none of them is a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Graph<'p>(BTreeMap<&'p str, BTreeSet<&'p str>>);

impl<'p> Graph<'p> {
    /// Names that mean nothing are left out: the rules tell of them. Groups must not contain themselves.
    pub(crate) fn of(content: &'p PlanContent) -> Self {
        let mut graph = Graph::default();
        for task in content.tasks.iter().filter(|task| !content.is_group(&task.key)) {
            let with_groups = std::iter::once(task.key.as_str()).chain(ancestors(content, &task.key));
            let named = with_groups.flat_map(|key| needs(content, key)).flat_map(|need| leaves(content, need));
            graph.0.insert(&task.key, named.collect());
        }
        graph
    }

    pub(crate) fn needs(&self, key: &str) -> impl Iterator<Item = &'p str> + '_ {
        self.0.get(key).into_iter().flatten().copied()
    }

    /// Tasks that wait for each other, the first once more at the end.
    pub(crate) fn circle(&self) -> Option<Vec<&'p str>> {
        let mut free = BTreeSet::new();
        self.0.keys().find_map(|key| self.circle_from(key, &mut Vec::new(), &mut free))
    }

    fn circle_from(&self, key: &'p str, path: &mut Vec<&'p str>, free: &mut BTreeSet<&'p str>) -> Option<Vec<&'p str>> {
        if free.contains(key) {
            return None;
        }
        if let Some(begin) = path.iter().position(|on_path| *on_path == key) {
            let circle = path.iter().skip(begin).copied().chain(std::iter::once(key));
            return Some(circle.collect());
        }
        path.push(key);
        let needs: Vec<&'p str> = self.needs(key).collect();
        let found = needs.into_iter().find_map(|need| self.circle_from(need, path, free));
        path.pop();
        free.insert(key);
        found
    }
}

fn needs<'p>(content: &'p PlanContent, key: &str) -> impl Iterator<Item = &'p str> {
    let task = content.tasks.iter().find(|task| task.key == key);
    task.into_iter().flat_map(|task| task.needs.iter().map(String::as_str))
}

/// The task, or all that is done in the group.
fn leaves<'p>(content: &'p PlanContent, key: &'p str) -> Vec<&'p str> {
    if !content.tasks.iter().any(|task| task.key == key) {
        return Vec::new();
    }
    if !content.is_group(key) {
        return vec![key];
    }
    let inside =
        |task: &&super::PlannedTask| ancestors(content, &task.key).contains(&key) && !content.is_group(&task.key);
    content.tasks.iter().filter(inside).map(|task| task.key.as_str()).collect()
}

/// The groups that a task belongs to, the innermost first. Not more than there are tasks, should they go in a circle.
pub(super) fn ancestors<'p>(content: &'p PlanContent, key: &str) -> Vec<&'p str> {
    let parent = |key: &str| content.tasks.iter().find(|task| task.key == key)?.parent.as_deref();
    let chain = std::iter::successors(parent(key), |key| parent(key));
    chain.take(content.tasks.len()).filter(|key| content.tasks.iter().any(|task| task.key == *key)).collect()
}

/// Groups that contain themselves, the first once more at the end.
pub(super) fn loop_of_parents(content: &PlanContent) -> Option<Vec<&str>> {
    content.tasks.iter().find_map(|task| {
        let chain = ancestors(content, &task.key);
        let end = chain.iter().position(|key| *key == task.key)?;
        Some(std::iter::once(task.key.as_str()).chain(chain.into_iter().take(end + 1)).collect())
    })
}

/// The tasks so that each stands after the group that it belongs to.
pub(crate) fn groups_first(content: &PlanContent) -> Vec<&super::PlannedTask> {
    let mut tasks: Vec<&super::PlannedTask> = content.tasks.iter().collect();
    // Stable, so that the order of the plan is otherwise kept.
    tasks.sort_by_key(|task| ancestors(content, &task.key).len());
    tasks
}
