//! Proofs of leaves that somebody was promised: found by index *and* hash, so that who does not know the hash
//! learns nothing. Reads tiles and leaves, never a sealed entry: an erased entry is proved like any other.

use std::collections::BTreeMap;

use hibiki_protocol::tlog::{Hash, HashReader as _, Tile, TileReader, inclusion_proof, leaf_hash};

use super::error::ReadError;
use super::head::{self, COSIGNED, Signed};
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
        let newest = read_lock(&self.inner.index).head.clone();
        let mut heads: Vec<Signed> = self.cosigned(newest.as_ref()).into_iter().chain(newest).collect();
        let mut standings = self.standings(leaves, &heads);
        if standings.is_err() && heads.len() > 1 {
            // What others brought back may not be what is here: our own newest head is.
            heads.remove(0);
            standings = self.standings(leaves, &heads);
        }
        let checkpoints = heads.into_iter().map(|head| head.note).collect();
        Ok(Promised { checkpoints, standings: standings? })
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

    /// The cosigned checkpoint, if there is one that is ours and older than the newest. Whose cosignatures it has
    /// is for its reader to judge.
    fn cosigned(&self, newest: Option<&Signed>) -> Option<Signed> {
        let note = self.inner.storage.read(COSIGNED).ok().flatten()?;
        let cosigned = head::open(&note, self.verifier_key()).ok()?;
        (cosigned.checkpoint.size <= newest?.checkpoint.size).then_some(cosigned)
    }

    /// Hash of the leaf of a durable entry.
    fn leaf_hash(&self, index: u64) -> Result<Hash, ReadError> {
        self.at(index, |record| leaf_hash(record.leaf))
    }
}

#[cfg(test)]
mod tests {
    use hibiki_protocol::tlog::{Checkpoint, LogProof};

    use super::*;
    use crate::ledger::details::Refusal;
    use crate::ledger::tests::{ORIGIN, setup, signer};
    use crate::ledger::{Entry, MemoryStorage, Receipt, Storage as _};
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
    async fn a_cosigned_checkpoint_is_led_to_where_it_covers_the_leaf_and_is_ours() {
        let storage = Arc::new(MemoryStorage::new());
        let ledger = Ledger::inline(Arc::clone(&storage) as _, setup().0, 0).unwrap();
        let early = logged(&ledger, None).await;
        let cosigned =
            format!("{}— witness.example/w AAAAAAECAwQFBgcI\n", ledger.checkpoint().await.unwrap());
        let late = logged(&ledger, None).await;
        let newest = ledger.checkpoint().await.unwrap();
        let asked = [(early.index, early.leaf_hash), (late.index, late.leaf_hash)];
        let places = |ledger: &Ledger| {
            let promised = ledger.prove_promised(&asked).unwrap();
            (
                [proved(ledger, &promised, 0, &early), proved(ledger, &promised, 1, &late)],
                promised.checkpoints,
            )
        };
        assert_eq!(places(&ledger), ([Some(0), Some(0)], vec![newest.clone()]));
        let put = |note: &str| {
            storage.publish(&[(COSIGNED.to_owned(), note.as_bytes().to_vec())]).unwrap();
        };
        put(&cosigned);
        assert_eq!(places(&ledger), ([Some(0), Some(1)], vec![cosigned, newest.clone()]));
        // Not readable, of another key, or of another tree: our own newest head, as if there were none.
        put("nothing");
        assert_eq!(places(&ledger), ([Some(0), Some(0)], vec![newest.clone()]));
        let head = Checkpoint { origin: ORIGIN.to_owned(), size: 2, root: Hash([7; 32]) };
        put(&head.sign(&signer(ORIGIN, 8)).unwrap().to_string());
        assert_eq!(places(&ledger), ([Some(0), Some(0)], vec![newest.clone()]));
        put(&head.sign(&signer(ORIGIN, 7)).unwrap().to_string());
        assert_eq!(places(&ledger), ([Some(0), Some(0)], vec![newest]));
    }
}
