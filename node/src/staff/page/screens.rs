//! The pages: which commands each asks for its tables, and which it gives by its forms. Here is what pages are made of;
//! each has a file of its own.

mod alerts;
mod classes;
mod days;
mod events;
mod hand_ins;
mod mails;
mod menus;
mod notices;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::staff::{Role, permits::permits};

/// A page.
pub(super) struct Screen {
    pub(super) slug: &'static str,
    pub(super) title: &'static str,
    pub(super) asks: &'static [Ask],
    pub(super) forms: &'static [Form],
    /// Fields that say what the page is about.
    pub(super) keeps: &'static [&'static str],
}

impl Screen {
    /// Whether there is anything on it for these roles.
    pub(super) fn is_for(&self, roles: &[Role]) -> bool {
        let asks = self.asks.iter().map(|ask| ask.command);
        asks.chain(self.forms.iter().map(|form| form.command)).any(|command| permits(roles, command))
    }
}

/// A command whose answer becomes tables.
pub(super) struct Ask {
    pub(super) command: &'static str,
    /// Its arguments, from the address; `None`: not asked.
    pub(super) arguments: fn(&BTreeMap<String, String>) -> Option<Value>,
    pub(super) table: fn(&Value) -> Vec<Table>,
}

/// A form.
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) command: &'static str,
    pub(super) title: &'static str,
    pub(super) fields: &'static [Field],
    pub(super) button: &'static str,
    /// What is said when it is done.
    pub(super) said: fn(&Value) -> String,
}

/// A field.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

/// What is put into a field.
pub(super) enum Kind {
    Line,
    Text,
    Day,
    Tick,
    /// Several words.
    Words,
    /// Allergens by their short names, `:strict` after one.
    Allergens,
    Choice(&'static [(&'static str, &'static str)]),
    File,
    /// The name of the file, as an argument.
    FileName,
}

/// A table.
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) columns: &'static [&'static str],
    pub(super) rows: Vec<Row>,
}

/// A line of a table.
pub(super) struct Row {
    /// Where its first cell leads.
    pub(super) link: Option<String>,
    pub(super) cells: Vec<String>,
}

const fn field(name: &'static str, label: &'static str, kind: Kind) -> Field {
    Field { name, label, kind, required: true }
}

const fn may(name: &'static str, label: &'static str, kind: Kind) -> Field {
    Field { name, label, kind, required: false }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "○".to_owned(),
        Value::Bool(false) => String::new(),
        other => other.to_string(),
    }
}

fn joined(value: &Value, between: &str) -> String {
    value.as_array().map(|list| list.iter().map(text).collect::<Vec<_>>().join(between)).unwrap_or_default()
}

fn rows(value: &Value, list: &str, row: fn(&Value) -> Row) -> Vec<Row> {
    value[list].as_array().into_iter().flatten().map(row).collect()
}

fn plain(cells: Vec<String>) -> Row {
    Row { link: None, cells }
}

fn nothing(_: &BTreeMap<String, String>) -> Option<Value> {
    Some(json!({}))
}

fn about(query: &BTreeMap<String, String>, names: &[&str]) -> Option<Value> {
    let found = names.iter().map(|name| Some(((*name).to_owned(), json!(query.get(*name)?))));
    found.collect::<Option<serde_json::Map<String, Value>>>().map(Value::Object)
}

/// Bytes of a query's value as an address has them.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn done(_: &Value) -> String {
    "しました / Done.".to_owned()
}

/// Every page, in the order of the menu.
pub(super) const SCREENS: &[Screen] = &[
    menus::SCREEN,
    alerts::SCREEN,
    mails::SCREEN,
    notices::SCREEN,
    hand_ins::SCREEN,
    events::SCREEN,
    classes::SCREEN,
    days::SCREEN,
];
