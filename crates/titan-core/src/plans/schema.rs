//! The JSON Schema that a model's answer is asked to have. It says what the form is; limits and names are checked when the
//! answer is read, because not all providers know them. Every field is required and may be null where it may be missing, as
//! some providers want it.

use serde_json::{Value, json};

use super::content::{MAX_CHOICES, MAX_LINES, MAX_QUESTIONS, MAX_TASKS};
use crate::workflow::PLANNED_TYPES;

#[must_use]
pub fn schema() -> Value {
    let lines = json!({"type": "array", "items": {"type": "string"}});
    let question = object(json!({
        "key": {"type": "string"},
        "question": {"type": "string"},
        "choices": lines,
        "blocks": lines,
    }));
    let task = object(json!({
        "key": {"type": "string"},
        "title": {"type": "string"},
        "content": {"type": "string"},
        "type": {"type": "string", "enum": PLANNED_TYPES},
        "execution_type": {"type": "string", "enum": ["manual", "fully_automated"]},
        "needs": lines,
        "parent": {"type": ["string", "null"]},
    }));
    let risk = object(json!({"risk": {"type": "string"}, "response": {"type": "string"}}));
    let cost = object(json!({
        "currency": {"type": "string"},
        "low": {"type": "number"},
        "high": {"type": "number"},
        "basis": {"type": "string"},
    }));
    // What a template wants to know is its own affair; some providers take no object with fields that are not named, so it
    // is a list.
    let value = json!({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}, lines]});
    let mut template = object(json!({
        "ref": {"type": "string"},
        "inputs": {"type": "array", "items": object(json!({"name": {"type": "string"}, "value": value}))},
        "reason": {"type": "string"},
    }));
    if let Some(template) = template.as_object_mut() {
        template.insert("type".to_owned(), json!(["object", "null"]));
    }
    let list = |items: Value, what: &str, most: usize| json!({"type": "array", "items": items, "description": format!("{what}, at most {most}")});
    object(json!({
        "goal": {"type": "string"},
        "resources": list(json!({"type": "string"}), "What is there", MAX_LINES),
        "gaps": list(json!({"type": "string"}), "What is missing", MAX_LINES),
        "assumptions": list(json!({"type": "string"}), "What is taken for granted", MAX_LINES),
        "questions": list(question, &format!("Open questions, each with no choices or 2 to {MAX_CHOICES}"), MAX_QUESTIONS),
        "tasks": list(task, "Tasks", MAX_TASKS),
        "risks": list(risk, "Risks", MAX_LINES),
        "cost": cost,
        "template": template,
    }))
}

/// All its fields are needed, and there are no others.
fn object(properties: Value) -> Value {
    let required: Vec<&String> = properties.as_object().map(|map| map.keys().collect()).unwrap_or_default();
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
}
