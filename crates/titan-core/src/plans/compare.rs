//! Two versions of a plan side by side, section by section. Pure.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Plan, SECTIONS};

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = PlanComparison)]
pub struct Comparison {
    /// The versions.
    pub from: i32,
    pub to: i32,
    /// In the order of a plan, the wish first.
    pub sections: Vec<SectionChange>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SectionChange {
    pub section: String,
    pub changed: bool,
    /// Entries of a list that only the later version has, by their key or in their words.
    pub added: Vec<String>,
    /// Those that only the earlier one has.
    pub removed: Vec<String>,
    /// Those that both have and that say something else now.
    pub altered: Vec<String>,
    /// The section in either version.
    #[schema(value_type = Value)]
    pub before: Value,
    #[schema(value_type = Value)]
    pub after: Value,
}

#[must_use]
pub fn compare(from: &Plan, to: &Plan) -> Comparison {
    let (before, after) = (json!(from.content), json!(to.content));
    let wish = change("wish", &json!(from.summary.wish), &json!(to.summary.wish));
    let of_content = SECTIONS.iter().map(|section| {
        let part = |content: &Value| content.get(section).cloned().unwrap_or_default();
        change(section, &part(&before), &part(&after))
    });
    Comparison {
        from: from.summary.number,
        to: to.summary.number,
        sections: std::iter::once(wish).chain(of_content).collect(),
    }
}

fn change(section: &str, before: &Value, after: &Value) -> SectionChange {
    let (mut added, mut removed, mut altered) = (Vec::new(), Vec::new(), Vec::new());
    if let (Some(old), Some(new)) = (before.as_array(), after.as_array()) {
        let find = |list: &'_ [Value], id: &str| list.iter().position(|entry| id_of(entry) == id);
        for entry in new {
            match find(old, id_of(entry)).and_then(|place| old.get(place)) {
                None => added.push(id_of(entry).to_owned()),
                Some(other) if other != entry => altered.push(id_of(entry).to_owned()),
                Some(_) => {}
            }
        }
        removed = old.iter().map(id_of).filter(|id| find(new, id).is_none()).map(str::to_owned).collect();
    }
    SectionChange {
        section: section.to_owned(),
        changed: before != after,
        added,
        removed,
        altered,
        before: before.clone(),
        after: after.clone(),
    }
}

/// By what an entry of a list is known in another version.
fn id_of(entry: &Value) -> &str {
    let named = ["key", "risk"].iter().find_map(|name| entry.get(name)?.as_str());
    named.or_else(|| entry.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_known_by_their_key_or_their_words() {
        let before = json!([{"key": "a", "title": "A"}, {"key": "b", "title": "B"}]);
        let after = json!([{"key": "b", "title": "B, but better"}, {"key": "c", "title": "C"}]);
        let tasks = change("tasks", &before, &after);
        assert_eq!((tasks.added, tasks.removed, tasks.altered), (vec!["c".into()], vec!["a".into()], vec!["b".into()]));
        let same = change("gaps", &json!(["photos"]), &json!(["photos"]));
        assert!(!same.changed && same.added.is_empty());
        let goal = change("goal", &json!("a"), &json!("b"));
        assert!(goal.changed && goal.added.is_empty());
    }
}
