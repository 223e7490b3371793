//! Institutions with small ledgers, and the trust lists that name their keys, for the tests of receipts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::convert::Infallible;

use hibiki_protocol::ids::{Digest, FederationId, MemberId};
use hibiki_protocol::receipt::{LeafProof, LeafStanding, Promise, ProofPage, Receipt};
use hibiki_protocol::signing::{Signed, SigningKey};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::tlog::{
    Checkpoint, Hash, HashReader, KeyAlgorithm, LogProof, NoteSigner, inclusion_proof, leaf_hash, node_hash,
    root_of,
};
use hibiki_protocol::trust::{
    Member, MemberKind, Role, Root, RootAnchor, SignedTrustList, TlsKey, TrustList,
};

use super::kept::{Denial, KeptReceipt};
use super::lists::Lists;

/// 2026-11-22 12:00 in Japan.
pub(crate) const NOON: Timestamp = Timestamp(1_795_316_400_000);
pub(crate) const HOSPITAL: &str = "maebashi/chuo-hospital";
pub(crate) const SCHOOL: &str = "maebashi/dai-ichi-school";

struct Tree(Vec<Hash>);

impl HashReader for Tree {
    type Error = Infallible;
    fn node(&mut self, level: u8, index: u64) -> Result<Option<Hash>, Infallible> {
        let Some(below) = level.checked_sub(1) else {
            return Ok(self.0.get(usize::try_from(index).unwrap()).copied());
        };
        let (left, right) = (self.node(below, 2 * index)?, self.node(below, 2 * index + 1)?);
        Ok(left.zip(right).map(|(left, right)| node_hash(&left, &right)))
    }
}

/// An institution at one time: its keys, and a ledger of as many leaves as anybody asks for.
#[derive(Clone)]
pub(crate) struct Institution {
    pub(crate) id: MemberId,
    pub(crate) signing: [u8; 32],
    pub(crate) ledger: [u8; 32],
    /// What its leaves are of: another ledger has others.
    pub(crate) flavour: u8,
}

impl Institution {
    pub(crate) fn new(id: &str, seed: u8) -> Self {
        let id = MemberId::new(id).unwrap();
        Self { id, signing: [seed; 32], ledger: [seed + 1; 32], flavour: seed }
    }

    /// The same institution after its keys were changed.
    pub(crate) fn with_signing(&self, seed: u8) -> Self {
        Self { signing: [seed; 32], ..self.clone() }
    }

    /// The same institution after its ledger was begun anew.
    pub(crate) fn with_ledger(&self, seed: u8) -> Self {
        Self { ledger: [seed; 32], flavour: seed, ..self.clone() }
    }

    pub(crate) fn signer(&self) -> NoteSigner {
        let origin = Member::ledger_origin(&self.id);
        NoteSigner::from_seed(&origin, KeyAlgorithm::Ed25519, &self.ledger).unwrap()
    }

    pub(crate) fn member(&self) -> Member {
        Member {
            id: self.id.clone(),
            kind: MemberKind::Hospital,
            name_ja: "施設".into(),
            name_en: "Institution".into(),
            roles: vec![Role::Responder],
            addresses: Vec::new(),
            tls_key: TlsKey(self.ledger),
            tls_key_next: None,
            signing_key: SigningKey::from_seed(&self.signing).verifying_key(),
            sealing_keys: Vec::new(),
            ledger_key: hibiki_protocol::signing::VerifyingKey(
                *self.signer().verifier_key().public_key().as_bytes(),
            ),
            registry_area: None,
            witness_key: None,
        }
    }

    fn leaf(&self, index: u64) -> Hash {
        leaf_hash(&[&[self.flavour][..], &index.to_be_bytes()].concat())
    }

    pub(crate) fn promise_of(&self, receipt: Receipt, at: Timestamp) -> Signed<Promise> {
        Signed::sign(&Promise { version: 1, receipt, at }, &SigningKey::from_seed(&self.signing))
    }

    /// What it promises of entry `index`, believed by the trust list of `epoch`.
    pub(crate) fn receipt(&self, index: u64, epoch: u64) -> KeptReceipt {
        self.receipt_at(index, epoch, NOON)
    }

