//! One row: which table it belongs to, and what it says.

use hibiki_protocol::cbor;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::trust::SignedTrustList;
use serde_json::Value;

use super::forms::{Body, FORMS, Form, Rest};
use super::identifiers;
use crate::keyring::{KeyError, KeyId, KeyRing};
use crate::recordbook::{self, BookRow};
use crate::store::Keyspace;
use crate::vault;

/// The class of what belongs to no table.
pub(super) const UNKNOWN: &str = "unknown";
/// The class of what a destroyed key sealed.
const ERASED: &str = "erased";

/// A row, attributed.
#[derive(Debug)]
pub(super) struct Attributed {
    pub(super) class: &'static str,
    pub(super) identifiers: Vec<String>,
    /// What it says, opened.
    pub(super) content: Vec<u8>,
}

impl Attributed {
    fn plain(class: &'static str) -> Self {
        Self { class, identifiers: Vec::new(), content: Vec::new() }
    }

    /// A row nobody can explain, its bytes as they are.
    fn unknown(key: &[u8], value: &[u8]) -> Self {
        Self { content: [key, b" ", value].concat(), ..Self::plain(UNKNOWN) }
    }
}

/// Attributes a row by its place, and by its bytes being what that place says.
pub(super) fn attribute(keys: &KeyRing, table: Keyspace, key: &[u8], value: &[u8]) -> Attributed {
    let explained = match table {
        Keyspace::Subjects | Keyspace::Groups | Keyspace::Records | Keyspace::Meta => {
            recordbook::attribute(keys, table, key, value).map(of_book)
        }
        Keyspace::TrustLists => trust_list(key, value),
        _ => FORMS
            .iter()
            .filter(|form| form.table == table && fits(form, key))
            .find_map(|form| of_vault(keys, form, key, value)),
    };
    explained.unwrap_or_else(|| Attributed::unknown(key, value))
}

fn of_book(row: BookRow) -> Attributed {
    Attributed { class: row.class, identifiers: row.identifiers, content: row.content }
}

/// A trust list is public; it stands under its number.
fn trust_list(key: &[u8], value: &[u8]) -> Option<Attributed> {
    (key.len() == 8).then_some(())?;
    cbor::decode::<SignedTrustList>(value).ok().map(|_| Attributed::plain("trust list"))
}

fn fits(form: &Form, key: &[u8]) -> bool {
    let Some(rest) = key.strip_prefix(form.prefix) else { return false };
    match form.rest {
        Rest::Exactly(bytes) => rest.len() == bytes,
        Rest::Member(after) => rest
            .get(after..)
            .and_then(|member| str::from_utf8(member).ok())
            .is_some_and(|member| member.parse::<MemberId>().is_ok()),
    }
}

/// A row of a vault: a mark has no value; anything else is sealed to its place and says what its form says.
fn of_vault(keys: &KeyRing, form: &Form, key: &[u8], value: &[u8]) -> Option<Attributed> {
    let Body::Sealed(fields) = form.body else {
        return value.is_empty().then(|| Attributed::plain(form.class));
    };
    let (id, sealed) = value.split_first_chunk::<16>()?;
    let opened = match keys.open_sealed(KeyId::from_bytes(*id), &vault::place(form.table, key), sealed) {
        Ok(opened) => opened,
        Err(KeyError::NoSuchKey) => return Some(Attributed::plain(ERASED)),
        Err(_) => return None,
    };
    let said: Value = serde_json::from_slice(&opened).ok()?;
    let object = said.as_object()?;
    let known = object.keys().all(|field| fields.contains(&field.as_str()));
    known.then(|| Attributed {
        class: form.class,
        identifiers: identifiers::in_json(&said).into_iter().collect(),
        content: opened.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::env::SystemEntropy;

    fn sealed(keys: &KeyRing, id: KeyId, table: Keyspace, key: &[u8], value: &Value) -> Vec<u8> {
        let bytes = serde_json::to_vec(value).unwrap();
        [id.as_bytes().as_slice(), &keys.seal(id, &vault::place(table, key), &bytes).unwrap()].concat()
    }

    #[test]
    fn a_row_is_what_its_place_says_or_unknown() {
        let keys = KeyRing::in_memory(Arc::new(SystemEntropy));
        let key = [b"c".as_slice(), &[7; 32]].concat();
        let consent = json!({ "category": null, "guardian": null, "by": "sato", "at": 1 });
        let row = sealed(&keys, KeyId::NODE, Keyspace::Consents, &key, &consent);
        let class = |table, key: &[u8], value: &[u8]| attribute(&keys, table, key, value).class;
        assert_eq!(class(Keyspace::Consents, &key, &row), "consent");
        // Elsewhere, changed, under a longer key, with a field nobody knows, or in the clear: not explained.
        assert_eq!(class(Keyspace::Holds, &key, &row), UNKNOWN);
        let other = [b"c".as_slice(), &[8; 32]].concat();
        assert_eq!(class(Keyspace::Consents, &other, &row), UNKNOWN);
        assert_eq!(class(Keyspace::Consents, &[key.as_slice(), b"parked"].concat(), &row), UNKNOWN);
        let parked = json!({ "category": null, "parked": "a record of somebody else" });
        let parked = sealed(&keys, KeyId::NODE, Keyspace::Consents, &key, &parked);
        assert_eq!(class(Keyspace::Consents, &key, &parked), UNKNOWN);
        assert_eq!(class(Keyspace::Consents, &key, b"a record of somebody else"), UNKNOWN);
        // A mark has no value.
        let mark = [b"s".as_slice(), &[1; 32]].concat();
        assert_eq!(class(Keyspace::Links, &mark, b""), "index of links");
        assert_eq!(class(Keyspace::Links, &mark, b"parked"), UNKNOWN);
        // What nobody can open any more is called so, and counted.
        let gone = keys.create().unwrap();
        let row = sealed(&keys, gone, Keyspace::Consents, &key, &consent);
        keys.destroy(gone).unwrap();
        assert_eq!(class(Keyspace::Consents, &key, &row), ERASED);
    }

    #[test]
    fn what_is_unknown_is_shown_as_it_is() {
        let keys = KeyRing::in_memory(Arc::new(SystemEntropy));
        let row = attribute(&keys, Keyspace::Meta, b"view-cache", b"parked");
        assert_eq!((row.class, row.content.as_slice()), (UNKNOWN, b"view-cache parked".as_slice()));
        assert_eq!(attribute(&keys, Keyspace::TrustLists, &[0; 8], b"parked").class, UNKNOWN);
    }
}
