//! Inclusion and consistency proofs: made from stored hashes, checked from nothing but two roots.
//! Generation follows RFC 6962 section 2.1, verification RFC 9162 sections 2.1.3.2 and 2.1.4.2.

use super::hash::{Hash, empty_root, node_hash};

/// Where the hashes of complete subtrees come from.
pub trait HashReader {
    /// What may go wrong while reading.
    type Error;

    /// The hash of the complete subtree over leaves `index · 2^level .. (index + 1) · 2^level`, or `None`
    /// if the log does not have it.
    ///
    /// # Errors
    /// Whatever the store behind the reader reports.
    fn node(&mut self, level: u8, index: u64) -> Result<Option<Hash>, Self::Error>;
}

/// Why a proof could not be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError<E> {
    /// The question makes no sense for a log of that size.
    #[error("no proof: {index} is outside a log of {size} leaves")]
    OutOfRange {
        /// The leaf or the older size that was asked for.
        index: u64,
        /// The size of the log.
        size: u64,
    },
    /// A hash that the log of that size must have is not there.
    #[error("no proof: the hash at level {level}, number {index} is missing")]
    Missing {
        /// Level of the subtree, 0 = leaf.
        level: u8,
        /// Number of the subtree in its level.
        index: u64,
    },
    /// The store behind the reader failed.
    #[error("no proof: the hashes could not be read")]
    Read(E),
}

/// Why a proof does not convince.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFailure {
    /// The sizes contradict each other.
    #[error("the sizes contradict each other")]
    Sizes,
    /// The proof has another length than these sizes call for.
    #[error("the proof has the wrong length for these sizes")]
    Length,
    /// The proof leads to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// The root of the first `size` leaves.
///
/// # Errors
/// [`ProofError`] if a hash is missing or cannot be read.
pub fn root_of<R: HashReader>(reader: &mut R, size: u64) -> Result<Hash, ProofError<R::Error>> {
    if size == 0 { Ok(empty_root()) } else { range_hash(reader, 0, size) }
}

/// The audit path of leaf `index` in the tree of the first `size` leaves (RFC 6962 section 2.1.1).
///
/// # Errors
/// [`ProofError`] if the leaf is outside the tree, or a hash is missing or cannot be read.
pub fn inclusion_proof<R: HashReader>(
    reader: &mut R,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofError<R::Error>> {
    if index >= size {
        return Err(ProofError::OutOfRange { index, size });
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range_hash(reader, middle, end)?);
            end = middle;
        } else {
            path.push(range_hash(reader, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `old` leaves is a prefix of the tree of `size` leaves (RFC 6962 section
/// 2.1.2). Empty for equal sizes.
///
/// # Errors
/// [`ProofError`] if `old` is larger than `size` or is the empty tree (a prefix of everything, so that a
/// proof would say nothing), or a hash is missing or cannot be read.
pub fn consistency_proof<R: HashReader>(
    reader: &mut R,
    old: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofError<R::Error>> {
    if old > size || old == 0 {
        return Err(ProofError::OutOfRange { index: old, size });
    }
    if old == size {
        return Ok(Vec::new());
    }
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(range_hash(reader, middle, end)?);
            end = middle;
        } else {
            proof.push(range_hash(reader, start, middle)?);
            start = middle;
        }
    }
    // The old root itself is known to the verifier; any other subtree must be shown.
    if start > 0 {
        proof.push(range_hash(reader, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that `leaf` is leaf number `index` of the tree with this size and root.
///
/// # Errors
/// [`ProofFailure`] if it does not follow.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofFailure> {
    if index >= size {
        return Err(ProofFailure::Sizes);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofFailure::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        Err(ProofFailure::Length)
    } else if hash != *root {
        Err(ProofFailure::Root)
    } else {
        Ok(())
    }
}

/// Checks that the tree `(old, old_root)` is a prefix of the tree `(size, root)`. A claim about the empty tree
/// is refused, since it says nothing about the larger one.
///
/// # Errors
/// [`ProofFailure`] if it does not follow.
pub fn verify_consistency(
    old: u64,
    size: u64,
    proof: &[Hash],
    old_root: &Hash,
    root: &Hash,
) -> Result<(), ProofFailure> {
    if old > size || old == 0 {
        return Err(ProofFailure::Sizes);
    }
    if old == size {
        return match (proof.is_empty(), old_root == root) {
            (false, _) => Err(ProofFailure::Length),
            (true, false) => Err(ProofFailure::Root),
            (true, true) => Ok(()),
        };
    }
    let (mut node, mut last) = (old - 1, size - 1);
    let shift = node.trailing_ones();
    (node, last) = (node >> shift, last >> shift);
    // If the old tree is itself a complete subtree, its root opens the proof without being shown.
    let mut rest = proof.iter();
    let start = if old.is_power_of_two() { old_root } else { rest.next().ok_or(ProofFailure::Length)? };
    let (mut old_hash, mut hash) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return Err(ProofFailure::Length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        Err(ProofFailure::Length)
    } else if old_hash != *old_root || hash != *root {
        Err(ProofFailure::Root)
    } else {
        Ok(())
    }
}

/// The largest power of two below `n`, for `n` of 2 or more.
const fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The Merkle tree hash over the leaves `start..end`, `start` being aligned as the splits make it.
fn range_hash<R: HashReader>(reader: &mut R, mut start: u64, end: u64) -> Result<Hash, ProofError<R::Error>> {
    let mut peaks = Vec::new();
    while start < end {
        let level = u8::try_from((end - start).ilog2().min(start.trailing_zeros())).unwrap_or(u8::MAX);
        let index = start >> level;
        let hash = reader
            .node(level, index)
            .map_err(ProofError::Read)?
            .ok_or(ProofError::Missing { level, index })?;
        peaks.push(hash);
        start += 1 << level;
    }
    let mut peaks = peaks.into_iter().rev();
    let last = peaks.next().unwrap_or_else(empty_root);
    Ok(peaks.fold(last, |right, left| node_hash(&left, &right)))
}
