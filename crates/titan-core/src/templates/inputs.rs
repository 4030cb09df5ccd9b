//! What a template wants to know, as a JSON Schema, and what a project says to it. Nothing is ever fetched: a schema may refer to
//! its own parts only.

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::MAX_INPUTS;
use super::place::{Place, kind, one_of, pointer};
use super::problem::{Problem, Problems, one};
use super::schema_size;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Bytes of an expression when it is compiled.
const MAX_PATTERN: usize = 1 << 20;
/// Inputs of a template.
const MAX_NAMES: usize = 50;

/// Reads the schema of a manifest; one that knows no inputs, when there is none.
pub(super) fn read(root: &Place<'_>, problems: &mut Problems) -> Value {
    let nothing = json!({"type": "object", "properties": {}});
    let Some(place) = root.field("inputs") else { return nothing };
    let before = problems.len();
    check_top(&place, problems);
    match schema_size::of(place.value) {
        Ok(_) => check_references(&place, problems),
        Err(why) => place.wrong(problems, why),
    }
    if problems.len() == before {
        check_schema(&place, problems);
    }
    if problems.len() == before {
        check_defaults(&place, problems);
    }
    place.value.clone()
}

/// The inputs that a schema names.
pub(super) fn names(schema: &Value) -> Vec<&str> {
    properties(schema).map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties")?.as_object()
}

