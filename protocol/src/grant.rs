//! A grant: the registry's signed, short-lived permission for one subject, one institution and one
//! session key.

use crate::cbor::{wire_code, wire_struct};
use crate::ids::{Category, Digest, GrantId, GuardianAlias, MemberId};
use crate::limits;
use crate::sealing::SealingKeyId;
use crate::signing::{Signable, Signed, VerifyingKey};
use crate::time::Timestamp;
use crate::token::SealedToken;
use crate::trust::{Role, TrustList};

wire_code! {
    /// Why the holder may act for the subject.
    pub enum Basis {
        /// She is the subject.
        1 => Oneself = "self",
        /// Parental authority held alone (民法 818条).
        2 => ParentalSole = "parental_sole",
        /// Parental authority held jointly.
        3 => ParentalJoint = "parental_joint",
        /// Guardian of a minor appointed by will or court (未成年後見人, 民法 839条).
        4 => LegalGuardian = "legal_guardian",
        /// Foster parent (里親, 児童福祉法 6条の4).
        5 => Foster = "foster",
        /// Head of a children's facility (児童福祉法 47条).
        6 => FacilityHead = "facility_head",
    }
}

wire_struct! {
    /// What the registry permits.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Grant {
        /// Protocol version.
        1 => pub version: u64,
        /// Random name of this grant.
        3 => pub id: GrantId,
        /// The registry that grants.
        5 => pub registry: MemberId,
        /// The only institution it is for.
        7 => pub audience: MemberId,
        /// The key whose holder may use it.
        9 => pub session_key: VerifyingKey,
        /// The holder, as this institution knows him.
        11 => pub guardian: GuardianAlias,
        /// Which of the institution's keys the token is sealed to.
        13 => pub token_key: SealingKeyId,
        /// The subject, readable by this institution only.
        15 => pub token: SealedToken,
        /// On what basis.
        17 => pub basis: Basis,
        /// Categories permitted; empty means every category.
        19 => pub categories: Vec<Category>,
        /// When it was granted.
        21 => pub issued: Timestamp,
        /// When it ends, at most [`limits::SESSION_MILLIS_MAX`] later.
        23 => pub expires: Timestamp,
        /// Salted digest of certificate, statement and card signature: a forged access can be
        /// proved later, though no institution ever sees a card number. The salt is fresh for every
        /// grant; a common one would make this digest a common identifier.
        25 => pub evidence: Digest,
        /// Epoch of the trust list it was granted under.
        27 => pub epoch: u64,
        /// Whether the card is a simulated one.
        29 => pub simulated: bool,
    }
}

impl Signable for Grant {
    const LABEL: &'static str = "hibiki/1/grant";
}

/// Why a grant does not permit what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantFault {
    /// The granting party is no registry of the federation, or its signature does not verify.
    #[error("the grant is not signed by a registry of the federation")]
    Registry,
    /// It is for another institution.
    #[error("the grant is for another institution")]
    Audience,
    /// Expired, not yet valid, or valid for too long.
    #[error("the grant is not valid at this time")]
    Time,
    /// Granted under a trust list that is too old or not yet known here.
    #[error("the grant was made under another trust list")]
    Epoch,
    /// Not a grant, or of another version.
    #[error("not a grant of this version")]
    Malformed,
}

/// A grant whose signature, registry, audience, time and epoch were checked.
#[derive(Clone, Debug)]
pub struct VerifiedGrant {
    grant: Grant,
    /// Digest of the signed structure: which grant this is.
    digest: Digest,
}

impl VerifiedGrant {
    /// Verifies `signed` for the institution `audience` under the trust list in force.
    ///
    /// Epochs: a grant under the list in force or the one before is accepted, so that a new list
    /// does not end every session in the town; a removed registry's grants are refused at once,
    /// because its key is looked up in the list in force.
    ///
    /// # Errors
    /// What is wrong with it; the holder learns only that it was not accepted.
    pub fn verify(
        signed: &Signed<Grant>,
        audience: &MemberId,
        list: &TrustList,
        now: Timestamp,
    ) -> Result<Self, GrantFault> {
        let claimed = signed.claimed().map_err(|_| GrantFault::Malformed)?;
        let registry = list.member(&claimed.registry).filter(|member| member.has_role(Role::Registry));
        let key = registry.ok_or(GrantFault::Registry)?.signing_key;
        let grant = signed.verify(&key).map_err(|_| GrantFault::Registry)?;
        if grant.version != limits::VERSION_MAX || grant.categories.len() > limits::CATEGORIES_MAX {
            return Err(GrantFault::Malformed);
        }
        if &grant.audience != audience {
            return Err(GrantFault::Audience);
        }
        Self { grant, digest: signed.digest() }.still_valid(list, now)
    }

    /// Checks time and epoch again: for a grant whose signature was verified before.
    ///
    /// # Errors
    /// It has expired meanwhile, or the trust list moved on.
    pub fn still_valid(self, list: &TrustList, now: Timestamp) -> Result<Self, GrantFault> {
        let grant = &self.grant;
        let lifetime = grant.expires.since(grant.issued);
        if lifetime == 0
            || lifetime > limits::SESSION_MILLIS_MAX
            || grant.expires <= now
            || grant.issued > now.plus(limits::CLOCK_SKEW_MILLIS)
        {
            return Err(GrantFault::Time);
        }
        if grant.epoch > list.epoch || grant.epoch + 1 < list.epoch {
            return Err(GrantFault::Epoch);
        }
        if !list.member(&grant.registry).is_some_and(|member| member.has_role(Role::Registry)) {
            return Err(GrantFault::Registry);
        }
        Ok(self)
    }

    /// The grant.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Whether this is `signed`, verified for `audience`.
    pub fn is_of(&self, signed: &Signed<Grant>, audience: &MemberId) -> bool {
        &self.grant.audience == audience && self.digest == signed.digest()
    }
}
