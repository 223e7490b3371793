//! A small ledger of the hospital, built leaf by leaf: what a history is proven from.

use hibiki_protocol::cbor;
use hibiki_protocol::history::HistoryEntry;
use hibiki_protocol::ids::Digest;
use hibiki_protocol::tlog::{
    Checkpoint, Hash, HashReader, KeyAlgorithm, Leaf, NoteSigner, inclusion_proof, leaf_hash, node_hash,
    root_of,
};
use hibiki_protocol::trust::Member;

use crate::fixture::*;
use crate::samples::*;

/// A small ledger of the hospital: three entries it tells of among others, under one checkpoint.
pub(crate) struct SmallLedger {
    pub(crate) entries: Vec<HistoryEntry>,
    pub(crate) checkpoint: String,
}

/// A tree in memory.
struct Tree(Vec<Hash>);

impl HashReader for Tree {
    type Error = std::convert::Infallible;
    fn node(&mut self, level: u8, index: u64) -> Result<Option<Hash>, Self::Error> {
        let Some(below) = level.checked_sub(1) else {
            return Ok(self.0.get(usize::try_from(index).unwrap()).copied());
        };
        let (left, right) = (self.node(below, 2 * index)?, self.node(below, 2 * index + 1)?);
        Ok(left.zip(right).map(|(left, right)| node_hash(&left, &right)))
    }
}

pub(crate) fn small_ledger() -> SmallLedger {
    let told = [(1_u64, linked()), (4, records_shown()), (6, withdrawn())];
    let house = HistoryEntry::house_digest(&[0xd2; 32], b"in the house");
    let mut leaves: Vec<Vec<u8>> = (0..7_u8).map(|number| vec![number; 43]).collect();
    let mut entries = Vec::new();
    for (index, disclosed) in told {
        let bytes = cbor::encode(&disclosed);
        let committed = HistoryEntry::committed(&bytes, &house);
        let leaf = Leaf {
            kind: disclosed.event.kind(),
            time_ms: NOW.0 + index,
            commitment: Leaf::commit(&[0xd1; 32], &committed),
            digests: Vec::new(),
        };
        leaves[usize::try_from(index).unwrap()] = leaf.encode();
        entries.push(HistoryEntry {
            index,
            leaf: leaf.encode(),
            salt: [0xd1; 32],
            disclosed: bytes,
            house,
            path: None,
        });
    }
    let mut tree = Tree(leaves.iter().map(|leaf| leaf_hash(leaf)).collect());
    for entry in &mut entries {
        let path = inclusion_proof(&mut tree, entry.index, 7).unwrap();
        entry.path = Some(path.into_iter().map(|hash| Digest(hash.0)).collect());
    }
    entries.reverse();
    let origin = Member::ledger_origin(&id("chuo-hospital"));
    let signer = NoteSigner::from_seed(&origin, KeyAlgorithm::Ed25519, &[HOSPITAL + 1; 32]).unwrap();
    let checkpoint = Checkpoint { origin, size: 7, root: root_of(&mut tree, 7).unwrap() };
    SmallLedger { entries, checkpoint: checkpoint.sign(&signer).unwrap().to_string() }
}
