//! The guardian's receipts: what every institution promised with every answer, kept in a folder of hers, and
//! later laid beside what it proves.
//!
//! A receipt says nothing about anybody: not whom a question was about, not what was answered, not even whether
//! something was shown. It names a leaf in an institution's ledger, with the institution's signature, and once it
//! was asked for, the proof that the leaf is there (c2sp.org/tlog-proof). [`kept`] is one of them and its file,
//! [`folder`] all of them, [`lists`] the trust lists by whose keys they are judged, [`verdict`] what each is worth,
//! and [`prove`] fetches the proofs with the card.

pub mod folder;
pub mod kept;
pub mod lists;
pub mod prove;
pub mod verdict;

#[cfg(test)]
pub(crate) mod scene;
#[cfg(test)]
mod tests;
