//! The regulator: verifies ledgers and data locality from artefacts alone.
//!
//! Owns two questions. [`log`]: is this copied ledger folder complete, unaltered and signed? [`scan`]: do these
//! bytes (folders, disk images, memory dumps) contain a secret of somebody else? Nothing here asks a running
//! node, holds a private key, or believes a party's own word.
//!
//! Small enough to be read in an afternoon: that is the point of it.
#![forbid(unsafe_code)]

pub mod log;
pub mod scan;
