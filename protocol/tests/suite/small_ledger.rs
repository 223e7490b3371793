//! A small ledger of the hospital, built leaf by leaf: what a history is proven from.

use hibiki_protocol::cbor;
use hibiki_protocol::history::HistoryEntry;
use hibiki_protocol::ids::Digest;
use hibiki_protocol::tlog::{
    Checkpoint, Hash, HashReader, KeyAlgorithm, Leaf, NoteSigner, consistency_proof, inclusion_proof,
    leaf_hash, node_hash, root_of,
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
    built().0
}

/// Another history of the same ledger, as a witness has seen it, and what shows that it is another one.
pub(crate) struct Rewritten {
    /// Root of the first four entries of the small ledger.
    pub(crate) old_root: Digest,
    /// That they are its first four.
    pub(crate) proof: Vec<Digest>,
    /// A checkpoint of four other entries, signed by the ledger and cosigned by the school.
    pub(crate) kept: String,
    /// The school's cosignature under it.
    pub(crate) cosignature: String,
}

pub(crate) fn rewritten() -> Rewritten {
    let mut tree = built().1;
    let mut other = Tree((0..4_u8).map(|number| leaf_hash(&[number, 0xff])).collect());
    let checkpoint = Checkpoint { origin: origin(), size: 4, root: root_of(&mut other, 4).unwrap() };
    let mut note = checkpoint.sign(&ledger_signer()).unwrap();
    let name = Member::witness_name(&id("dai-ichi-school"));
    let school = NoteSigner::from_seed(&name, KeyAlgorithm::CosignatureV1, &[SCHOOL + 2; 32]).unwrap();
    let cosignature = school.sign(note.text(), NOW.0 / 1000);
    note.add(cosignature.clone());
    let proof = consistency_proof(&mut tree, 4, 7).unwrap();
    Rewritten {
        old_root: Digest(root_of(&mut tree, 4).unwrap().0),
        proof: proof.into_iter().map(|hash| Digest(hash.0)).collect(),
        kept: note.to_string(),
        cosignature: cosignature.to_string(),
    }
}

fn origin() -> String {
    Member::ledger_origin(&id("chuo-hospital"))
}

fn ledger_signer() -> NoteSigner {
    NoteSigner::from_seed(&origin(), KeyAlgorithm::Ed25519, &[HOSPITAL + 1; 32]).unwrap()
}

fn built() -> (SmallLedger, Tree) {
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
    let checkpoint = Checkpoint { origin: origin(), size: 7, root: root_of(&mut tree, 7).unwrap() };
    let checkpoint = checkpoint.sign(&ledger_signer()).unwrap().to_string();
    (SmallLedger { entries, checkpoint }, tree)
}
