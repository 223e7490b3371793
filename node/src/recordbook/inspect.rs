//! The book's rows as an inspector sees them: what each one is, by its place and by what it opens to.

use super::codec::{Person, Sealed};
use super::layout::{ERASING, KEYRING, Kind, aad, category_of, erasing, parse_row};
use crate::keyring::{KeyId, KeyRing};
use crate::store::{Keyspace, Snapshot};

/// A row of the book.
pub(crate) struct BookRow {
    /// What it is.
    pub(crate) class: &'static str,
    /// Numbers and ids in it.
    pub(crate) identifiers: Vec<String>,
    /// What it says.
    pub(crate) content: Vec<u8>,
}

impl BookRow {
    const fn plain(class: &'static str) -> Self {
        Self { class, identifiers: Vec::new(), content: Vec::new() }
    }
}

/// What a row is; `None` where it is nothing the book would have put there.
pub(crate) fn attribute(
    keys: &KeyRing,
    view: &dyn Snapshot,
    table: Keyspace,
    key: &[u8],
    value: &[u8],
) -> Option<BookRow> {
    match (table, key.split_first()?) {
        (Keyspace::Subjects, (b's', id)) => person(keys, table, key, id, value),
        (Keyspace::Groups, (b'g', id)) => group(keys, table, key, id, value),
        (Keyspace::Subjects | Keyspace::Groups, (b'n', digest)) => lookup(view, table, digest, value),
        (Keyspace::Groups, (b'm' | b's', ids)) => member(keys, view, ids, value),
        (Keyspace::Records, _) => record(keys, key, value),
        (Keyspace::Meta, _) => about_the_node(key, value),
        _ => None,
    }
}

fn id_of(bytes: &[u8]) -> Option<KeyId> {
    bytes.try_into().ok().map(KeyId::from_bytes)
}

/// A digest leads to the very row that names it.
fn lookup(view: &dyn Snapshot, table: Keyspace, digest: &[u8], value: &[u8]) -> Option<BookRow> {
    let kind = if table == Keyspace::Subjects { Kind::Person } else { Kind::Group };
    let row = view.get(table, &kind.row(id_of(value)?)).ok()??;
    let (own, _) = parse_row(&row, "the row of an index").ok()?;
    (own == digest).then(|| BookRow::plain("index of the record book"))
}

/// Group and person are there, or the erasure of the person is under way; the row says nothing else.
fn member(keys: &KeyRing, view: &dyn Snapshot, ids: &[u8], value: &[u8]) -> Option<BookRow> {
    let (one, other) = ids.split_at_checked(16)?;
    let (one, other) = (id_of(one)?, id_of(other)?);
    let there = |id: KeyId| {
        id != KeyId::NODE
            && (keys.contains(id) || matches!(view.get(Keyspace::Meta, &erasing(id)), Ok(Some(_))))
    };
    (value.is_empty() && there(one) && there(other)).then(|| BookRow::plain("member of a group"))
}

fn person(keys: &KeyRing, table: Keyspace, key: &[u8], id: &[u8], value: &[u8]) -> Option<BookRow> {
    let (_, sealed) = parse_row(value, "a subject").ok()?;
    let opened = keys.open_sealed(id_of(id)?, &aad(table, key), sealed).ok()?;
    let person = Person::decode(&opened).ok()?;
    let facts = person.facts.as_ref().map(|facts| format!("{} {}", facts.name, facts.birth_date));
    Some(BookRow {
        class: "subject",
        content: format!("{} {}", person.local_number, facts.unwrap_or_default()).into_bytes(),
        identifiers: vec![person.local_number, hex::encode(id)],
    })
}

fn group(keys: &KeyRing, table: Keyspace, key: &[u8], id: &[u8], value: &[u8]) -> Option<BookRow> {
    let (_, sealed) = parse_row(value, "a group").ok()?;
    let opened = keys.open_sealed(id_of(id)?, &aad(table, key), sealed).ok()?;
    let text = str::from_utf8(&opened).is_ok();
    text.then(|| BookRow { class: "group", identifiers: vec![hex::encode(id)], content: opened.to_vec() })
}

fn record(keys: &KeyRing, key: &[u8], value: &[u8]) -> Option<BookRow> {
    let category = category_of(key)?;
    let owner = id_of(key.get(..16)?)?;
    (key.len() == 16 + 1 + category.wire_name().len() + 16).then_some(())?;
    let opened = keys.open_sealed(owner, &aad(Keyspace::Records, key), value).ok()?;
    let record = Sealed::decode(&opened).ok()?;
    Some(BookRow { class: "record", identifiers: vec![record.id.clone()], content: record.content })
}

fn about_the_node(key: &[u8], value: &[u8]) -> Option<BookRow> {
    if let Some(counted) = key.strip_prefix(b"book/count/") {
        let name = str::from_utf8(counted).ok()?;
        let known = ["subjects", "groups"].contains(&name)
            || name
                .strip_prefix("records/")
                .is_some_and(|category| hibiki_records::category::Category::from_wire(category).is_some());
        return (known && value.len() == 8).then(|| BookRow::plain("count"));
    }
    if let Some(subject) = key.strip_prefix(ERASING) {
        return (subject.len() == 16 && value.is_empty()).then(|| BookRow::plain("erasure under way"));
    }
    (key == KEYRING && value.len() == 32).then(|| BookRow::plain("mark of the keyring"))
}