    pub(crate) fn receipt_at(&self, index: u64, epoch: u64, at: Timestamp) -> KeptReceipt {
        let leaf_hash = Digest(self.leaf(index).0);
        let receipt = Receipt { origin: Member::ledger_origin(&self.id), index, leaf_hash };
        let signed = self.promise_of(receipt, at);
        let promise = signed.claimed().unwrap();
        let ledger = self.signer().verifier_key().clone();
        KeptReceipt { member: self.id.clone(), ledger, epoch, promise, signed, proof: None, denied: None }
    }

    fn tree(&self, size: u64) -> Tree {
        Tree((0..size).map(|index| self.leaf(index)).collect())
    }

    /// The checkpoint over the first `size` entries.
    pub(crate) fn checkpoint(&self, size: u64) -> String {
        let root = root_of(&mut self.tree(size), size).unwrap();
        let checkpoint = Checkpoint { origin: Member::ledger_origin(&self.id), size, root };
        checkpoint.sign(&self.signer()).unwrap().to_string()
    }

    pub(crate) fn path(&self, index: u64, size: u64) -> Vec<Hash> {
        inclusion_proof(&mut self.tree(size), index, size).unwrap()
    }

    /// The proof of entry `index` by the checkpoint over `size`.
    pub(crate) fn proof(&self, index: u64, size: u64) -> LogProof {
        LogProof { index, path: self.path(index, size), checkpoint: self.checkpoint(size) }
    }

    pub(crate) fn proved(&self, index: u64, size: u64, epoch: u64) -> KeptReceipt {
        KeptReceipt { proof: Some(self.proof(index, size).to_string()), ..self.receipt(index, epoch) }
    }

    /// What it says when asked for the proof of entry `index`.
    pub(crate) fn page(&self, index: u64, size: u64) -> ProofPage {
        let path = self.path(index, size).into_iter().map(|hash| Digest(hash.0)).collect();
        let standing = LeafStanding::Proved;
        let proof = LeafProof { index, standing, checkpoint: Some(0), path: Some(path) };
        ProofPage { checkpoints: vec![self.checkpoint(size)], proofs: vec![proof] }
    }
}

pub(crate) fn denied(receipt: &KeptReceipt, checkpoint: Option<String>) -> KeptReceipt {
    KeptReceipt { denied: Some(Denial { checkpoint }), ..receipt.clone() }
}

/// The council, and the lists it has published.
pub(crate) struct Council {
    key: SigningKey,
    pub(crate) published: Vec<SignedTrustList>,
}

impl Council {
    pub(crate) fn new() -> Self {
        Self { key: SigningKey::from_seed(&[200; 32]), published: Vec::new() }
    }

    fn root(&self) -> Root {
        Root { keys: vec![self.key.verifying_key()], threshold: 1, removal_threshold: 1 }
    }

    pub(crate) fn anchor(&self) -> RootAnchor {
        RootAnchor { federation: FederationId::new("maebashi").unwrap(), root: self.root() }
    }

    /// Publishes the next list, a day after the one before.
    pub(crate) fn publish(&mut self, members: &[&Institution]) -> SignedTrustList {
        let epoch = self.published.len() as u64 + 1;
        let issued = Timestamp(NOON.0 - 86_400_000 + epoch * 1000);
        let list = TrustList {
            version: 1,
            federation: FederationId::new("maebashi").unwrap(),
            epoch,
            previous: self.published.last().map_or(Digest::ZERO, SignedTrustList::digest),
            issued,
            expires: Timestamp(issued.0 + 10 * 86_400_000),
            root: self.root(),
            members: members.iter().map(|institution| institution.member()).collect(),
            card_authorities: Vec::new(),
        };
        let mut signed = SignedTrustList::unsigned(&list);
        signed.sign(&self.key);
        self.published.push(signed.clone());
        signed
    }

    /// The lists of these epochs, verified.
    pub(crate) fn lists(&self, epochs: &[usize]) -> Lists {
        let offered =
            epochs.iter().map(|epoch| (epoch.to_string(), self.published[epoch - 1].clone())).collect();
        let (lists, refused) = Lists::gather(&self.anchor(), offered, NOON);
        assert!(refused.is_empty(), "{refused:?}");
        lists
    }
}
