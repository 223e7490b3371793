//! One row: which table it belongs to, and what it says.

use std::collections::BTreeSet;

use hibiki_protocol::cbor;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::trust::{SignedTrustList, TrustList};
use hibiki_records::date::CalendarDate;
use serde_json::Value;

use super::forms;
use super::identifiers;
use crate::keyring::{KeyError, KeyId, KeyRing, SEAL_OVERHEAD_BYTES};
use crate::ledger::SubjectKey;
use crate::recordbook::{self, BookRow};
use crate::store::{Keyspace, Snapshot};
use crate::vault;
use crate::vault::form::{Body, Form, Part};

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

/// Attributes a row by its place, and by its bytes being what that place says. A row under a key that is no more is one
/// of a person erased only if she is among the `gone`: anybody can write sixteen bytes in front of something.
pub(super) fn attribute(
    keys: &KeyRing,
    gone: &BTreeSet<SubjectKey>,
    view: &dyn Snapshot,
    table: Keyspace,
    key: &[u8],
    value: &[u8],
) -> Attributed {
    let explained = match table {
        Keyspace::Subjects | Keyspace::Groups | Keyspace::Records | Keyspace::Meta => {
            recordbook::attribute(keys, view, table, key, value).map(of_book)
        }
        Keyspace::TrustLists => trust_list(key, value),
        _ => forms::all()
            .filter(|form| form.table == table && fits(form, keys, view, key, value))
            .find_map(|form| of_vault(keys, gone, form, key, value)),
    };
    explained.unwrap_or_else(|| Attributed::unknown(key, value))
}

fn of_book(row: BookRow) -> Attributed {
    Attributed { class: row.class, identifiers: row.identifiers, content: row.content }
}

/// A trust list is public; it stands under its number.
fn trust_list(key: &[u8], value: &[u8]) -> Option<Attributed> {
    let epoch = u64::from_be_bytes(key.try_into().ok()?);
    let list: SignedTrustList = cbor::decode(value).ok()?;
    let list: TrustList = cbor::decode(&list.payload).ok()?;
    (list.epoch == epoch).then(|| Attributed::plain("trust list"))
}

/// Whether a key is of this form, piece by piece: a person it names is one of ours, and the row it leads to is there.
fn fits(form: &Form, keys: &KeyRing, view: &dyn Snapshot, key: &[u8], value: &[u8]) -> bool {
    let Some(mut rest) = key.strip_prefix(form.prefix) else { return false };
    let mark = matches!(form.body, Body::Mark);
    // Whose key seals it; for a mark, whose seals the row it leads to.
    let (mut named, mut sealed_by) = (None, value.first_chunk::<16>().copied().filter(|_| !mark));
    for part in form.parts {
        let len = match part {
            Part::Digest | Part::Guardian | Part::Subject => 16,
            Part::Bytes(len) | Part::Of(_, _, len) => *len,
            Part::Day => 10,
            Part::Member => rest.len(),
        };
        let Some((piece, after)) = rest.split_at_checked(len) else { return false };
        rest = after;
        match part {
            Part::Digest | Part::Guardian | Part::Bytes(_) => {}
            Part::Subject => named = piece.first_chunk::<16>().copied(),
            Part::Day => {
                let day = str::from_utf8(piece).ok().map(str::parse::<CalendarDate>);
                if !matches!(day, Some(Ok(_))) {
                    return false;
                }
            }
            Part::Of(table, prefix, _) => {
                let Ok(Some(row)) = view.get(*table, &[prefix, piece].concat()) else { return false };
                if mark {
                    sealed_by = row.first_chunk::<16>().copied();
                }
            }
            Part::Member => {
                let member = piece.strip_prefix(b"/").and_then(|member| str::from_utf8(member).ok());
                if member.is_none_or(|member| member.parse::<MemberId>().is_err()) {
                    return false;
                }
            }
        }
    }
    let whose = named.is_none_or(|named| sealed_by == Some(named) || (mark && is_ours(keys, named)));
    rest.is_empty() && whose
}

/// Whether somebody of this institution has the key.
fn is_ours(keys: &KeyRing, id: [u8; 16]) -> bool {
    let id = KeyId::from_bytes(id);
    id != KeyId::NODE && keys.contains(id)
}

