//! Proofs of leaves that somebody was promised: found by index *and* hash, so that who does not know the hash
//! learns nothing. Reads tiles and leaves, never a sealed entry: an erased entry is proved like any other.

use std::collections::BTreeMap;

use hibiki_protocol::tlog::{Hash, HashReader as _, Tile, TileReader, inclusion_proof, leaf_hash};

use super::error::ReadError;
use super::head::Signed;
use super::read::unproven;
use super::{Ledger, read_lock};

/// How a promised leaf stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Proved: the number of the checkpoint, and the audit path to it.
    Proved(usize, Vec<Hash>),
    /// In the ledger, and not covered by a checkpoint yet.
    NotYet,
    /// There is no such leaf there.
    Unknown,
}

/// Proofs of promised leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promised {
    /// The checkpoints that paths lead to, signed notes: a cosigned one first, the newest last.
    pub checkpoints: Vec<String>,
    /// How each leaf stands, in the order they were named.
    pub standings: Vec<Standing>,
}

impl Ledger {
    /// Proves leaves by index and hash: to the cosigned checkpoint where that covers them, else to the newest.
    ///
    /// # Errors
    /// [`ReadError`]. That there is no such leaf is an answer, not an error.
    pub fn prove_promised(&self, leaves: &[(u64, Hash)]) -> Result<Promised, ReadError> {
        let heads: Vec<Signed> = {
            let index = read_lock(&self.inner.index);
            let known = |head: &&Signed| {
                index.cosigned.as_ref().is_some_and(|cosigned| cosigned.checkpoint == head.checkpoint)
            };
            index.cosigned.iter().chain(index.head.iter().filter(|head| !known(head))).cloned().collect()
        };
        let standings = self.standings(leaves, &heads)?;
        let checkpoints = heads.into_iter().map(|head| head.note).collect();
        Ok(Promised { checkpoints, standings })
    }

    fn standings(&self, leaves: &[(u64, Hash)], heads: &[Signed]) -> Result<Vec<Standing>, ReadError> {
        // Neighbours share tiles: each is read once.
        let mut read: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut fetch = |tile: Tile| {
            if let Some(bytes) = read.get(&tile.path()) {
                return Ok(bytes.clone());
            }
            let bytes = self.tile(tile)?;
            read.insert(tile.path(), bytes.clone());
            Ok::<_, std::io::Error>(bytes)
        };
        let mut standing = |(index, hash): (u64, Hash)| -> Result<Standing, ReadError> {
            let covering = heads.iter().enumerate().find(|(_, head)| index < head.checkpoint.size);
            let Some((number, head)) = covering else {
                let there = index < self.size() && self.leaf_hash(index)? == hash;
                return Ok(if there { Standing::NotYet } else { Standing::Unknown });
            };
            let size = head.checkpoint.size;
            let mut tiles = TileReader::new(size, &mut fetch);
            if tiles.node(0, index)? != Some(hash) {
                return Ok(Standing::Unknown);
            }
            let path = inclusion_proof(&mut tiles, index, size).map_err(unproven)?;
            hibiki_protocol::tlog::verify_inclusion(index, size, &hash, &path, &head.checkpoint.root)
                .map_err(|_| ReadError::Damaged(index))?;
            Ok(Standing::Proved(number, path))
        };
        leaves.iter().map(|leaf| standing(*leaf)).collect()
    }

    /// Hash of the leaf of a durable entry.
    fn leaf_hash(&self, index: u64) -> Result<Hash, ReadError> {
        self.at(index, |record| leaf_hash(record.leaf))
    }
}

#[cfg(test)]
mod tests {
    use hibiki_protocol::tlog::LogProof;

    use super::*;
    use crate::ledger::details::Refusal;
    use crate::ledger::tests::setup;
    use crate::ledger::{Entry, MemoryStorage, Receipt};
    use std::sync::Arc;