fn required(schema: &Value) -> Vec<&str> {
    let list = schema.get("required").and_then(Value::as_array);
    list.map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

fn check_top(place: &Place<'_>, problems: &mut Problems) {
    if !place.value.is_object() {
        let message =
            format!("must be a JSON Schema such as {{type: object, properties: {{}}}}, and is {}", kind(place.value));
        place.wrong(problems, message);
        return;
    }
    if place.value.get("type").and_then(Value::as_str) != Some("object") {
        problems.add(pointer(&place.path, "type"), "must be object: inputs have names");
    }
    if let Some(schema) = place.field("$schema")
        && schema.value.as_str().map(|name| name.trim_end_matches('#')) != Some(DRAFT)
    {
        schema.wrong(problems, format!("must be {DRAFT} or left out, and is {}", kind(schema.value)));
    }
    let Some(properties) = place.field("properties") else { return };
    for (name, property) in properties.entries(problems, MAX_NAMES) {
        check_property(name, &property, &required(place.value), problems);
    }
}

fn check_property(name: &str, property: &Place<'_>, required: &[&str], problems: &mut Problems) {
    let is_name = name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !is_name {
        property.wrong(problems, "must be named by a-z, 0-9 and _, such as base_url, so that files can name it");
    }
    if !property.value.is_object() {
        property.wrong(problems, format!("must be a schema such as {{type: string}}, and is {}", kind(property.value)));
        return;
    }
    if !required.contains(&name) && property.value.get("default").is_none() {
        property.wrong(problems, "must be in the list required, or have a default: files could not be made without it");
    }
}

/// What gives names to parts of a schema or leads to them, beside a plain `$ref`.
const NOT_HERE: [&str; 7] =
    ["$id", "$vocabulary", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef"];

/// Whatever leads out of the schema, and expressions that the schema of schemas lets pass.
fn check_references(place: &Place<'_>, problems: &mut Problems) {
    match place.value {
        Value::Object(map) => {
            for (name, value) in map {
                let inner = Place { value, path: pointer(&place.path, name) };
                let leads_out = value.as_str().is_some_and(|target| !schema_size::is_within(target));
                if name == "$ref" && leads_out {
                    inner.wrong(
                        problems,
                        format!("must lead to a part of this schema, such as #/$defs/size, and is {}", kind(value)),
                    );
                } else if NOT_HERE.contains(&name.as_str()) {
                    inner.wrong(problems, "cannot be used here; leave it out");
                } else if name == "format" && value.as_str() == Some("regex") {
                    inner.wrong(problems, "cannot be regex: a project's expressions are compiled by nobody");
                } else if name == "pattern"
                    && value.is_string()
                    && let Err(error) = validator(&json!({"pattern": value}))
                {
                    inner.wrong(
                        problems,
                        format!("is not an expression that is matched in linear time: {}", in_words(&error)),
                    );
                }
                check_references(&inner, problems);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                check_references(&Place { value, path: pointer(&place.path, &index.to_string()) }, problems);
            }
        }
        _ => {}
    }
}

fn check_schema(place: &Place<'_>, problems: &mut Problems) {
    let before = problems.len();
    for error in jsonschema::draft202012::meta::validator().iter_errors(place.value) {
        let path = format!("{}{}", place.path, error.instance_path());
        let message = match error.kind() {
            Kind::AnyOf { .. } if path.ends_with("/type") => {
                let known = one_of(&["string", "number", "integer", "boolean", "array", "object", "null"]);
                format!("must be {known}, or a list of these, and is {}", kind(error.instance()))
            }
            _ => in_words(&error),
        };
        problems.add(path, message);
    }
    if problems.len() == before
        && let Err(error) = validator(place.value)
    {
        problems.add(format!("{}{}", place.path, error.instance_path()), crate::error::one_line(&error.to_string()));
    }
}

fn check_defaults(place: &Place<'_>, problems: &mut Problems) {
    let mut schema = place.value.clone();
    // Each default by itself: what is required and has none is not missed here.
    if let Some(map) = schema.as_object_mut() {
        map.remove("required");
    }
    let (Ok(validator), Some(properties)) = (validator(&schema), properties(place.value)) else { return };
    for (name, property) in properties {
        let Some(default) = property.get("default") else { continue };
        let instance = json!({name: default});
        let path = format!("{}/properties/{name}/default", place.path);
        for problem in wrong_with(&validator, &schema, &instance) {
            problems.add(&path, problem.message);
        }
    }
}

/// What of this the schema does not allow. A look at all of it comes first, since what is wrong is found with a copy of each
/// value that it is about: it is told in full only where that is little.
fn wrong_with(validator: &Validator, schema: &Value, instance: &Value) -> Vec<Problem> {
    let nodes = schema_size::of(schema).unwrap_or(usize::MAX);
    let values = schema_size::values(instance);
    if nodes.saturating_mul(values) > schema_size::MAX_VISITS {
        return one("", format!("must have fewer values for a schema of this size, and has {values}"));
    }
    if validator.is_valid(instance) {
        return Vec::new();
    }
    let bytes = serde_json::to_vec(instance).map_or(usize::MAX, |bytes| bytes.len());
    if nodes.saturating_mul(bytes) > schema_size::MAX_TOLD {
        return one("", "does not fit the template's schema, and is too large to say where");
    }
    let mut problems = Problems::default();
    for error in validator.iter_errors(instance) {
        let path = error.instance_path().to_string();
        match error.kind() {
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                problems.add(pointer(&path, name), "is needed");
            }
            _ => problems.add(path, in_words(&error)),
        }
    }
    problems.into_inner()
}

/// Expressions are matched in linear time, whatever the schema's author wrote.
fn validator(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN))
        .should_validate_formats(true)
        .build(schema)
}

/// What a project says, with the defaults for what it does not say.
///
/// # Errors
/// What the schema does not allow; each problem's path begins with `inputs`.
pub(super) fn filled(schema: &Value, given: &Value) -> Result<Value, Vec<Problem>> {
    let Value::Object(given) = given else {
        return Err(one("inputs", format!("must be an object, and are {}", kind(given))));
    };
    let size = serde_json::to_vec(given).map_or(0, |bytes| bytes.len());
    if size > MAX_INPUTS {
        return Err(one("inputs", format!("must have at most {MAX_INPUTS} bytes, and have {size}")));
    }
    let mut inputs = given.clone();
    // Null is what a form sends for a field that was left empty.
    inputs.retain(|_, value| !value.is_null());
    for (name, property) in properties(schema).into_iter().flatten() {
        if let Some(default) = property.get("default").filter(|_| !inputs.contains_key(name)) {
            inputs.insert(name.clone(), default.clone());
        }
    }
    let inputs = Value::Object(inputs);
    let validator = validator(schema)
        .map_err(|error| one("inputs", format!("cannot be checked: {}", crate::error::one_line(&error.to_string()))))?;
    let mut problems = Problems::default();
    for problem in wrong_with(&validator, schema, &inputs) {
        problems.add(format!("inputs{}", problem.path), problem.message);
    }
    problems.or(inputs)
}