/// A row of a vault: a mark has no value; anything else is sealed to its place and is what its table writes.
fn of_vault(
    keys: &KeyRing,
    gone: &BTreeSet<SubjectKey>,
    form: &Form,
    key: &[u8],
    value: &[u8],
) -> Option<Attributed> {
    let Body::Sealed(is_one) = form.body else {
        return value.is_empty().then(|| Attributed::plain(form.class));
    };
    let (id, sealed) = value.split_first_chunk::<16>()?;
    let opened = match keys.open_sealed(KeyId::from_bytes(*id), &vault::place(form.table, key), sealed) {
        Ok(opened) => opened,
        // Nobody can say any more what it was: its bytes are shown as they are.
        Err(KeyError::NoSuchKey) if gone.contains(id) && sealed.len() > SEAL_OVERHEAD_BYTES => {
            return Some(Attributed { content: value.to_vec(), ..Attributed::plain(ERASED) });
        }
        Err(_) => return None,
    };
    let said: Value = serde_json::from_slice(&opened).ok()?;
    is_one(&opened).then(|| Attributed {
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
    use crate::store::{Batch, MemoryStore, Store as _};

    fn sealed(keys: &KeyRing, id: KeyId, table: Keyspace, key: &[u8], value: &Value) -> Vec<u8> {
        let bytes = serde_json::to_vec(value).unwrap();
        [id.as_bytes().as_slice(), &keys.seal(id, &vault::place(table, key), &bytes).unwrap()].concat()
    }

    #[test]
    fn a_row_is_what_its_place_says_or_unknown() {
        let (keys, store) = (KeyRing::in_memory(Arc::new(SystemEntropy)), MemoryStore::new());
        let key = [b"c".as_slice(), &[7; 24]].concat();
        let consent = json!({ "category": null, "guardian": null, "by": "sato", "at": 1 });
        let row = sealed(&keys, KeyId::NODE, Keyspace::Consents, &key, &consent);
        let class = |table, key: &[u8], value: &[u8]| {
            attribute(&keys, &BTreeSet::new(), &*store.snapshot().unwrap(), table, key, value).class
        };
        assert_eq!(class(Keyspace::Consents, &key, &row), "consent");
        // Elsewhere, changed, under a longer key, with a field nobody knows, or in the clear: not explained.
        assert_eq!(class(Keyspace::Holds, &key, &row), UNKNOWN);
        let other = [b"c".as_slice(), &[8; 24]].concat();
        assert_eq!(class(Keyspace::Consents, &other, &row), UNKNOWN);
        assert_eq!(class(Keyspace::Consents, &[key.as_slice(), b"parked"].concat(), &row), UNKNOWN);
        for parked in [
            json!({ "category": null, "guardian": null, "by": "sato", "at": 1, "parked": "of somebody else" }),
            json!({ "category": { "parked": "of somebody else" }, "guardian": null, "by": "sato", "at": 1 }),
            json!({ "category": null }),
        ] {
            let parked = sealed(&keys, KeyId::NODE, Keyspace::Consents, &key, &parked);
            assert_eq!(class(Keyspace::Consents, &key, &parked), UNKNOWN);
        }
        assert_eq!(class(Keyspace::Consents, &key, b"a record of somebody else"), UNKNOWN);
        // What nobody can open any more is called so, counted, and shown as it is.
        let gone = keys.create().unwrap();
        let row = sealed(&keys, gone, Keyspace::Consents, &key, &consent);
        keys.destroy(gone).unwrap();
        let erased = |gone: &BTreeSet<SubjectKey>| {
            attribute(&keys, gone, &*store.snapshot().unwrap(), Keyspace::Consents, &key, &row)
        };
        assert_eq!(erased(&BTreeSet::new()).class, UNKNOWN, "nobody of this key was ever here");
        let erased = erased(&BTreeSet::from([*gone.as_bytes()]));
        assert_eq!((erased.class, erased.content), (ERASED, row));
    }

    #[test]
    fn a_mark_leads_to_a_row_that_is_there_and_says_nothing_else() {
        let (keys, store) = (KeyRing::in_memory(Arc::new(SystemEntropy)), MemoryStore::new());
        let child = keys.create().unwrap();
        let link = [b"p".as_slice(), &[5; 16]].concat();
        let said = json!({ "registry": "maebashi/city-hall", "token": "", "subject": "", "by": "", "at": 1 });
        let mut batch = Batch::new();
        let value = sealed(&keys, child, Keyspace::Links, &link, &said);
        batch.put(Keyspace::Links, link.clone(), value.clone());
        store.commit(&batch).unwrap();
        let view = store.snapshot().unwrap();
        let class = |subject: &[u8], index: &[u8], value: &[u8]| {
            let key = [b"s", subject, index].concat();
            attribute(&keys, &BTreeSet::new(), &*view, Keyspace::Links, &key, value).class
        };
        assert_eq!(attribute(&keys, &BTreeSet::new(), &*view, Keyspace::Links, &link, &value).class, "link");
        assert_eq!(class(child.as_bytes(), &[5; 16], b""), "index of links");
        assert_eq!(class(child.as_bytes(), &[5; 16], b"parked"), UNKNOWN, "a mark has no value");
        assert_eq!(class(child.as_bytes(), b"a foreign record", b""), UNKNOWN, "there is no such link");
        assert_eq!(class(b"a foreign record", &[5; 16], b""), UNKNOWN, "nobody has this key");
        assert_eq!(class(child.as_bytes(), &[5; 17], b""), UNKNOWN);
        // The person was erased: the mark still leads to what her key sealed.
        keys.destroy(child).unwrap();
        assert_eq!(class(child.as_bytes(), &[5; 16], b""), "index of links");
        assert_eq!(class(&[9; 16], &[5; 16], b""), UNKNOWN);
    }

    #[test]
    fn a_persons_row_is_sealed_by_her_own_key() {
        let (keys, store) = (KeyRing::in_memory(Arc::new(SystemEntropy)), MemoryStore::new());
        let (child, view) = (keys.create().unwrap(), store.snapshot().unwrap());
        let own = json!({ "allergens": {}, "by": "sato", "at": 1 });
        let key = [b"s".as_slice(), child.as_bytes()].concat();
        let class = |id| {
            let row = sealed(&keys, id, Keyspace::Registrations, &key, &own);
            attribute(&keys, &BTreeSet::new(), &*view, Keyspace::Registrations, &key, &row).class
        };
        assert_eq!(class(child), "school's registration");
        assert_eq!(class(KeyId::NODE), UNKNOWN);
    }

    #[test]
    fn what_is_unknown_is_shown_as_it_is() {
        let (keys, store) = (KeyRing::in_memory(Arc::new(SystemEntropy)), MemoryStore::new());
        let view = store.snapshot().unwrap();
        let row = attribute(&keys, &BTreeSet::new(), &*view, Keyspace::Meta, b"view-cache", b"parked");
        assert_eq!((row.class, row.content.as_slice()), (UNKNOWN, b"view-cache parked".as_slice()));
        assert_eq!(
            attribute(&keys, &BTreeSet::new(), &*view, Keyspace::TrustLists, &[0; 8], b"parked").class,
            UNKNOWN
        );
    }
}
