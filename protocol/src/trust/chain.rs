//! Which list may follow which: thresholds, epochs, hash chain.
//!
//! [`Accepted`] is the only way to use a trust list, and only this module makes one.

use std::collections::BTreeSet;

use crate::cbor::{self, wire_struct};
use crate::ids::{Digest, FederationId};
use crate::signing::{Signable as _, Signature, SigningKey, VerifyingKey};
use crate::time::Timestamp;

use super::list::{Root, TrustList};

/// Signatures under one list, at most: the root that ends and the root that begins. Every one costs a
/// verification, so a peer must not be able to add more.
const SIGNATURES_MAX: usize = 2 * crate::limits::ROOT_KEYS_MAX;

wire_struct! {
    /// One root key's signature under a trust list.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RootSignature {
        /// The signing root key.
        1 => pub key: VerifyingKey,
        /// Its signature over the list's bytes.
        3 => pub signature: Signature,
    }
}

wire_struct! {
    /// A trust list as published: its bytes, and the council's signatures over them.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SignedTrustList {
        /// The encoded [`TrustList`].
        1 => pub payload: Vec<u8>,
        /// Signatures, in any order.
        3 => pub signatures: Vec<RootSignature>,
    }
}

wire_struct! {
    /// What a party is given out of band when it joins: the federation's name and root.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RootAnchor {
        /// The federation.
        1 => pub federation: FederationId,
        /// Its root keys and thresholds.
        3 => pub root: Root,
    }
}

impl SignedTrustList {
    /// A list without signatures yet.
    pub fn unsigned(list: &TrustList) -> Self {
        Self { payload: cbor::encode(list), signatures: Vec::new() }
    }

    /// Adds one root key's signature.
    pub fn sign(&mut self, key: &SigningKey) {
        let verifying = key.verifying_key();
        self.signatures.retain(|existing| existing.key != verifying);
        let signature = key.sign(TrustList::LABEL, &self.payload);
        self.signatures.push(RootSignature { key: verifying, signature });
    }

    /// Digest of the list itself (not of its signatures): the link of the chain.
    pub fn digest(&self) -> Digest {
        Digest::of(&[&self.payload])
    }

    /// How many different keys of `root` have validly signed.
    pub fn valid_signatures(&self, root: &Root) -> u64 {
        let valid: BTreeSet<_> = self
            .signatures
            .iter()
            .filter(|signed| root.keys.contains(&signed.key))
            .filter(|signed| signed.key.verifies(TrustList::LABEL, &self.payload, &signed.signature))
            .map(|signed| signed.key)
            .collect();
        valid.len() as u64
    }
}

/// Why a trust list was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The bytes are not a trust list.
    #[error("not a trust list: {0}")]
    Decode(#[from] cbor::DecodeError),
    /// The list contradicts itself.
    #[error("the trust list makes no sense: {0}")]
    Fault(&'static str),
    /// It belongs to another federation.
    #[error("the trust list belongs to another federation")]
    OtherFederation,
    /// Too few valid signatures.
    #[error("the trust list has {valid} valid signatures of the {needed} it needs")]
    Threshold {
        /// Valid signatures found.
        valid: u64,
        /// Signatures needed.
        needed: u64,
    },
    /// An older list than the one in force.
    #[error("epoch {offered} is older than epoch {installed} in force")]
    Rollback {
        /// Epoch in force.
        installed: u64,
        /// Epoch offered.
        offered: u64,
    },
    /// Does not continue the list in force.
    #[error("epoch {offered} does not continue the list in force")]
    BrokenChain {
        /// Epoch offered.
        offered: u64,
    },
    /// Lists in between are missing: they must be fetched and taken one by one.
    #[error("epochs {from} to {to} are missing in between")]
    Gap {
        /// First missing epoch.
        from: u64,
        /// Last missing epoch.
        to: u64,
    },
    /// Two different, validly signed lists of one epoch exist: keep both as evidence, raise an alarm.
    #[error("two different lists of epoch {epoch} carry valid signatures")]
    Equivocation {
        /// The epoch that exists twice.
        epoch: u64,
    },
    /// Issued in the future beyond the allowed clock difference.
    #[error("the trust list is issued in the future; check this machine's clock")]
    FromTheFuture,
}

/// What to do with an offered list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The very list in force.
    Same,
    /// A true successor: store it durably, then use it.
    Install(Box<Accepted>),
}

