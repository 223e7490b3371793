//! Transparency-log arithmetic: RFC 6962 Merkle trees, C2SP tiles, signed notes, checkpoints and
//! cosignatures, and the leaf of a Hibiki ledger.
//!
//! Owns the mathematics by which anybody can prove that nothing was removed from a log. Knows neither
//! files nor time: hashes come through [`HashReader`], keys and bytes as arguments. Formats are those of
//! <https://c2sp.org/tlog-tiles>, [tlog-checkpoint](https://c2sp.org/tlog-checkpoint),
//! [signed-note](https://c2sp.org/signed-note), [tlog-proof](https://c2sp.org/tlog-proof) and
//! [tlog-cosignature](https://c2sp.org/tlog-cosignature), [tlog-witness](https://c2sp.org/tlog-witness),
//! so that verifiers nobody here wrote can check a ledger.

mod bundle;
mod checkpoint;
mod edge;
mod frontier;
mod hash;
mod leaf;
mod log_proof;
mod note;
mod proof;
mod tile;
#[cfg(test)]
mod vectors;
mod vkey;
mod witness;

pub use bundle::{BundleError, decode_bundle, encode_entry};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use edge::TileEdge;
pub use frontier::Frontier;
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
pub use leaf::{DigestKind, EntryKind, Leaf, LeafError};
pub use log_proof::{LogProof, LogProofError};
pub use note::{MAX_NOTE_BYTES, MAX_SIGNATURES, NoteError, NoteSignature, SignedNote, Verified, split_notes};
pub use proof::{
    HashReader, ProofError, ProofFailure, consistency_proof, inclusion_proof, root_of, verify_consistency,
    verify_inclusion,
};
pub use tile::{FULL_TILE, TILE_HEIGHT, Tile, TilePathError, TileReader, tiles_of};
pub use vkey::{KeyAlgorithm, NoteSigner, VerifierKey, VkeyError};
pub use witness::{Cosignable, Fork, Growth, Verdict, judge};
