//! What a query may ask for besides records: who looked, what a guardian lets be shown, what she registers,
//! and the proofs of her receipts.
//!
//! An act travels in a query and its result in an answer, so that a relay cannot tell it from a look at
//! records: one size of parts, one frame of answers. Whether it is carried out is decided by
//! [`crate::policy::admit`].

use crate::cbor::{wire_code, wire_struct, wire_union};
use crate::history::HistoryEntry;
use crate::ids::{Category, CommandKey};
use crate::receipt::{ProveReceipts, Receipt};
use crate::registration::{ChangeRegistration, ShowRegistration};
use crate::session::Purpose;
use crate::time::Timestamp;

wire_union! {
    /// What is asked for instead of records.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Act {
        /// Who looked, when and why.
        1 => History(AskHistory),
        /// What this guardian has withdrawn.
        2 => ShowConsent(ShowConsent),
        /// Withdraw a category, or give it again.
        3 => ChangeConsent(ChangeConsent),
        /// What is registered for the subject.
        4 => ShowRegistration(ShowRegistration),
        /// Change this guardian's registration.
        5 => ChangeRegistration(ChangeRegistration),
        /// The proofs of what was promised.
        6 => ProveReceipts(ProveReceipts),
    }
}

wire_struct! {
    /// A page of the history of accesses, newest first.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct AskHistory {
        /// Only entries with a lower index; absent: the newest ones.
        1 => pub before: Option<u64>,
    }
}

wire_struct! {
    /// What this guardian has withdrawn at this institution.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ShowConsent {
        /// Version of this structure.
        1 => pub version: u64,
    }
}

wire_code! {
    /// Whose view a guardian's choice is about.
    pub enum Reach {
        /// Every guardian's: the subject herself alone is still shown the category.
        1 => EveryGuardian = "every_guardian",
        /// Only the view of the guardian who chooses.
        2 => OwnView = "own_view",
    }
}

wire_struct! {
    /// Withdraws a category, or gives again what this guardian withdrew in exactly this scope.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ChangeConsent {
        /// Which category; absent: every category.
        1 => pub category: Option<Category>,
        /// Give it again (true) or withdraw it (false).
        3 => pub permit: bool,
        /// Whose view it is about.
        5 => pub reach: Reach,
        /// Names the command: sent twice, it is carried out once.
        7 => pub key: CommandKey,
    }
}

wire_struct! {
    /// What a guardian has withdrawn at an institution, and the receipt of what she just changed.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ConsentState {
        /// Her own withdrawals, nobody else's.
        1 => pub withdrawn: Vec<Withdrawal>,
        /// The change, where one was asked for.
        3 => pub changed: Option<Changed>,
    }
}

wire_struct! {
    /// One thing a guardian has withdrawn.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Withdrawal {
        /// Which category; absent: every category.
        1 => pub category: Option<Category>,
        /// Whose view it is about.
        3 => pub reach: Reach,
        /// Since when.
        5 => pub at: Timestamp,
    }
}

wire_struct! {
    /// The receipt of a change: its ledger entry, with what proves it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Changed {
        /// Where it stands in the ledger. The same for every repetition of the command.
        1 => pub receipt: Receipt,
        /// The entry itself.
        3 => pub entry: HistoryEntry,
        /// The checkpoint its path leads to, a signed note; absent while none covers it.
        5 => pub checkpoint: Option<String>,
    }
}

impl Act {
    /// Whether this is about accesses, and not about records: the history, and the proofs of receipts.
    pub fn is_about_accesses(&self) -> bool {
        matches!(self, Self::History(_) | Self::ProveReceipts(_))
    }

    /// Whether a query with this purpose may ask for this: what is about accesses is asked for as such, and a
    /// choice is made by who looks at records otherwise.
    pub fn agrees_with(&self, purpose: Purpose) -> bool {
        self.is_about_accesses() == (purpose == Purpose::AccessHistory)
    }
}
