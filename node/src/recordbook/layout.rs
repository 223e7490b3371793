//! Where the rows of the book lie, and the digests by which they are found.
//!
//! ```text
//! Subjects  's' subject            form 1, lookup digest (32), sealed person
//!           'n' lookup digest      subject
//! Groups    'g' group              form 1, lookup digest (32), sealed name
//!           'n' lookup digest      group
//!           'm' group subject      (empty: is a member)
//!           's' subject group      (empty: the same, the other way round)
//! Records   owner, length and name of category, source digest (16)      sealed record
//! Meta      "book/count/…"         number, 8 bytes
//!           "book/erasing/" subject (empty: the erasure of this subject has begun)
//!           "book/keyring"         digest that only the right keyring makes
//! ```
//! A sealed value is bound to keyspace and key of its row.

use hibiki_records::category::Category;

use super::error::BookError;
use crate::{
    keyring::{KeyId, KeyRing},
    store::Keyspace,
};

/// Form of sealed rows in this version.
const FORM: u8 = 1;

/// Prefix of the rows of unfinished erasures.
pub(super) const ERASING: &[u8] = b"book/erasing/";

/// Key of the row that recognises the keyring.
pub(super) const KEYRING: &[u8] = b"book/keyring";

/// Key of the row that says: the erasure of this subject has begun.
pub(super) fn erasing(subject: KeyId) -> Vec<u8> {
    [ERASING, subject.as_bytes()].concat()
}

/// Persons or groups: both have a key, a row and a digest to find them by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Person,
    Group,
}

impl Kind {
    pub(super) fn keyspace(self) -> Keyspace {
        match self {
            Self::Person => Keyspace::Subjects,
            Self::Group => Keyspace::Groups,
        }
    }

    pub(super) fn counter(self) -> Counter {
        match self {
            Self::Person => Counter::Subjects,
            Self::Group => Counter::Groups,
        }
    }

    /// The digest of a local number or group id.
    pub(super) fn digest(self, keys: &KeyRing, name: &str) -> [u8; 32] {
        let purpose = match self {
            Self::Person => "local number",
            Self::Group => "group id",
        };
        keys.index(purpose, name.as_bytes())
    }

    /// Key of the row itself.
    pub(super) fn row(self, id: KeyId) -> Vec<u8> {
        let first = match self {
            Self::Person => b's',
            Self::Group => b'g',
        };
        [&[first], id.as_bytes().as_slice()].concat()
    }

    /// Key of the row that leads from digest to id.
    pub(super) fn lookup(digest: &[u8; 32]) -> Vec<u8> {
        [b"n".as_slice(), digest].concat()
    }
}

pub(super) const SUBJECT_ROWS: &[u8] = b"s";
pub(super) const GROUP_ROWS: &[u8] = b"g";

pub(super) fn member_prefix(group: KeyId) -> Vec<u8> {
    [b"m", group.as_bytes().as_slice()].concat()
}

pub(super) fn member(group: KeyId, subject: KeyId) -> Vec<u8> {
    [b"m", group.as_bytes().as_slice(), subject.as_bytes()].concat()
}

pub(super) fn membership_prefix(subject: KeyId) -> Vec<u8> {
    [b"s", subject.as_bytes().as_slice()].concat()
}

pub(super) fn membership(subject: KeyId, group: KeyId) -> Vec<u8> {
    [b"s", subject.as_bytes().as_slice(), group.as_bytes()].concat()
}

/// The id at the end of a key or in a lookup row.
pub(super) fn last_id(bytes: &[u8], what: &'static str) -> Result<KeyId, BookError> {
    bytes.last_chunk().map(|id| KeyId::from_bytes(*id)).ok_or(BookError::Row { what })
}

pub(super) fn records_prefix(owner: KeyId, category: Category) -> Vec<u8> {
    let name = category.wire_name().as_bytes();
    // Wire names are short; `every_category_fits` guards it.
    [owner.as_bytes().as_slice(), &[name.len() as u8], name].concat()
}

pub(super) fn record(keys: &KeyRing, owner: KeyId, category: Category, source_id: &str) -> Vec<u8> {
    let mut key = records_prefix(owner, category);
    let digest = keys.index("record id", &[&key, source_id.as_bytes()].concat());
    key.extend(digest.iter().take(16));
    key
}

/// The category in the key of a record; `None` for one that this version does not know.
pub(super) fn category_of(key: &[u8]) -> Option<Category> {
    let (len, rest) = key.get(16..)?.split_first()?;
    Category::from_wire(str::from_utf8(rest.get(..usize::from(*len))?).ok()?)
}

/// Says where a sealed value belongs.
pub(super) fn aad(keyspace: Keyspace, key: &[u8]) -> Vec<u8> {
    [b"hibiki row v1 ".as_slice(), &[keyspace.byte()], key].concat()
}

/// A row of a person or group: the digest that leads to it, and the sealed part.
pub(super) fn parse_row<'a>(row: &'a [u8], what: &'static str) -> Result<([u8; 32], &'a [u8]), BookError> {
    let (form, rest) = row.split_first().ok_or(BookError::Row { what })?;
    let (digest, sealed) = rest.split_first_chunk().ok_or(BookError::Row { what })?;
    if *form == FORM { Ok((*digest, sealed)) } else { Err(BookError::Row { what }) }
}

pub(super) fn make_row(digest: &[u8; 32], sealed: &[u8]) -> Vec<u8> {
    [&[FORM], digest.as_slice(), sealed].concat()
}

/// A number kept up to date in the same commit as what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Counter {
    Subjects,
    Groups,
    Records(Category),
}

impl Counter {
    pub(super) fn key(self) -> Vec<u8> {
        let name = match self {
            Self::Subjects => "subjects".to_owned(),
            Self::Groups => "groups".to_owned(),
            Self::Records(category) => format!("records/{category}"),
        };
        [b"book/count/".as_slice(), name.as_bytes()].concat()
    }
}

pub(super) fn parse_count(row: Option<&[u8]>) -> Result<u64, BookError> {
    let Some(row) = row else { return Ok(0) };
    row.try_into().map(u64::from_be_bytes).map_err(|_| BookError::Row { what: "a count" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_category_fits_and_is_read_back_from_its_key() {
        let owner = KeyId::from_bytes([7; 16]);
        for category in Category::ALL {
            assert!(category.wire_name().len() < 64);
            let key = [records_prefix(owner, category), vec![0; 16]].concat();
            assert_eq!(category_of(&key), Some(category));
        }
        assert_eq!(category_of(&[0; 10]), None);
    }

    #[test]
    fn no_category_is_a_prefix_of_another() {
        let owner = KeyId::from_bytes([7; 16]);
        for a in Category::ALL {
            for b in Category::ALL {
                let (a_prefix, b_prefix) = (records_prefix(owner, a), records_prefix(owner, b));
                assert_eq!(a_prefix.starts_with(&b_prefix), a == b);
            }
        }
    }
}
