//! The history of accesses as a guardian is told it, and how she checks it.
//!
//! A ledger leaf is a salted commitment. Of an entry that a person concerned may be told, the commitment
//! is over two halves: what she is told ([`Disclosed`]), and the digest of what stays in the house (the
//! staff's names, the institution's own keys). Salt, first half and digest make the leaf again, and the
//! leaf's audit path leads to a checkpoint that the institution's ledger key signed: nothing told can be
//! made up afterwards, and nothing in the house is given away.

use crate::act::Reach;
use crate::cbor::{self, wire_code, wire_struct};
use crate::grant::Basis;
use crate::ids::{Category, Digest, GuardianAlias, MemberId};
use crate::session::Purpose;
use crate::tlog::{Checkpoint, EntryKind, Hash, Leaf, leaf_hash, verify_inclusion};

wire_code! {
    /// What an entry is about.
    pub enum Event {
        /// Records were shown.
        1 => RecordsShown = "records_shown",
        /// The history of accesses was shown.
        2 => HistoryShown = "history_shown",
        /// A guardian's choices were shown.
        3 => ConsentShown = "consent_shown",
        /// A guardian withdrew categories.
        4 => ConsentWithdrawn = "consent_withdrawn",
        /// A guardian gave again what she had withdrawn.
        5 => ConsentGiven = "consent_given",
        /// Staff linked the person, known here by a local number, to the registry's resident.
        6 => Linked = "linked",
        /// Staff undid that link.
        7 => Unlinked = "unlinked",
        /// Staff looked at something about the person through this system.
        8 => StaffLook = "staff_look",
        /// What is registered was shown.
        9 => RegistrationShown = "registration_shown",
        /// A guardian, or staff, changed what is registered.
        10 => RegistrationChanged = "registration_changed",
        /// A mail was sent to a guardian.
        11 => MailSent = "mail_sent",
    }
}

impl Event {
    /// The kind of ledger entry that says this.
    pub const fn kind(self) -> EntryKind {
        match self {
            Self::RecordsShown | Self::HistoryShown | Self::ConsentShown | Self::RegistrationShown => {
                EntryKind::Release
            }
            Self::ConsentWithdrawn | Self::ConsentGiven => EntryKind::Consent,
            Self::Linked | Self::Unlinked => EntryKind::Link,
            Self::StaffLook => EntryKind::Staff,
            Self::RegistrationChanged => EntryKind::Registration,
            Self::MailSent => EntryKind::Mail,
        }
    }
}

wire_code! {
    /// Who did it.
    pub enum Actor {
        /// The person whose records these are.
        1 => Subject = "subject",
        /// A guardian.
        2 => Guardian = "guardian",
        /// Staff of the institution. Who exactly stays in the house: it answers for its staff, and a
        /// name here could be turned against them.
        3 => Staff = "staff",
    }
}

wire_struct! {
    /// What a ledger entry tells the persons it concerns. When it happened stands in the leaf.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Disclosed {
        /// What happened.
        1 => pub event: Event,
        /// Who did it.
        3 => pub actor: Actor,
        /// The actor's alias at this institution, where it was no staff.
        4 => pub alias: Option<GuardianAlias>,
        /// The purpose stated.
        6 => pub purpose: Option<Purpose>,
        /// The categories concerned; with a choice, none means every category.
        7 => pub categories: Vec<Category>,
        /// How many records, or entries of the history, were shown.
        8 => pub count: Option<u64>,
        /// On what the right to look rested.
        10 => pub basis: Option<Basis>,
        /// The gateway that brought the query.
        12 => pub via: Option<MemberId>,
        /// Whose view a choice is about.
        14 => pub reach: Option<Reach>,
        /// Whether the card was a simulated one.
        15 => pub simulated: bool,
    }
}