    async fn logged(ledger: &Ledger, subject: Option<[u8; 16]>) -> Receipt {
        ledger.append(Entry::new(1, subject, &Refusal::default()).unwrap()).await.unwrap()
    }

    fn proved(ledger: &Ledger, promised: &Promised, number: usize, receipt: &Receipt) -> Option<usize> {
        let Standing::Proved(checkpoint, path) = &promised.standings[number] else { return None };
        let note = promised.checkpoints[*checkpoint].clone();
        let proof = LogProof { index: receipt.index, path: path.clone(), checkpoint: note };
        proof.verify(&receipt.leaf_hash, ledger.verifier_key(), &[]).unwrap();
        Some(*checkpoint)
    }

    #[tokio::test]
    async fn a_leaf_is_known_by_index_and_hash_and_proved_once_a_checkpoint_covers_it() {
        let storage = Arc::new(MemoryStorage::new());
        let (setup, sealer) = setup();
        let ledger = Ledger::inline(Arc::clone(&storage) as _, setup, 0).unwrap();
        let mut receipts = Vec::new();
        for _ in 0..300 {
            receipts.push(logged(&ledger, Some([4; 16])).await);
        }
        let asked = |receipt: &Receipt| (receipt.index, receipt.leaf_hash);
        let of = |numbers: &[usize]| -> Vec<(u64, Hash)> {
            numbers.iter().map(|number| asked(&receipts[*number])).collect()
        };
        let before = ledger.prove_promised(&of(&[0, 299])).unwrap();
        assert_eq!(before.standings, [Standing::NotYet, Standing::NotYet]);
        ledger.checkpoint().await.unwrap();
        // Erased or not: a leaf is a leaf.
        sealer.erased.lock().unwrap().insert([4; 16]);
        let all = of(&(0..300).collect::<Vec<_>>());
        let promised = ledger.prove_promised(&all).unwrap();
        for (number, receipt) in receipts.iter().enumerate() {
            assert_eq!(proved(&ledger, &promised, number, receipt), Some(0));
        }
        let late = logged(&ledger, None).await;
        let other = receipts[7].leaf_hash;
        let wrong =
            [(receipts[8].index, other), (late.index, other), (late.index + 1, other), (u64::MAX, other)];
        let promised = ledger.prove_promised(&[&wrong[..], &[asked(&late)]].concat()).unwrap();
        assert_eq!(promised.standings[..4], [const { Standing::Unknown }; 4]);
        assert_eq!(promised.standings[4], Standing::NotYet);
    }

    #[tokio::test]
    async fn a_cosigned_checkpoint_is_led_to_where_it_covers_the_leaf() {
        let storage = Arc::new(MemoryStorage::new());
        let ledger = Ledger::inline(storage, setup().0, 0).unwrap();
        let early = logged(&ledger, None).await;
        let cosigned =
            format!("{}— witness.example/w AAAAAAECAwQFBgcI\n", ledger.checkpoint().await.unwrap());
        let alone = ledger.newest_checkpoint().unwrap();
        let late = logged(&ledger, None).await;
        let asked = [(early.index, early.leaf_hash), (late.index, late.leaf_hash)];
        let places = |ledger: &Ledger| {
            let promised = ledger.prove_promised(&asked).unwrap();
            (
                [proved(ledger, &promised, 0, &early), proved(ledger, &promised, 1, &late)],
                promised.checkpoints,
            )
        };
        assert_eq!(places(&ledger), ([Some(0), None], vec![alone]));
        ledger.keep_cosigned(cosigned.clone()).await.unwrap();
        assert_eq!(
            places(&ledger),
            ([Some(0), None], vec![cosigned.clone()]),
            "of two of one size, the one others saw"
        );
        let newest = ledger.checkpoint().await.unwrap();
        assert_eq!(places(&ledger), ([Some(0), Some(1)], vec![cosigned, newest]));
    }
}
