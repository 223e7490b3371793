//! JSON that is printed held against the tables of the document that describes it, as `docs/view-json.md`.
//!
//! The document is the schema: what it does not list is an error, what it calls `always` must be there. Must
//! not know what the program meant to print.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What the document says of one key.
#[derive(Clone, Debug)]
struct Entry {
    kind: String,
    always: bool,
}

/// The document's tables.
#[derive(Debug)]
pub struct Schema {
    keys: BTreeMap<String, Entry>,
    outcomes: BTreeSet<String>,
}

impl Schema {
    /// Reads the tables out of the document.
    pub fn read(document: &str) -> Self {
        let mut schema = Self { keys: BTreeMap::new(), outcomes: BTreeSet::new() };
        for row in document.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            let name =
                cells.first().map(|cell| cell.trim_matches(['`', ' ', '|'])).unwrap_or_default().to_owned();
            match cells.as_slice() {
                [_, kind, there, ..] => {
                    let entry = Entry { kind: (*kind).to_owned(), always: *there == "always" };
                    schema.keys.insert(name, entry);
                }
                _ => {
                    schema.outcomes.insert(name);
                }
            }
        }
        schema
    }

    /// Everything about a view that the document does not allow.
    pub fn faults(&self, view: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.object("", view, &mut faults);
        faults
    }

    fn object(&self, path: &str, value: &Value, faults: &mut Vec<String>) {
        let Some(object) = value.as_object() else {
            faults.push(format!("{path} is no object"));
            return;
        };
        let full = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        for (key, value) in object {
            match self.keys.get(&full(key)) {
                None => faults.push(format!("{} is not documented", full(key))),
                Some(entry) => self.value(&full(key), &entry.kind, value, faults),
            }
        }
        let children = self.keys.iter().filter(|(key, _)| {
            key.strip_prefix(path).is_some_and(|rest| {
                let rest = rest.strip_prefix('.').unwrap_or(if path.is_empty() { rest } else { "." });
                !rest.contains('.')
            })
        });
        for (key, entry) in children {
            let name = key.rsplit('.').next().unwrap_or_default();
            if entry.always && !object.contains_key(name) {
                faults.push(format!("{key} is missing"));
            }
        }
    }

    fn value(&self, path: &str, kind: &str, value: &Value, faults: &mut Vec<String>) {
        let text = value.as_str();
        let fits = match kind {
            "object" => return self.object(path, value, faults),
            "array" => match value.as_array() {
                None => false,
                Some(elements) => {
                    elements.iter().for_each(|element| self.object(&format!("{path}[]"), element, faults));
                    true
                }
            },
            "strings" => value.as_array().is_some_and(|elements| elements.iter().all(Value::is_string)),
            "string" => text.is_some_and(|text| !text.is_empty()),
            "number" => value.is_u64(),
            "boolean" => value.is_boolean(),
            "day" => text.is_some_and(|text| shape(text) == "dddd-dd-dd"),
            "time" => text.is_some_and(|text| shape(text) == "dddd-dd-ddTdd:dd:dd.dddZ"),
            "outcome" => text.is_some_and(|text| self.outcomes.contains(text)),
            "any" => !value.is_null(),
            _ => false,
        };
        if !fits {
            faults.push(format!("{path} is not of type {kind}"));
        }
    }

    /// The outcomes the document lists.
    pub fn outcomes(&self) -> &BTreeSet<String> {
        &self.outcomes
    }
}

fn shape(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { 'd' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const DOCUMENT: &str = include_str!("../../docs/view-json.md");

    fn example() -> Value {
        let start = DOCUMENT.find("```json").unwrap() + 7;
        let text = &DOCUMENT[start..];
        serde_json::from_str(&text[..text.find("```").unwrap()]).unwrap()
    }

    #[test]
    fn the_documents_own_example_fits_its_tables() {
        let schema = Schema::read(DOCUMENT);
        assert_eq!(schema.faults(&example()), Vec::<String>::new());
        assert_eq!(schema.outcomes().len(), 10);
        assert!(serde_json::from_value::<crate::view::View>(example()).is_ok());
    }

    #[test]
    fn what_does_not_fit_is_found() {
        let schema = Schema::read(DOCUMENT);
        let spoilt = |pointer: &str, value: Value| {
            let mut view = example();
            *view.pointer_mut(pointer).unwrap() = value;
            schema.faults(&view)
        };
        assert_eq!(spoilt("/parts/0/outcome", "fine".into()), ["parts[].outcome is not of type outcome"]);
        assert_eq!(spoilt("/as_of", "2026-11-22".into()), ["as_of is not of type time"]);
        assert_eq!(spoilt("/parts/0/records", Value::Null), ["parts[].records is not of type array"]);
        let mut view = example();
        view["parts"][0]["patient_number"] = "1".into();
        view["coverage"].as_object_mut().unwrap().remove("busy");
        assert_eq!(
            schema.faults(&view),
            ["coverage.busy is missing", "parts[].patient_number is not documented"]
        );
    }
}