/// What a project tells a template: what is said for it, then what its spec says under the names that the schema knows, and its
/// name for a title. Whatever else a spec holds is about the project, and none of the template's business.
#[must_use]
pub fn inputs_for(schema: &Value, project: &str, spec: &Value, given: &Map<String, Value>) -> Value {
    let mut inputs = given.clone();
    for name in names(schema) {
        let of_project = || match name {
            "title" => Some(super::language::line(project).into()),
            _ => None,
        };
        if !inputs.contains_key(name)
            && let Some(value) = spec.get(name).cloned().or_else(of_project)
        {
            inputs.insert(name.to_owned(), value);
        }
    }
    Value::Object(inputs)
}

/// What is wrong and what would be right. The value is not repeated when it is long.
fn in_words(error: &ValidationError<'_>) -> String {
    let given = kind(error.instance());
    match error.kind() {
        Kind::Type { kind } => {
            let expected = match kind {
                jsonschema::error::TypeKind::Single(one) => one.to_string(),
                jsonschema::error::TypeKind::Multiple(_) => "of another type".to_owned(),
            };
            format!("must be {}, and is {given}", type_in_words(&expected))
        }
        Kind::Enum { options } => format!("must be one of {options}, and is {given}"),
        Kind::Constant { expected_value } => format!("must be {expected_value}, and is {given}"),
        Kind::MinLength { limit: 1 } => "must not be empty".to_owned(),
        Kind::MinLength { limit } => format!("must have at least {limit} characters"),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters"),
        Kind::MinItems { limit } => format!("must have at least {limit} entries"),
        Kind::MaxItems { limit } => format!("must have at most {limit} entries"),
        Kind::UniqueItems => "must not have an entry twice".to_owned(),
        Kind::Minimum { limit } => format!("must be at least {limit}, and is {given}"),
        Kind::Maximum { limit } => format!("must be at most {limit}, and is {given}"),
        Kind::Pattern { pattern } => format!("must match {pattern}, and is {given}"),
        Kind::Format { format } => format!("must be of the form {format}, and is {given}"),
        Kind::AdditionalProperties { unexpected } => format!("must not have the field {}", unexpected.join(", ")),
        Kind::Required { property } => format!("must have the field {property}"),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            format!("fits none of the forms that it may have, and is {given}")
        }
        _ => crate::text::head(&crate::error::one_line(&error.to_string()), 300).to_owned(),
    }
}

fn type_in_words(name: &str) -> &str {
    match name {
        "string" => "a text",
        "object" => "an object",
        "array" => "a list",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "null" => "null",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["title"],
            "properties": {
                "title": {"type": "string", "minLength": 1, "maxLength": 10},
                "port": {"type": "integer", "minimum": 1, "default": 80},
                "features": {"type": "array", "items": {"type": "string"}, "default": []},
            }
        })
    }

    #[test]
    fn defaults_fill_what_was_not_said() {
        let inputs = filled(&schema(), &json!({"title": "T", "port": null, "other": 1})).unwrap();
        assert_eq!(inputs, json!({"title": "T", "port": 80, "features": [], "other": 1}));
    }

    #[test]
    fn each_input_that_is_wrong_is_named() {
        let wrong = |given: Value| {
            let problems = filled(&schema(), &given).unwrap_err();
            problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect::<Vec<_>>()
        };
        assert_eq!(wrong(json!({})), ["inputs/title: is needed"]);
        assert_eq!(wrong(json!([])), ["inputs: must be an object, and are a list"]);
        assert_eq!(
            wrong(json!({"title": "", "port": "x", "features": [7]})),
            [
                "inputs/features/0: must be a text, and is the number 7",
                "inputs/port: must be a whole number, and is the text \"x\"",
                "inputs/title: must not be empty",
            ]
        );
    }
}
