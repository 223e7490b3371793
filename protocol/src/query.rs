//! A query to one institution: signed by that institution's session key, sealed to that institution.
//!
//! [`Part`] → [`OpenedPart`] → [`VerifiedQuery`]: each step is a type, and the next one can only be
//! made from the one before. What a responder may read is decided later, by [`crate::policy`].

use crate::act::Act;
use crate::cbor::{self, wire_code, wire_struct};
use crate::grant::{Basis, Grant, GrantFault, VerifiedGrant};
use crate::ids::{Category, Digest, MemberId, QueryId};
use crate::limits;
use crate::sealing::{self, SealError, Sealed, SealingKeyId, SealingPublic, SealingSecret};
use crate::session::Purpose;
use crate::signing::{Signable, Signed, SigningKey, VerifyingKey};
use crate::time::{Day, Timestamp};
use crate::trust::{SealingKey, TrustList};

wire_struct! {
    /// What is asked.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Query {
        /// Protocol version.
        1 => pub version: u64,
        /// Random name of this query at this institution.
        3 => pub id: QueryId,
        /// The only institution it is for.
        5 => pub audience: MemberId,
        /// The registry's permission.
        7 => pub grant: Signed<Grant>,
        /// Why it is asked.
        9 => pub purpose: Purpose,
        /// Which categories; empty asks for every category the grant permits.
        11 => pub categories: Vec<Category>,
        /// Only records of this day or later.
        13 => pub since: Option<Day>,
        /// A fresh key the answer is sealed to.
        15 => pub answer_key: SealingPublic,
        /// When it was made.
        17 => pub issued: Timestamp,
        /// When it is too old, at most [`limits::QUERY_MILLIS_MAX`] later.
        19 => pub expires: Timestamp,
        /// Epoch of the trust list the terminal uses.
        21 => pub epoch: u64,
        /// Digest of that list: a relay cannot move the two ends to different lists unseen.
        23 => pub list_digest: Digest,
        /// What is asked for instead of records; absent: records. Critical: an institution that does not
        /// know it must not answer as if records had been asked for.
        25 => pub act: Option<Act>,
    }
}

impl Signable for Query {
    const LABEL: &'static str = "hibiki/1/query";
}

wire_struct! {
    /// A query, sealed to one institution: all a relay ever sees of it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Part {
        /// The institution.
        1 => pub audience: MemberId,
        /// Which of its keys it is sealed to.
        3 => pub key_id: SealingKeyId,
        /// The padded, signed query.
        5 => pub sealed: Sealed,
    }
}

wire_code! {
    /// Why an institution does not work on a part. Before the part is opened nothing else is said.
    pub enum Refusal {
        /// No common protocol version.
        1 => Version = "version",
        /// The freshness token is unknown here or too old; fetch a new one and send again.
        2 => Stale = "stale",
        /// Too much work; try again after the time given.
        3 => Busy = "busy",
        /// Query or grant has expired, or was made under another trust list.
        4 => Expired = "expired",
        /// This very query was answered before.
        5 => Replayed = "replayed",
        /// Grant or holder's proof is not acceptable.
        6 => Unauthorized = "unauthorized",
        /// Not a well-formed part for this institution.
        7 => Malformed = "malformed",
        /// The ledger cannot be written: nothing is released.
        8 => NotLogged = "not_logged",
        /// Internal fault of the institution (its store cannot be read, say).
        9 => Fault = "fault",
    }
}

fn part_info(audience: &MemberId, key: SealingKeyId) -> Vec<u8> {
    sealing::info("hibiki/1/part", &[audience.as_str().as_bytes(), &key.0])
}

impl Part {
    /// Signs and seals `query` for the institution that holds `to`, and says what its answer will be
    /// sealed for. Every part has one size.
    ///
    /// # Errors
    /// The sealing key is invalid, or the query does not fit the common size.
    pub fn seal(
        query: &Query,
        session_key: &SigningKey,
        to: &SealingKey,
    ) -> Result<(Self, ReplyTo), SealError> {
        let signed = cbor::encode(&Signed::sign(query, session_key));
        let padded = sealing::pad(&signed, limits::PART_PLAINTEXT_BYTES)?;
        let key_id = to.public.id();
        let sealed = to.public.seal(&part_info(&query.audience, key_id), &[], &padded)?;
        let reply_to = ReplyTo { id: query.id, digest: Digest::of(&[&signed]), answer_key: query.answer_key };
        Ok((Self { audience: query.audience.clone(), key_id, sealed }, reply_to))
    }

    /// Opens a part at the institution it names.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if it names another institution, has not the common size, is sealed to
    /// another key, is damaged, or does not contain a strict signed query for `own`.
    pub fn open(&self, own: &MemberId, secret: &SealingSecret) -> Result<OpenedPart, Refusal> {
        let malformed = |_| Refusal::Malformed;
        if &self.audience != own || self.sealed.ciphertext.len() != limits::PART_PLAINTEXT_BYTES + 16 {
            return Err(Refusal::Malformed);
        }
        let padded = secret.open(&part_info(own, self.key_id), &[], &self.sealed).map_err(malformed)?;
        let bytes = sealing::unpad(&padded).map_err(malformed)?;
        let signed: Signed<Query> = cbor::decode(bytes).map_err(|_| Refusal::Malformed)?;
        let claimed = signed.claimed().map_err(|_| Refusal::Malformed)?;
        if claimed.version > limits::VERSION_MAX || claimed.version < limits::VERSION_MIN {
            return Err(Refusal::Version);
        }
        if &claimed.audience != own {
            return Err(Refusal::Malformed);
        }
        Ok(OpenedPart { digest: Digest::of(&[bytes]), signed, claimed })
    }

