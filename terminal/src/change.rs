//! The receipt of a change that a guardian made at an institution: the entry of its ledger, judged, and its proof.

use hibiki_protocol::act::Changed;
use hibiki_protocol::ids::GuardianAlias;
use hibiki_protocol::receipt::Receipt;
use hibiki_protocol::trust::Member;

use crate::history::{self, Doubt, HistoryEntry, Proof};

/// What an institution hands over for a change it has carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeReceipt {
    /// Where the change stands in the institution's ledger.
    pub receipt: Receipt,
    /// The entry, judged.
    pub entry: HistoryEntry,
    /// The proof in one file (c2sp.org/tlog-proof), to be kept; there once the entry is proven.
    pub file: Option<String>,
}

/// Judges what was handed over; `says_so` tells whether an entry says what was asked for.
pub(crate) fn judge(
    member: &Member,
    own: Option<GuardianAlias>,
    Changed { receipt, entry: told, checkpoint }: Changed,
    says_so: impl Fn(&HistoryEntry) -> bool,
) -> ChangeReceipt {
    let head = checkpoint.and_then(|note| history::head(member, note));
    let mut entry = history::entry(&told, own, head.as_ref());
    let promised = receipt.index == entry.index && receipt.leaf_hash == entry.leaf_hash;
    if matches!(entry.proof, Proof::Proven | Proof::Pending) && !(promised && says_so(&entry)) {
        entry.proof = Proof::Unproven(Doubt::NotAsPromised);
    }
    let proven = entry.proof == Proof::Proven;
    let file = head.filter(|_| proven).and_then(|head| history::proof_file(&told, &head));
    ChangeReceipt { receipt, entry, file }
}
