//! The leaf of a Hibiki ledger: a kind, a time and a salted commitment, in one fixed binary form. A leaf
//! tells a stranger that something of a kind happened and nothing about whom; the full entry stays with the
//! institution, sealed.
//!
//! ```text
//! version  u8      1
//! kind     u8      EntryKind
//! time     u64 BE  milliseconds since the Unix epoch
//! commit   [32]    SHA-256(salt ‖ full entry)
//! count    u8      number of public digests
//! digests  count × (kind u8, [32]), kinds strictly rising
//! ```

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The only version of the form.
const VERSION: u8 = 1;
/// Bytes before the digests.
const HEAD: usize = 1 + 1 + 8 + 32 + 1;

/// What an entry is about. The number on disk never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum EntryKind {
    /// The node started with this ledger.
    Start = 1,
    /// The node stopped in order.
    Stop = 2,
    /// An answer with data left the institution.
    Release = 3,
    /// A query was answered without data, for a reason that only this ledger states.
    Refusal = 4,
    /// The gateway passed a sealed part on.
    Relay = 5,
    /// The registry granted access.
    Grant = 6,
    /// A guardian's card session began, was renewed or ended.
    Session = 7,
    /// A pseudonym was linked to a local number, or unlinked.
    Link = 8,
    /// A hold was set, received or lifted.
    Hold = 9,
    /// A consent was given or withdrawn.
    Consent = 10,
    /// Records were taken in.
    Import = 11,
    /// A subject's key was destroyed.
    Erase = 12,
    /// A member of staff looked at or changed something.
    Staff = 13,
    /// An administrative act on the node.
    Administration = 14,
    /// A trust list was installed or refused.
    TrustList = 15,
    /// A guardian's session was ended at this institution before its time.
    SessionEnd = 16,
    /// What is registered for a subject was changed.
    Registration = 17,
    /// A mail about a subject went out.
    Mail = 18,
}

impl EntryKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 18] = [
        Self::Start,
        Self::Stop,
        Self::Release,
        Self::Refusal,
        Self::Relay,
        Self::Grant,
        Self::Session,
        Self::Link,
        Self::Hold,
        Self::Consent,
        Self::Import,
        Self::Erase,
        Self::Staff,
        Self::Administration,
        Self::TrustList,
        Self::SessionEnd,
        Self::Registration,
        Self::Mail,
    ];

    /// The kind with this number.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.byte() == byte)
    }

    /// The number on disk.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Release => "release",
            Self::Refusal => "refusal",
            Self::Relay => "relay",
            Self::Grant => "grant",
            Self::Session => "session",
            Self::Link => "link",
            Self::Hold => "hold",
            Self::Consent => "consent",
            Self::Import => "import",
            Self::Erase => "erase",
            Self::Staff => "staff",
            Self::Administration => "administration",
            Self::TrustList => "trust_list",
            Self::SessionEnd => "session_end",
            Self::Registration => "registration",
            Self::Mail => "mail",
        }
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a public digest in a leaf is the hash of. With it, the ledgers of two parties can be laid side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum DigestKind {
    /// The sealed part as it travelled: the same at the gateway and at the institution.
    Query = 1,
    /// The sealed answer as it travelled.
    Answer = 2,
    /// The signed grant.
    Grant = 3,
    /// The trust list, or another public document.
    Document = 4,
}

impl DigestKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Query, Self::Answer, Self::Grant, Self::Document];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Answer => "answer",
            Self::Grant => "grant",
            Self::Document => "document",
        }
    }
}

/// Why bytes are not a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// A leaf of a later software.
    #[error("leaf version {0} is not known here: use a newer auditor")]
    Version(u8),
    /// A kind of a later software.
    #[error("entry kind {0} is not known here: use a newer auditor")]
    Kind(u8),
    /// Lengths, or the order of the digests, are wrong.
    #[error("the bytes are not a leaf")]
    Malformed,
}

/// One leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What the entry is about.
    pub kind: EntryKind,
    /// When, by the clock of the institution: milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// SHA-256(salt ‖ full entry).
    pub commitment: [u8; 32],
    /// Public digests, one of a kind at most, in the order of their kinds.
    pub digests: Vec<(DigestKind, [u8; 32])>,
}

impl Leaf {
    /// The commitment to a full entry under a salt.
    #[must_use]
    pub fn commit(salt: &[u8; 32], full_entry: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update(salt).chain_update(full_entry).finalize().into()
    }

    /// The bytes of the leaf, the digests being put in order. Of two digests of one kind the first stays.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut digests = self.digests.clone();
        digests.sort_by_key(|(kind, _)| *kind);
        digests.dedup_by_key(|(kind, _)| *kind);
        let mut bytes = Vec::with_capacity(HEAD + digests.len() * 33);
        bytes.extend_from_slice(&[VERSION, self.kind.byte()]);
        bytes.extend_from_slice(&self.time_ms.to_be_bytes());
        bytes.extend_from_slice(&self.commitment);
        // At most one digest per kind, and there are four kinds.
        bytes.push(u8::try_from(digests.len()).unwrap_or(u8::MAX));
        for (kind, digest) in digests {
            bytes.push(kind as u8);
            bytes.extend_from_slice(&digest);
        }
        bytes
    }

    /// Reads a leaf, strictly: only what [`Leaf::encode`] writes is accepted.
    ///
    /// # Errors
    /// [`LeafError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, LeafError> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>().ok_or(LeafError::Malformed)?;
        let [version, kind, middle @ .., count] = head;
        if *version != VERSION {
            return Err(LeafError::Version(*version));
        }
        let kind = EntryKind::from_byte(*kind).ok_or(LeafError::Kind(*kind))?;
        let (time, commitment) = middle.split_first_chunk::<8>().ok_or(LeafError::Malformed)?;
        let commitment: [u8; 32] = commitment.try_into().map_err(|_| LeafError::Malformed)?;
        if rest.len() != usize::from(*count) * 33 {
            return Err(LeafError::Malformed);
        }
        let mut digests: Vec<(DigestKind, [u8; 32])> = Vec::new();
        for chunk in rest.chunks_exact(33) {
            let (kind, digest) = chunk.split_first().ok_or(LeafError::Malformed)?;
            let kind = DigestKind::ALL.into_iter().find(|known| *known as u8 == *kind);
            let kind = kind.ok_or(LeafError::Malformed)?;
            if digests.last().is_some_and(|(last, _)| *last >= kind) {
                return Err(LeafError::Malformed);
            }
            digests.push((kind, digest.try_into().map_err(|_| LeafError::Malformed)?));
        }
        Ok(Self { kind, time_ms: u64::from_be_bytes(*time), commitment, digests })
    }
}