/// Whether a list is still current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not yet expired.
    Current,
    /// Expired, within the days of grace: everything works and everything warns.
    Grace,
    /// Expired beyond grace: no new sessions.
    Expired,
}

/// A trust list that was verified against the root in force; the only form in which one is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    list: TrustList,
    signed: SignedTrustList,
    digest: Digest,
}

impl Accepted {
    /// Accepts the first list a party ever sees, against the root it was given out of band.
    ///
    /// # Errors
    /// Any rule of the list, the anchor or the signatures is broken.
    pub fn first(anchor: &RootAnchor, signed: &SignedTrustList) -> Result<Self, Refused> {
        let accepted = Self::read(signed)?;
        if accepted.list.federation != anchor.federation {
            return Err(Refused::OtherFederation);
        }
        if accepted.list.root != anchor.root {
            return Err(Refused::BrokenChain { offered: accepted.list.epoch });
        }
        enough(signed, &anchor.root, anchor.root.threshold)?;
        Ok(accepted)
    }

    /// What to do with `offered`, given this list in force.
    ///
    /// # Errors
    /// The list must not be installed; [`Refused::Equivocation`] is evidence to keep.
    pub fn consider(&self, offered: &SignedTrustList, now: Timestamp) -> Result<Decision, Refused> {
        let next = Self::read(offered)?;
        let (installed, epoch) = (self.list.epoch, next.list.epoch);
        if next.list.federation != self.list.federation {
            return Err(Refused::OtherFederation);
        }
        if next.digest == self.digest {
            return Ok(Decision::Same);
        }
        if epoch == installed {
            enough(offered, &self.list.root, self.list.root.removal_threshold)?;
            return Err(Refused::Equivocation { epoch });
        }
        if epoch < installed {
            return Err(Refused::Rollback { installed, offered: epoch });
        }
        if epoch - installed > 1 {
            return Err(Refused::Gap { from: installed + 1, to: epoch - 1 });
        }
        if next.list.previous != self.digest || next.list.issued < self.list.issued {
            return Err(Refused::BrokenChain { offered: epoch });
        }
        if next.list.issued > now.plus(crate::limits::CLOCK_SKEW_MILLIS) {
            return Err(Refused::FromTheFuture);
        }
        enough(offered, &self.list.root, self.needed_for(&next.list))?;
        if next.list.root != self.list.root {
            enough(offered, &next.list.root, next.list.root.threshold)?;
        }
        Ok(Decision::Install(Box::new(next)))
    }

    /// Signatures of the present root that `next` needs: fewer if it only removes members.
    fn needed_for(&self, next: &TrustList) -> u64 {
        let only_removes = next.root == self.list.root
            && next.card_authorities.iter().all(|authority| self.list.card_authorities.contains(authority))
            && next.members.len() < self.list.members.len()
            && next.members.iter().all(|member| self.list.members.contains(member));
        if only_removes { self.list.root.removal_threshold } else { self.list.root.threshold }
    }

    fn read(signed: &SignedTrustList) -> Result<Self, Refused> {
        if signed.signatures.len() > SIGNATURES_MAX {
            return Err(Refused::Fault("it carries more signatures than two roots have keys"));
        }
        let list: TrustList = cbor::decode(&signed.payload)?;
        match list.fault() {
            Some(fault) => Err(Refused::Fault(fault)),
            None => Ok(Self { list, signed: signed.clone(), digest: signed.digest() }),
        }
    }

    /// The list.
    pub fn list(&self) -> &TrustList {
        &self.list
    }

    /// The list as published, for storing and passing on.
    pub fn signed(&self) -> &SignedTrustList {
        &self.signed
    }

    /// Digest of the list: what its successor names as previous.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether the list is current at `now`, given `grace_millis` of grace after its expiry.
    pub fn standing(&self, now: Timestamp, grace_millis: u64) -> Standing {
        if now <= self.list.expires {
            Standing::Current
        } else if now <= self.list.expires.plus(grace_millis) {
            Standing::Grace
        } else {
            Standing::Expired
        }
    }
}

fn enough(signed: &SignedTrustList, root: &Root, needed: u64) -> Result<(), Refused> {
    let valid = signed.valid_signatures(root);
    if valid >= needed { Ok(()) } else { Err(Refused::Threshold { valid, needed }) }
}
