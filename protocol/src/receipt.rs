//! The promise that something stands in a ledger.

use crate::cbor::wire_struct;
use crate::ids::Digest;

wire_struct! {
    /// The institution's promise that this release stands in its ledger: a leaf that anybody can
    /// later ask to be proved (RFC 9162 in spirit).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Receipt {
        /// Name of the log (C2SP tlog-checkpoint origin).
        1 => pub origin: String,
        /// Index of the leaf.
        3 => pub index: u64,
        /// Hash of the leaf (RFC 6962 section 2.1).
        5 => pub leaf_hash: Digest,
    }
}
