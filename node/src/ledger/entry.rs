//! An entry: what it says in full, what of it becomes the public leaf, and what stands sealed beside it.
//!
//! Sealed is, after the salt, one of two forms:
//!
//! ```text
//! full entry (JSON, begins with '{')                       committed to as it is
//! 2 ‖ length u16 BE ‖ told ‖ second salt [32] ‖ full entry committed to as told ‖ SHA-256(second salt ‖ full entry)
//! ```
//!
//! The second is that of an entry a person concerned may be told of: what she is told can be shown with its
//! proof, and the full entry stays in the house.

use hibiki_protocol::cbor;
use hibiki_protocol::history::{Disclosed, HistoryEntry};
use hibiki_protocol::ids::Digest;
use hibiki_protocol::tlog::{DigestKind, EntryKind, Hash, Leaf};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::NotLogged;
use super::seal::{EntrySealer, SealError, SubjectKey};
use crate::env::Entropy;

/// The details of one kind of entry. Each kind has its own structure; see [`super::details`].
pub trait Details: Serialize + for<'de> Deserialize<'de> {
    /// The kind of entry that these are the details of.
    const KIND: EntryKind;
}

/// Something that is to be logged.
#[derive(Clone)]
pub struct Entry {
    pub(super) kind: EntryKind,
    pub(super) at: u64,
    pub(super) subject: Option<SubjectKey>,
    pub(super) details: Box<serde_json::value::RawValue>,
    pub(super) digests: Vec<(DigestKind, [u8; 32])>,
    pub(super) told: Option<Vec<u8>>,
}

/// Marks the sealed form with something told.
const TOLD: u8 = 2;

impl Entry {
    /// An entry about `subject` (whose key will seal it) at `at`, milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`NotLogged::Details`] if the details cannot be written as JSON.
    pub fn new<D: Details>(at: u64, subject: Option<SubjectKey>, details: &D) -> Result<Self, NotLogged> {
        let details = serde_json::value::to_raw_value(details).map_err(|_| NotLogged::Details)?;
        Ok(Self { kind: D::KIND, at, subject, details, digests: Vec::new(), told: None })
    }

    /// Puts a public digest into the leaf, by which this entry can be laid beside another party's.
    #[must_use]
    pub fn with_digest(mut self, kind: DigestKind, digest: [u8; 32]) -> Self {
        self.digests.push((kind, digest));
        self
    }

    /// Says what the persons concerned may be told of this entry. Without a subject nobody ever is: then it
    /// stays as it is.
    #[must_use]
    pub fn telling(mut self, disclosed: &Disclosed) -> Self {
        debug_assert_eq!(disclosed.event.kind(), self.kind, "what is told is of the entry's kind");
        if self.subject.is_some() {
            self.told = Some(cbor::encode(disclosed));
        }
        self
    }

    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> EntryKind {
        self.kind
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({}, ***)", self.kind)
    }
}

/// That an entry is durably in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The name of the ledger.
    pub origin: String,
    /// The number of the entry, from 0.
    pub index: u64,
    /// The hash of its leaf.
    pub leaf_hash: Hash,
    /// How many entries were durable when this one was acknowledged, this one among them.
    pub tree_size: u64,
}

/// An entry as it is read back.
#[derive(Clone)]
pub struct Logged {
    /// The number of the entry.
    pub index: u64,
    /// The public leaf.
    pub leaf: Leaf,
    /// The bytes of the leaf, as hashed.
    pub leaf_bytes: Vec<u8>,
    /// Whose key seals it.
    pub subject: Option<SubjectKey>,
    /// The full entry, if it still opens.
    pub content: Content,
    /// What persons concerned may be told of it, if anything and if it still opens.
    pub told: Option<Told>,
}

/// What a person concerned may be told of an entry, and what makes the leaf's commitment of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Told {
    /// The salt.
    pub salt: [u8; 32],
    /// The encoded [`Disclosed`].
    pub disclosed: Vec<u8>,
    /// Digest of the half that stays in the house.
    pub house: Digest,
}

impl Told {
    /// What it says.
    #[must_use]
    pub fn disclosed(&self) -> Option<Disclosed> {
        cbor::decode(&self.disclosed).ok()
    }
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Told(***)")
    }
}

/// The full entry, or that it is gone.
#[derive(Clone)]
pub enum Content {
    /// The details, as JSON.
    Details(Box<serde_json::value::RawValue>),
    /// The subject was erased: nobody can read the entry any more, and the ledger still verifies.
    Erased,
}

impl Logged {
    /// The details as the structure of their kind; `None` if erased, or if this is another kind.
    #[must_use]
    pub fn details<D: Details>(&self) -> Option<D> {
        match &self.content {
            Content::Details(json) if self.leaf.kind == D::KIND => serde_json::from_str(json.get()).ok(),
            _ => None,
        }
    }

    /// Whether the content was erased.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        matches!(self.content, Content::Erased)
    }
}

