//! What the source declares: every structure, code and union on the wire, with its keys and types.

use std::fs;
use std::path::{Path, PathBuf};

/// What a declaration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Struct,
    Code,
    Union,
}

/// One entry: a field, a code or a variant.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: u64,
    pub(crate) name: String,
    /// The field's or variant's type; the stable name of a code.
    pub(crate) what: String,
}

/// One declaration of `wire_struct!`, `wire_code!` or `wire_union!`.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) entries: Vec<Entry>,
}

/// Every Rust file of the crate.
pub(crate) fn files() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// Every declaration in the source, except the macros' own definitions.
pub(crate) fn declared() -> Vec<Declared> {
    let mut all = Vec::new();
    for (path, text) in files() {
        if path.ends_with("cbor/macros.rs") {
            continue;
        }
        for (opening, kind) in
            [("wire_struct! {", Kind::Struct), ("wire_code! {", Kind::Code), ("wire_union! {", Kind::Union)]
        {
            for part in text.split(opening).skip(1) {
                let body = part.split("\n}").next().unwrap();
                all.push(declaration(kind, body));
            }
        }
    }
    all
}

fn declaration(kind: Kind, body: &str) -> Declared {
    let lines: Vec<&str> = body.lines().map(str::trim).collect();
    let head = lines.iter().find(|line| line.starts_with("pub struct ") || line.starts_with("pub enum "));
    let name = head.unwrap().split_whitespace().nth(2).unwrap().to_owned();
    let entries = lines.iter().filter_map(|line| entry(kind, line)).collect();
    Declared { kind, name, entries }
}

fn entry(kind: Kind, line: &str) -> Option<Entry> {
    let (key, rest) = line.trim_end_matches(',').split_once(" => ")?;
    let key = key.parse().ok()?;
    let (name, what) = match kind {
        Kind::Struct => rest.strip_prefix("pub ")?.split_once(": ")?,
        Kind::Code => rest.split_once(" = ").map(|(name, text)| (name, text.trim_matches('"')))?,
        Kind::Union => rest.strip_suffix(')')?.split_once('(')?,
    };
    Some(Entry { key, name: name.to_owned(), what: what.to_owned() })
}

/// Every type that is signed, with its label.
pub(crate) fn labels() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (_, text) in files() {
        for part in text.split("impl Signable for ").skip(1) {
            let name = part.split_whitespace().next().unwrap().to_owned();
            let label = part.split("LABEL: &'static str = \"").nth(1).unwrap().split('"').next().unwrap();
            found.push((name, label.to_owned()));
        }
    }
    found
}

#[test]
fn the_scanner_sees_every_macro_and_every_key() {
    let declared = declared();
    let written: usize = files()
        .iter()
        .filter(|(path, _)| !path.ends_with("cbor/macros.rs"))
        .map(|(_, text)| {
            text.lines()
                .filter(|line| {
                    ["wire_struct!", "wire_code!", "wire_union!"].iter().any(|name| line.starts_with(name))
                })
                .count()
        })
        .sum();
    assert_eq!(declared.len(), written);
    assert!(written >= 59, "only {written} declarations: is the scanner still reading the source?");
    for structure in &declared {
        assert!(!structure.entries.is_empty(), "{} has no entries", structure.name);
    }
    let query = declared.iter().find(|structure| structure.name == "Query").unwrap();
    assert_eq!(query.entries.len(), 13);
}

/// A signature for one purpose must not verify for another, nor a box open.
#[test]
fn labels_are_distinct_and_none_contains_the_separator() {
    let mut labels: Vec<String> = labels().into_iter().map(|(_, label)| label).collect();
    labels.push(hibiki_protocol::session::STATEMENT_LABEL.to_owned());
    let count = labels.len();
    assert!(count >= 9, "only {count} labels found");
    assert!(labels.iter().all(|label| label.starts_with("hibiki/1/") && !label.contains('\0')));
    labels.sort();
    labels.dedup();
    assert_eq!(labels.len(), count, "two structures are signed under one label");
}
