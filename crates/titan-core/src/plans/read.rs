//! Reads a plan from JSON that a model wrote, and finds everything that is wrong with it at once, so that one repair may
//! mend all of it. What the parts must have to do with each other is looked at by [`super::rules`], once each of them can be
//! read.

use serde_json::{Value, json};

use super::content::{
    MAX_CHOICES, MAX_COST, MAX_GOAL, MAX_KEY, MAX_LINE, MAX_LINES, MAX_NEEDS, MAX_QUESTIONS, MAX_TASK, MAX_TASKS,
    MAX_TITLE, PlanContent, PlanCost, PlanQuestion, PlanRisk, PlanTemplate, PlannedTask, SECTIONS,
};
use super::rules;
use crate::sales::checked_currency;
use crate::state::ExecutionType;
use crate::templates::place::{Place, kind, one_of, pointer};
use crate::templates::{Catalogue, Problem, Problems};
use crate::workflow::PLANNED_TYPES;

/// What there is that a plan may name.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub templates: &'a Catalogue,
    /// What the project is called: a template's title, unless its inputs say another.
    pub project: &'a str,
    /// What the project says of itself, for inputs that a plan does not say.
    pub spec: &'a Value,
}

/// The plan in the answer of a model: an object, whatever stands around it.
///
/// # Errors
/// Everything that is wrong with it, each with its place and with what would be right.
pub fn read(answer: &str, known: Known<'_>) -> Result<PlanContent, Vec<Problem>> {
    let json = object_in(answer)?;
    let value: Value = serde_json::from_str(json).map_err(|error| {
        let near = error
            .line()
            .checked_sub(1)
            .and_then(|line| json.lines().nth(line))
            .map(|line| around(line, error.column()));
        let near = near.filter(|near| !near.is_empty()).map(|near| format!(", near {near:?}")).unwrap_or_default();
        let what = if error.is_eof() { "the JSON ends in the middle" } else { "this is not JSON" };
        whole(format!("{what}: {error}{near}; answer with one complete JSON object and nothing else"))
    })?;
    checked(&value, known)
}

/// Some models put their JSON between fences, or a sentence before it.
fn object_in(answer: &str) -> Result<&str, Vec<Problem>> {
    let begin = answer.find('{').ok_or_else(|| {
        let said = crate::text::head(answer.trim(), 60);
        let said = if said.is_empty() { "nothing".to_owned() } else { format!("{said:?}") };
        whole(format!("must be one JSON object with the fields {}, and is {said}", one_of(&SECTIONS)))
    })?;
    let end = answer.rfind('}').map_or(answer.len(), |end| end + 1);
    Ok(answer.get(begin..end).or_else(|| answer.get(begin..)).unwrap_or(answer))
}

fn whole(message: String) -> Vec<Problem> {
    vec![Problem { path: "/".to_owned(), message }]
}

/// Some characters before a place in a line.
fn around(line: &str, column: usize) -> String {
    const SHOWN: usize = 40;
    let before = line.chars().take(column).count().saturating_sub(SHOWN);
    line.chars().skip(before).take(SHOWN).collect()
}

/// The same for a value that could be read.
///
/// # Errors
/// As above.
pub fn checked(value: &Value, known: Known<'_>) -> Result<PlanContent, Vec<Problem>> {
    let mut problems = Problems::default();
    let root = Place::root(value);
    root.object(&mut problems, &SECTIONS);
    if !value.is_object() {
        return Err(problems.into_inner());
    }
    let content = PlanContent {
        goal: root
            .needed(&mut problems, "goal", "a sentence")
            .map(|p| p.text(&mut problems, MAX_GOAL))
            .unwrap_or_default(),
        resources: lines(&root, "resources", &mut problems),
        gaps: lines(&root, "gaps", &mut problems),
        assumptions: lines(&root, "assumptions", &mut problems),
        questions: list(&root, "questions", MAX_QUESTIONS, question, &mut problems),
        tasks: list(&root, "tasks", MAX_TASKS, task, &mut problems),
        risks: list(&root, "risks", MAX_LINES, risk, &mut problems),
        cost: cost(&root, &mut problems),
        template: root.field("template").map(|place| template(&place, &mut problems)),
    };
    let content = problems.or(content)?;
    let mut problems = Problems::default();
    rules::check(&content, known, &mut problems);
    problems.or(content)
}