    /// Digest of the part as relayed: gateway and institution both log it.
    pub fn digest(&self) -> Digest {
        Digest::of(&[&cbor::encode(self)])
    }
}

/// A part that opened and decoded; whether anybody may ask this is still unknown.
#[derive(Debug)]
pub struct OpenedPart {
    signed: Signed<Query>,
    claimed: Query,
    digest: Digest,
}

impl OpenedPart {
    /// The grant as claimed, for looking up whether it was verified before.
    pub fn grant(&self) -> &Signed<Grant> {
        &self.claimed.grant
    }

    /// The key and query an answer to this part is sealed for — also a refusal.
    pub fn reply_to(&self) -> ReplyTo {
        ReplyTo { id: self.claimed.id, digest: self.digest, answer_key: self.claimed.answer_key }
    }

    /// Verifies the grant (or takes one verified before, if it is this very grant) and the holder's
    /// proof, its times, its trust list, and that its purpose does not contradict the grant.
    ///
    /// # Errors
    /// [`Refusal::Unauthorized`] or [`Refusal::Expired`].
    pub fn verify(
        self,
        own: &MemberId,
        known: Option<VerifiedGrant>,
        list: &TrustList,
        list_digest: &Digest,
        now: Timestamp,
    ) -> Result<VerifiedQuery, Refusal> {
        let grant = match known.filter(|grant| grant.is_of(&self.claimed.grant, own)) {
            Some(grant) => grant.still_valid(list, now),
            None => VerifiedGrant::verify(&self.claimed.grant, own, list, now),
        };
        let grant = grant.map_err(|fault| match fault {
            GrantFault::Time | GrantFault::Epoch => Refusal::Expired,
            GrantFault::Registry | GrantFault::Audience | GrantFault::Malformed => Refusal::Unauthorized,
        })?;
        let query = self.signed.verify(&grant.grant().session_key).map_err(|_| Refusal::Unauthorized)?;
        let lifetime = query.expires.since(query.issued);
        if lifetime == 0
            || lifetime > limits::QUERY_MILLIS_MAX
            || query.issued > now.plus(limits::CLOCK_SKEW_MILLIS)
            || query.expires.plus(limits::CLOCK_SKEW_MILLIS) <= now
        {
            return Err(Refusal::Expired);
        }
        if query.epoch > list.epoch || query.epoch + 1 < list.epoch {
            return Err(Refusal::Expired);
        }
        // The list in force names the digest of the one before: both are known here.
        let expected = if query.epoch == list.epoch { list_digest } else { &list.previous };
        if &query.list_digest != expected || !agrees(query.purpose, grant.grant().basis) {
            return Err(Refusal::Unauthorized);
        }
        if query.act.as_ref().is_some_and(|act| !act.agrees_with(query.purpose)) {
            return Err(Refusal::Unauthorized);
        }
        if query.categories.len() > limits::CATEGORIES_MAX {
            return Err(Refusal::Malformed);
        }
        Ok(VerifiedQuery { query, grant, digest: self.digest })
    }
}

/// Whether a purpose may be stated under a grant of this basis: the ledger must not be told that
/// somebody looked at her own records when it was her guardian, or the other way round.
fn agrees(purpose: Purpose, basis: Basis) -> bool {
    match purpose {
        Purpose::OwnRequest => basis == Basis::Oneself,
        Purpose::FamilyRequest => basis != Basis::Oneself,
        Purpose::AccessHistory => true,
    }
}

/// Where the answer to a part goes.
#[derive(Clone, Copy, Debug)]
pub struct ReplyTo {
    /// The query.
    pub id: QueryId,
    /// Digest of the signed query.
    pub digest: Digest,
    /// The key the answer is sealed to.
    pub answer_key: SealingPublic,
}

/// A query whose grant, holder's proof and times were checked. It is not yet a permission to read:
/// see [`crate::policy::decide`].
#[derive(Clone, Debug)]
pub struct VerifiedQuery {
    query: Query,
    grant: VerifiedGrant,
    digest: Digest,
}

impl VerifiedQuery {
    /// The query.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The verified grant.
    pub fn grant(&self) -> &VerifiedGrant {
        &self.grant
    }

    /// Digest of the signed query.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What names this query for replay protection: its holder's key and its id.
    pub fn replay_key(&self) -> (VerifyingKey, QueryId) {
        (self.grant.grant().session_key, self.query.id)
    }

    /// The categories both asked for and granted; `None` means every category.
    pub fn categories(&self) -> Option<Vec<Category>> {
        let (asked, granted) = (&self.query.categories, &self.grant.grant().categories);
        match (asked.is_empty(), granted.is_empty()) {
            (true, true) => None,
            (true, false) => Some(granted.clone()),
            (false, true) => Some(asked.clone()),
            (false, false) => {
                Some(asked.iter().filter(|category| granted.contains(category)).cloned().collect())
            }
        }
    }
}
