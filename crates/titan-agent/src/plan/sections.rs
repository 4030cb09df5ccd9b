//! The fields of a JSON object, each as soon as the last character of its value has come. A scanner of its own, because
//! readers of JSON want all of it, or read what they have from its beginning again with each piece: this one looks at each
//! character once.

use serde_json::Value;

/// Bytes of a value that is shown before all of the answer is there, and of what may stand before the object.
const MOST: usize = 256 << 10;

/// Fed piece by piece.
#[derive(Debug, Default)]
pub struct Sections {
    state: State,
    /// How many lists and objects are open, the outermost not counted.
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The text of the key or of the value so far.
    text: String,
    key: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the object.
    #[default]
    Before,
    /// Before a key, or the end.
    Between,
    Key,
    /// Between a key and its value.
    Colon,
    Value,
    /// After the object, or where nothing makes sense any more.
    After,
}

impl Sections {
    /// The fields that are whole with this piece.
    pub fn push(&mut self, piece: &str) -> Vec<(String, Value)> {
        let mut whole = Vec::new();
        for c in piece.chars() {
            whole.extend(self.step(c));
        }
        whole
    }

    fn step(&mut self, c: char) -> Option<(String, Value)> {
        match self.state {
            State::Before if c == '{' => self.state = State::Between,
            State::Between if c == '"' => {
                self.text.clear();
                self.text.push(c);
                self.in_string = true;
                self.state = State::Key;
            }
            State::Between if c == '}' => self.state = State::After,
            State::Key => {
                self.take(c);
                if !self.in_string {
                    self.key = serde_json::from_str(&self.text).unwrap_or_default();
                    self.state = State::Colon;
                }
            }
            State::Colon if c == ':' => {
                self.text.clear();
                self.depth = 0;
                self.state = State::Value;
            }
            State::Value => return self.value(c),
            _ => {}
        }
        None
    }

    fn value(&mut self, c: char) -> Option<(String, Value)> {
        if !self.in_string && self.depth == 0 && matches!(c, ',' | '}') {
            self.state = if c == ',' { State::Between } else { State::After };
            let value = serde_json::from_str(&self.text).ok()?;
            return Some((std::mem::take(&mut self.key), value));
        }
        if !self.in_string {
            match c {
                '[' | '{' => self.depth += 1,
                ']' | '}' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        self.take(c);
        None
    }

    /// Keeps a character, and knows whether it stands in a string.
    fn take(&mut self, c: char) {
        match c {
            _ if self.escaped => self.escaped = false,
            '\\' if self.in_string => self.escaped = true,
            '"' => self.in_string = !self.in_string,
            _ => {}
        }
        self.text.push(c);
        if self.text.len() > MOST {
            self.state = State::After;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn all(text: &str, chars: usize) -> Vec<(String, Value)> {
        let mut sections = Sections::default();
        let chars: Vec<String> = text.chars().collect::<Vec<_>>().chunks(chars).map(|c| c.iter().collect()).collect();
        chars.iter().flat_map(|piece| sections.push(piece)).collect()
    }

    #[test]
    fn a_section_is_told_when_it_is_whole() {
        let mut sections = Sections::default();
        assert!(sections.push("Here:\n```json\n{\"goal\": \"a \\\"b\\\" {").is_empty());
        assert_eq!(sections.push("c\","), [("goal".to_owned(), json!("a \"b\" {c"))]);
        assert!(sections.push("\"gaps\": [\"x\", {\"y\": [1, 2]}").is_empty());
        assert_eq!(
            sections.push("], \"n\": 7}"),
            [("gaps".to_owned(), json!(["x", {"y": [1, 2]}])), ("n".to_owned(), json!(7))]
        );
        assert!(sections.push("``` and {\"more\": 1}").is_empty());
    }

    #[test]
    fn what_is_broken_is_not_told() {
        assert!(all("{\"goal\": nonsense, \"gaps\": [1}", 3).is_empty());
        assert!(all("no object at all", 3).is_empty());
        assert_eq!(all("{\"a\": 1, \"b\": [2, ", 1), [("a".to_owned(), json!(1))]);
    }

    proptest! {
        #[test]
        fn any_object_is_told_whole_in_pieces_of_any_size(
            map in proptest::collection::btree_map("\\PC{1,8}", json_value(), 0..6),
            chars in 1usize..9,
        ) {
            let object: serde_json::Map<String, Value> = map.into_iter().collect();
            let told: serde_json::Map<String, Value> = all(&Value::Object(object.clone()).to_string(), chars).into_iter().collect();
            prop_assert_eq!(told, object);
        }
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "\\PC{0,12}|[\\[\\]{}\",:\\\\ ]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-z\"]{0,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