fn list<T>(
    root: &Place<'_>,
    name: &str,
    most: usize,
    read: fn(&Place<'_>, &mut Problems) -> T,
    problems: &mut Problems,
) -> Vec<T> {
    let Some(place) = root.needed(problems, name, "[]") else { return Vec::new() };
    place.items(problems, most).iter().map(|item| read(item, problems)).collect()
}

fn lines(root: &Place<'_>, name: &str, problems: &mut Problems) -> Vec<String> {
    list(root, name, MAX_LINES, |item, problems| item.text(problems, MAX_LINE), problems)
}

/// A list that may be left out.
fn words(place: &Place<'_>, name: &str, most: usize, chars: usize, problems: &mut Problems) -> Vec<String> {
    let Some(list) = place.field(name) else { return Vec::new() };
    list.items(problems, most).iter().map(|item| item.text(problems, chars)).collect()
}

fn text(place: &Place<'_>, name: &str, example: &str, most: usize, problems: &mut Problems) -> String {
    place.needed(problems, name, example).map(|field| field.text(problems, most)).unwrap_or_default()
}

fn key(place: &Place<'_>, problems: &mut Problems) -> String {
    let Some(field) = place.needed(problems, "key", "write-texts") else { return String::new() };
    let key = field.text(problems, MAX_KEY);
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !key.is_empty() && key.chars().count() <= MAX_KEY && !key.chars().all(fits) {
        field.wrong(
            problems,
            format!("must be lowercase letters, digits and hyphens, such as write-texts, and is {key:?}"),
        );
    }
    key
}

fn question(place: &Place<'_>, problems: &mut Problems) -> PlanQuestion {
    place.object(problems, &["key", "question", "choices", "blocks"]);
    PlanQuestion {
        key: key(place, problems),
        question: text(place, "question", "Who is it for?", MAX_LINE, problems),
        choices: words(place, "choices", MAX_CHOICES, MAX_TITLE, problems),
        blocks: words(place, "blocks", MAX_TASKS, MAX_KEY, problems),
    }
}

fn task(place: &Place<'_>, problems: &mut Problems) -> PlannedTask {
    place.object(problems, &["key", "title", "content", "type", "execution_type", "needs", "parent"]);
    PlannedTask {
        key: key(place, problems),
        title: text(place, "title", "Write the texts", MAX_TITLE, problems),
        content: text(place, "content", "what is to be done, in full", MAX_TASK, problems),
        task_type: task_type(place, problems),
        execution_type: execution_type(place, problems),
        needs: words(place, "needs", MAX_NEEDS, MAX_KEY, problems),
        parent: place.field("parent").map(|parent| parent.text(problems, MAX_KEY)),
    }
}

fn task_type(place: &Place<'_>, problems: &mut Problems) -> String {
    let Some(field) = place.needed(problems, "type", PLANNED_TYPES.first().copied().unwrap_or_default()) else {
        return String::new();
    };
    match field.value.as_str().filter(|word| PLANNED_TYPES.contains(word)) {
        Some(word) => word.to_owned(),
        None => {
            field.wrong(problems, format!("must be {}, and is {}", one_of(PLANNED_TYPES), kind(field.value)));
            String::new()
        }
    }
}

fn execution_type(place: &Place<'_>, problems: &mut Problems) -> ExecutionType {
    const KNOWN: [ExecutionType; 2] = [ExecutionType::Manual, ExecutionType::FullyAutomated];
    let Some(field) = place.needed(problems, "execution_type", "fully_automated") else { return ExecutionType::Manual };
    let word = field.value.as_str().and_then(|word| word.parse::<ExecutionType>().ok());
    word.filter(|word| KNOWN.contains(word)).unwrap_or_else(|| {
        let known = KNOWN.map(ExecutionType::as_str);
        field.wrong(problems, format!("must be {}, and is {}", one_of(&known), kind(field.value)));
        ExecutionType::Manual
    })
}

fn risk(place: &Place<'_>, problems: &mut Problems) -> PlanRisk {
    place.object(problems, &["risk", "response"]);
    PlanRisk {
        risk: text(place, "risk", "The photos come late", MAX_LINE, problems),
        response: text(place, "response", "Begin with drawings", MAX_LINE, problems),
    }
}

fn cost(root: &Place<'_>, problems: &mut Problems) -> PlanCost {
    let example = json!({"currency": "EUR", "low": 0, "high": 20, "basis": "a domain for a year"}).to_string();
    let nothing = PlanCost { currency: String::new(), low: 0.0, high: 0.0, basis: String::new() };
    let Some(place) = root.needed(problems, "cost", &example) else { return nothing };
    if place.object(problems, &["currency", "low", "high", "basis"]).is_none() {
        return nothing;
    }
    let currency = match place.needed(problems, "currency", "EUR") {
        Some(field) => {
            let code = field.text(problems, MAX_KEY);
            checked_currency(&code).unwrap_or_else(|_| {
                field.wrong(problems, format!("must be a currency of ISO 4217 such as EUR or USD, and is {code:?}"));
                code
            })
        }
        None => String::new(),
    };
    PlanCost {
        currency,
        low: amount(&place, "low", problems),
        high: amount(&place, "high", problems),
        basis: text(&place, "basis", "a domain for a year", MAX_LINE, problems),
    }
}

fn amount(place: &Place<'_>, name: &str, problems: &mut Problems) -> f64 {
    let Some(field) = place.needed(problems, name, "20") else { return 0.0 };
    field.value.as_f64().filter(|amount| (0.0..=MAX_COST).contains(amount)).unwrap_or_else(|| {
        field.wrong(problems, format!("must be a number from 0 to {MAX_COST}, and is {}", kind(field.value)));
        0.0
    })
}

fn template(place: &Place<'_>, problems: &mut Problems) -> PlanTemplate {
    place.object(problems, &["ref", "inputs", "reason"]);
    let inputs = place.field("inputs").map_or_else(|| json!({}), |inputs| inputs_in(&inputs, problems));
    check_storable(&inputs, &pointer(&place.path, "inputs"), problems);
    PlanTemplate {
        reference: text(place, "ref", "static-site", MAX_TITLE, problems),
        inputs,
        reason: text(place, "reason", "a few pages that seldom change", MAX_LINE, problems),
    }
}

/// Values are the template's to judge, but Postgres stores no NUL, wherever it stands.
fn check_storable(value: &Value, path: &str, problems: &mut Problems) {
    let mut check = |text: &str| {
        if text.contains('\0') {
            problems.add(path, "must not contain NUL characters");
        }
    };
    match value {
        Value::String(text) => check(text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_storable(item, &pointer(path, &index.to_string()), problems);
            }
        }
        Value::Object(map) => {
            map.keys().for_each(|name| check(name));
            for (name, item) in map {
                check_storable(item, &pointer(path, name), problems);
            }
        }
        _ => {}
    }
}

/// An object, or the list of names and values that a model is asked for in its place.
fn inputs_in(place: &Place<'_>, problems: &mut Problems) -> Value {
    match place.value {
        Value::Object(_) => place.value.clone(),
        Value::Array(_) => {
            let pair = |item: &Place<'_>, problems: &mut Problems| {
                item.object(problems, &["name", "value"]);
                let value = item.field("value").map_or(Value::Null, |value| value.value.clone());
                (text(item, "name", "title", MAX_KEY, problems), value)
            };
            let items = place.items(problems, MAX_LINES);
            Value::Object(items.iter().map(|item| pair(item, problems)).collect())
        }
        other => {
            place.wrong(
                problems,
                format!("must be a list such as [{{\"name\": \"title\", \"value\": \"Tea\"}}], and is {}", kind(other)),
            );
            json!({})
        }
    }
}