wire_struct! {
    /// One entry of the history, with everything that proves it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct HistoryEntry {
        /// Index of the leaf.
        1 => pub index: u64,
        /// The leaf, byte for byte.
        3 => pub leaf: Vec<u8>,
        /// The salt of its commitment.
        5 => pub salt: [u8; 32],
        /// The encoded [`Disclosed`], byte for byte as it was committed to.
        7 => pub disclosed: Vec<u8>,
        /// Digest of the half that stays in the house.
        9 => pub house: Digest,
        /// The audit path to the checkpoint (RFC 6962 section 2.1.1); absent while none covers the entry.
        11 => pub path: Option<Vec<Digest>>,
    }
}

wire_struct! {
    /// A page of the history, newest first.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct HistoryPage {
        /// The entries.
        1 => pub entries: Vec<HistoryEntry>,
        /// Ask for entries before this index to go on; absent: there are no older ones.
        3 => pub older: Option<u64>,
        /// The checkpoint that the paths lead to, a signed note; absent while there is none.
        5 => pub checkpoint: Option<String>,
    }
}

/// Why an entry is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// The bytes are not a leaf.
    #[error("the leaf cannot be read")]
    Leaf,
    /// What is told is not what the leaf commits to.
    #[error("what is told is not what the ledger's leaf commits to")]
    Commitment,
    /// What is told cannot be read, or does not fit the kind of the leaf.
    #[error("what is told cannot be read")]
    Disclosed,
    /// No checkpoint covers the entry yet.
    #[error("no checkpoint covers the entry yet")]
    NotYet,
    /// The path does not lead to the checkpoint.
    #[error("the entry is not in the ledger where the proof says")]
    NotIncluded,
}

impl HistoryEntry {
    /// What the commitment of such an entry is over, besides the salt.
    pub fn committed(disclosed: &[u8], house: &Digest) -> Vec<u8> {
        [disclosed, &house.0].concat()
    }

    /// The digest that stands for the half that stays in the house, made with a salt of its own.
    pub fn house_digest(salt: &[u8; 32], in_house: &[u8]) -> Digest {
        Digest::of(&[salt, in_house])
    }

    /// The leaf, without believing anything of it yet.
    ///
    /// # Errors
    /// [`EntryFault::Leaf`].
    pub fn leaf(&self) -> Result<Leaf, EntryFault> {
        Leaf::decode(&self.leaf).map_err(|_| EntryFault::Leaf)
    }

    /// Hash of the leaf.
    pub fn leaf_hash(&self) -> Digest {
        Digest(leaf_hash(&self.leaf).0)
    }

    /// What is told, if it is what the leaf commits to.
    ///
    /// # Errors
    /// It is not, or cannot be read.
    pub fn open(&self) -> Result<(Leaf, Disclosed), EntryFault> {
        let leaf = self.leaf()?;
        if Leaf::commit(&self.salt, &Self::committed(&self.disclosed, &self.house)) != leaf.commitment {
            return Err(EntryFault::Commitment);
        }
        let disclosed: Disclosed = cbor::decode(&self.disclosed).map_err(|_| EntryFault::Disclosed)?;
        if disclosed.event.kind() != leaf.kind {
            return Err(EntryFault::Disclosed);
        }
        Ok((leaf, disclosed))
    }

    /// Whether the leaf is in the log of this checkpoint, which was verified before
    /// ([`Checkpoint::open`]).
    ///
    /// # Errors
    /// [`EntryFault::NotYet`] or [`EntryFault::NotIncluded`].
    pub fn prove(&self, checkpoint: &Checkpoint) -> Result<(), EntryFault> {
        let path = self.path.as_ref().ok_or(EntryFault::NotYet)?;
        let path: Vec<Hash> = path.iter().map(|hash| Hash(hash.0)).collect();
        verify_inclusion(self.index, checkpoint.size, &leaf_hash(&self.leaf), &path, &checkpoint.root)
            .map_err(|_| EntryFault::NotIncluded)
    }
}