impl std::fmt::Debug for Logged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Logged({}, {}, ***)", self.index, self.leaf.kind)
    }
}

/// What the commitment commits to, as JSON.
#[derive(Serialize, Deserialize)]
struct Full {
    kind: u8,
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    subject: Option<SubjectKey>,
    details: Box<serde_json::value::RawValue>,
}

/// An entry ready to be written: its leaf, and the full entry sealed.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) subject: Option<SubjectKey>,
    pub(super) leaf: Vec<u8>,
    pub(super) sealed: Vec<u8>,
}

impl Prepared {
    /// Salts, commits and seals.
    pub(super) fn new(
        entry: &Entry,
        origin: &str,
        entropy: &dyn Entropy,
        sealer: &dyn EntrySealer,
    ) -> Result<Self, NotLogged> {
        let full = Full {
            kind: entry.kind.byte(),
            at: entry.at,
            subject: entry.subject,
            details: entry.details.clone(),
        };
        let json = Zeroizing::new(serde_json::to_vec(&full).map_err(|_| NotLogged::Details)?);
        let salt = fresh_salt(entropy);
        let mut plaintext = Zeroizing::new(salt.to_vec());
        let commitment = match &entry.told {
            None => Leaf::commit(&salt, &json),
            Some(told) => {
                let house_salt = fresh_salt(entropy);
                let length = u16::try_from(told.len()).map_err(|_| NotLogged::Details)?;
                plaintext.push(TOLD);
                plaintext.extend_from_slice(&length.to_be_bytes());
                plaintext.extend_from_slice(told);
                plaintext.extend_from_slice(&*house_salt);
                let house = HistoryEntry::house_digest(&house_salt, &json);
                Leaf::commit(&salt, &HistoryEntry::committed(told, &house))
            }
        };
        plaintext.extend_from_slice(&json);
        let digests = entry.digests.clone();
        let leaf = Leaf { kind: entry.kind, time_ms: entry.at, commitment, digests };
        let leaf = leaf.encode();
        let sealed = sealer.seal(entry.subject, &aad(origin, &leaf), &plaintext)?;
        Ok(Self { subject: entry.subject, leaf, sealed })
    }
}

fn fresh_salt(entropy: &dyn Entropy) -> Zeroizing<[u8; 32]> {
    let mut salt = Zeroizing::new([0_u8; 32]);
    entropy.fill(&mut *salt);
    salt
}

/// Binds a sealed entry to its ledger and its leaf.
pub(super) fn aad(origin: &str, leaf: &[u8]) -> Vec<u8> {
    [b"hibiki/1/ledger-entry\0", origin.as_bytes(), b"\0", leaf].concat()
}

/// Why the sealed half of an entry does not belong to its leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unopened {
    /// The keyring says why.
    Seal(SealError),
    /// It opens, but is not what the leaf commits to.
    Commitment,
}

/// Opens a sealed entry and checks it against its leaf, field by field.
pub(super) fn open_sealed(
    origin: &str,
    leaf: &Leaf,
    leaf_bytes: &[u8],
    subject: Option<SubjectKey>,
    sealed: &[u8],
    sealer: &dyn EntrySealer,
) -> Result<(Content, Option<Told>), Unopened> {
    let plaintext = match sealer.open(subject, &aad(origin, leaf_bytes), sealed) {
        Ok(plaintext) => Zeroizing::new(plaintext),
        Err(SealError::Erased) => return Ok((Content::Erased, None)),
        Err(error) => return Err(Unopened::Seal(error)),
    };
    let (salt, rest) = plaintext.split_first_chunk::<32>().ok_or(Unopened::Commitment)?;
    let (told, json) = match rest.split_first() {
        Some((&TOLD, rest)) => split_told(salt, rest).map(|(told, json)| (Some(told), json)),
        _ => Some((None, rest)),
    }
    .ok_or(Unopened::Commitment)?;
    let commitment = match &told {
        None => Leaf::commit(salt, json),
        Some(told) => Leaf::commit(salt, &HistoryEntry::committed(&told.disclosed, &told.house)),
    };
    if commitment != leaf.commitment {
        return Err(Unopened::Commitment);
    }
    let full: Full = serde_json::from_slice(json).map_err(|_| Unopened::Commitment)?;
    if full.kind != leaf.kind.byte() || full.at != leaf.time_ms || full.subject != subject {
        return Err(Unopened::Commitment);
    }
    Ok((Content::Details(full.details), told))
}

/// What is told, and the full entry, in the form that has both.
fn split_told<'a>(salt: &[u8; 32], rest: &'a [u8]) -> Option<(Told, &'a [u8])> {
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (disclosed, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (house_salt, json) = rest.split_first_chunk::<32>()?;
    let house = HistoryEntry::house_digest(house_salt, json);
    Some((Told { salt: *salt, disclosed: disclosed.to_vec(), house }, json))
}
