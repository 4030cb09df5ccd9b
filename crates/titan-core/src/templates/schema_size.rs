//! How large a schema is with its references followed, which is what it costs to look at a value: a part that is referred to
//! twice is looked at twice, and so a few lines that refer to each other can stand for more than any machine gets done.

use std::collections::BTreeMap;

use serde_json::Value;

/// Values of a schema, its references followed.
const MAX_NODES: usize = 10_000;
/// References that lead from one to the next.
const MAX_CHAIN: usize = 20;
/// An expression weighs more than a word: it is compiled, to up to a mebibyte.
const PATTERN: usize = 100;
/// Values of a schema times values that are looked at with it.
pub(super) const MAX_VISITS: usize = 20_000_000;
/// Values of a schema times bytes that are looked at with it, where all that is wrong is told.
pub(super) const MAX_TOLD: usize = 4 << 20;

/// Whether a reference is one that is followed here: from the top of the schema, by names.
pub(super) fn is_within(target: &str) -> bool {
    target.starts_with("#/") && !target.contains('%')
}

/// # Errors
/// That it is too large, or leads back to itself.
pub(super) fn of(schema: &Value) -> Result<usize, String> {
    let nodes = Walk { schema, known: BTreeMap::new(), open: Vec::new() }.value(schema)?;
    if nodes > MAX_NODES {
        return Err(format!(
            "must have at most {MAX_NODES} values where each $ref counts as what it leads to, and an expression as {PATTERN}; refer to less"
        ));
    }
    Ok(nodes)
}

/// How many values there are in this one, itself included.
pub(super) fn values(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(values).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(values).sum::<usize>(),
        _ => 1,
    }
}

struct Walk<'s> {
    schema: &'s Value,
    /// What was referred to before, so that nothing is counted a second time.
    known: BTreeMap<&'s str, usize>,
    /// The references that lead to where the walk is.
    open: Vec<&'s str>,
}

impl<'s> Walk<'s> {
    fn value(&mut self, value: &'s Value) -> Result<usize, String> {
        let mut sum: usize = 1;
        match value {
            Value::Array(items) => {
                for item in items {
                    sum = sum.saturating_add(self.value(item)?);
                }
            }
            Value::Object(map) => {
                for (name, inner) in map {
                    let more = match (name.as_str(), inner) {
                        ("$ref", Value::String(target)) => self.target(target)?,
                        ("pattern", Value::String(_)) => PATTERN,
                        ("patternProperties", Value::Object(patterns)) => PATTERN.saturating_mul(patterns.len()),
                        _ => 0,
                    };
                    sum = sum.saturating_add(more).saturating_add(self.value(inner)?);
                }
            }
            _ => {}
        }
        Ok(sum)
    }

    fn target(&mut self, target: &'s str) -> Result<usize, String> {
        if let Some(nodes) = self.known.get(target) {
            return Ok(*nodes);
        }
        if self.open.contains(&target) {
            return Err(format!(
                "must not lead back to itself, as {target} does; say how deep it may go by writing it out"
            ));
        }
        if self.open.len() == MAX_CHAIN {
            return Err(format!("must have at most {MAX_CHAIN} references that lead from one to the next"));
        }
        // Where it leads to nothing, the schema is refused for that.
        let place = target.strip_prefix('#').and_then(|path| self.schema.pointer(path));
        self.open.push(target);
        let nodes = place.map_or(Ok(0), |place| self.value(place))?;
        self.open.pop();
        self.known.insert(target, nodes);
        Ok(nodes)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    /// Each part is the next one twice.
    fn doubled(times: usize) -> Value {
        let part = |index: usize| {
            let next = json!({"$ref": format!("#/$defs/a{}", index + 1)});
            (format!("a{index}"), json!({"allOf": [next, next]}))
        };
        let mut parts: Map<String, Value> = (0..times).map(part).collect();
        parts.insert(format!("a{times}"), json!({"type": "string"}));
        json!({"$defs": parts, "properties": {"x": {"$ref": "#/$defs/a0"}}})
    }

    #[test]
    fn what_is_referred_to_counts_as_often_as_it_is() {
        assert!(of(&doubled(4)).is_ok());
        assert!(of(&doubled(15)).unwrap_err().contains("at most 10000 values"));
        assert!(of(&doubled(40)).unwrap_err().contains("at most 20 references"));
        let small = json!({"properties": {"x": {"type": "string"}}});
        assert_eq!((of(&small), values(&small)), (Ok(4), 4));
    }

    #[test]
    fn what_leads_back_to_itself_is_refused() {
        for circle in [
            json!({"$defs": {"a": {"$ref": "#/$defs/a"}}}),
            json!({"$defs": {"a": {"properties": {"x": {"$ref": "#/$defs/b"}}}, "b": {"items": {"$ref": "#/$defs/a"}}}}),
            json!({"properties": {"x": {"items": {"$ref": "#/properties/x"}}}}),
        ] {
            assert!(of(&circle).unwrap_err().contains("must not lead back to itself"));
        }
        assert!(!is_within("#") && !is_within("http://x") && !is_within("#/%24defs/a") && is_within("#/$defs/a"));
    }
}
