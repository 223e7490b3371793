//! A form's fields as the arguments of its command.

use serde_json::{Map, Value, json};

use super::guard::Filled;
use super::screens::{Form, Kind};

/// The arguments; an empty field is an absent one.
pub(super) fn arguments(form: &Form, filled: &Filled) -> Value {
    let mut arguments = Map::new();
    for field in form.fields {
        let text = filled.one(field.name).map(str::trim).filter(|text| !text.is_empty());
        let value = match field.kind {
            Kind::Line | Kind::Text | Kind::Day | Kind::Choice(_) => text.map(|text| json!(text)),
            Kind::Tick => Some(json!(filled.one(field.name).is_some())),
            Kind::Words => {
                let words = filled.fields.get(field.name).into_iter().flatten();
                let words: Vec<&str> = words
                    .flat_map(|text| text.split([' ', '　', '、', ',', '\n', '\r']))
                    .filter(|it| !it.is_empty())
                    .collect();
                Some(json!(words))
            }
            Kind::Allergens => {
                let words = text.unwrap_or_default().split([' ', '　', '、', ',', '\n', '\r']);
                let list: Vec<Value> = words
                    .filter(|word| !word.is_empty())
                    .map(|word| match word.split_once(':') {
                        Some((id, "strict")) => json!({ "id": id, "strict": true }),
                        _ => json!({ "id": word, "strict": false }),
                    })
                    .collect();
                Some(json!(list))
            }
            Kind::FileName => filled.file_name.as_ref().map(|name| json!(name)),
            Kind::File => None,
        };
        if let Some(value) = value {
            arguments.insert(field.name.to_owned(), value);
        }
    }
    Value::Object(arguments)
}
