//! The council's decisions: a draft, made into a list by k of n root keys.
//!
//! [`Council`] is pure: it holds no private key, no file and no clock. [`CouncilFolder`] keeps one
//! on disk. What may follow what is decided by [`hibiki_protocol::trust`], here as at every node.

mod card_authority;
mod changes;
mod error;
mod folder;
mod request;
mod root_key;

use hibiki_protocol::ids::{Digest, FederationId, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::signing::{Signed, SigningKey, VerifyingKey};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{
    Accepted, CardAuthority, Decision as Follows, Member, MemberRequest, Root, RootAnchor, SignedTrustList,
    TrustList,
};

pub use changes::{Change, changes};
pub use error::{CouncilError, RequestFault};
pub use folder::{CouncilFolder, PROPOSAL_FILE, ROOT_FILE};
pub use request::Decision;
pub use root_key::read_root_key;

const DAY_MILLIS: u64 = 24 * 3600 * 1000;
/// Days a list is valid unless the council says otherwise.
pub const VALID_DAYS_DEFAULT: u64 = 30;

/// A federation's council: its root, the list in force, and the draft of the next.
#[derive(Clone, Debug)]
pub struct Council {
    anchor: RootAnchor,
    in_force: Option<Accepted>,
    draft: TrustList,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enrolled {
    /// A new member stands in the draft.
    Added(MemberId),
    /// A member's entry was replaced.
    Replaced(MemberId),
}

impl Council {
    /// A new federation whose lists `threshold` of these root keys sign, and `removal_threshold`
    /// where a list only removes members.
    ///
    /// # Errors
    /// Keys and thresholds make no root.
    pub fn create(
        federation: FederationId,
        keys: &[VerifyingKey],
        threshold: u64,
        removal_threshold: u64,
    ) -> Result<Self, CouncilError> {
        let root = Root { keys: keys.to_vec(), threshold, removal_threshold };
        let anchor = RootAnchor { federation, root };
        let draft = blank(&anchor, None);
        // The draft is empty but for its root: whatever is at fault is at fault with the root.
        let dated = TrustList { expires: Timestamp(1), ..draft.clone() };
        match dated.fault() {
            None => Ok(Self { anchor, in_force: None, draft }),
            Some(fault) => Err(CouncilError::Root(fault)),
        }
    }

    /// A council where it left off: its published lists in order, and the draft, if there is one.
    ///
    /// # Errors
    /// The lists are no chain from the root.
    pub fn resume(
        anchor: RootAnchor,
        published: &[SignedTrustList],
        draft: Option<TrustList>,
    ) -> Result<Self, CouncilError> {
        let Root { keys, threshold, removal_threshold } = anchor.root.clone();
        let mut council = Self::create(anchor.federation, &keys, threshold, removal_threshold)?;
        for signed in published {
            let issued = decode_list(&signed.payload)?.issued;
            council.publish(signed, issued)?;
        }
        // A draft of another epoch was made into a list already.
        if let Some(draft) = draft.filter(|draft| draft.epoch == council.draft.epoch) {
            council.draft = draft;
        }
        Ok(council)
    }

    /// What every party is given out of band when it joins.
    pub fn anchor(&self) -> &RootAnchor {
        &self.anchor
    }

    /// The list in force, if one was published.
    pub fn in_force(&self) -> Option<&Accepted> {
        self.in_force.as_ref()
    }

    /// The draft of the next list; its dates are set when it is signed.
    pub fn draft(&self) -> &TrustList {
        &self.draft
    }

    /// What the draft changes.
    pub fn changes(&self) -> Vec<Change> {
        changes(self.in_force.as_ref().map(Accepted::list), &self.draft)
    }

    /// Puts the member a request proposes into the draft.
    ///
    /// # Errors
    /// The request is not in order, or asks for more than `decision` allows.
    pub fn enrol(
        &mut self,
        request: &Signed<MemberRequest>,
        decision: &Decision<'_>,
        now: Timestamp,
    ) -> Result<Enrolled, CouncilError> {
        if self.draft.members.len() >= limits::MEMBERS_MAX {
            return Err(CouncilError::Fault("too many members"));
        }
        let member = request::check(request, &self.anchor.federation, &self.draft, decision, now)?;
        let id = member.id.clone();
        let replaced = self.draft.member(&id).is_some();
        self.draft.members.retain(|other| other.id != id);
        self.draft.members.push(member);
        self.draft.members.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(if replaced { Enrolled::Replaced(id) } else { Enrolled::Added(id) })
    }

    /// Takes a member out of the draft.
    ///
    /// # Errors
    /// It is not in it.
    pub fn remove(&mut self, id: &MemberId) -> Result<(), CouncilError> {
        let before = self.draft.members.len();
        self.draft.members.retain(|member| &member.id != id);
        if self.draft.members.len() < before { Ok(()) } else { Err(CouncilError::NoMember(id.clone())) }
    }

    /// Changes a member's display names.
    ///
    /// # Errors
    /// No such member, or a name does not fit.
    pub fn rename(&mut self, id: &MemberId, ja: Option<&str>, en: Option<&str>) -> Result<(), CouncilError> {
        if [ja, en].into_iter().flatten().any(|name| !request::is_name(name)) {
            return Err(CouncilError::Name);
        }
        let member = self.member_mut(id)?;
        if let Some(name) = ja {
            name.clone_into(&mut member.name_ja);
        }
        if let Some(name) = en {
            name.clone_into(&mut member.name_en);
        }
        Ok(())
    }

    /// Changes where a member is reached; none if it only dials out.
    ///
    /// # Errors
    /// No such member, or an address is not `host:port`.
    pub fn readdress(&mut self, id: &MemberId, addresses: Vec<String>) -> Result<(), CouncilError> {
        if let Some(bad) = addresses.iter().find(|address| !request::is_address(address)) {
            return Err(CouncilError::Address(bad.clone()));
        }
        self.member_mut(id)?.addresses = addresses;
        Ok(())
    }

    fn member_mut(&mut self, id: &MemberId) -> Result<&mut Member, CouncilError> {
        let found = self.draft.members.iter_mut().find(|member| &member.id == id);
        found.ok_or_else(|| CouncilError::NoMember(id.clone()))
    }

    /// Accepts the cards of an authority; replaces the one of the same name.
    ///
    /// # Errors
    /// The certificate is not an authority's, or says it is simulated and the entry does not (or
    /// the other way round).
    pub fn accept_card_authority(&mut self, authority: CardAuthority) -> Result<(), CouncilError> {
        card_authority::check(&authority)?;
        self.draft.card_authorities.retain(|other| other.name != authority.name);
        self.draft.card_authorities.push(authority);
        self.draft.card_authorities.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    /// Accepts an authority by its certificate (PEM or DER). A simulated one needs nothing else;
    /// any other needs its policy (dotted object identifier).
    ///
    /// # Errors
    /// As [`Self::accept_card_authority`].
    pub fn accept_card_certificate(
        &mut self,
        certificate: &[u8],
        name: Option<&str>,
        policy: Option<&str>,
    ) -> Result<CardAuthority, CouncilError> {
        let authority = card_authority::describe(certificate, name, policy)?;
        self.accept_card_authority(authority.clone())?;
        Ok(authority)
    }

    /// Stops accepting the cards of an authority.
    ///
    /// # Errors
    /// No such authority.
    pub fn drop_card_authority(&mut self, name: &str) -> Result<(), CouncilError> {
        let before = self.draft.card_authorities.len();
        self.draft.card_authorities.retain(|authority| authority.name != name);
        let dropped = self.draft.card_authorities.len() < before;
        if dropped { Ok(()) } else { Err(CouncilError::NoCardAuthority(name.to_owned())) }
    }

    /// Replaces root keys and thresholds. The next list then needs enough signatures of the old
    /// root and of the new one.
    ///
    /// # Errors
    /// Keys and thresholds make no root.
    pub fn change_root(&mut self, root: Root) -> Result<(), CouncilError> {
        let probe =
            Self::create(self.anchor.federation.clone(), &root.keys, root.threshold, root.removal_threshold)?;
        self.draft.root = probe.anchor.root;
        Ok(())
    }

    /// Throws the draft's changes away.
    pub fn reset(&mut self) {
        self.draft = blank(&self.anchor, self.in_force.as_ref());
    }

    /// The draft with its dates, ready to be signed. Exactly these bytes are signed.
    ///
    /// # Errors
    /// The draft contradicts itself, or the dates do not fit.
    pub fn propose(&self, valid_days: u64, now: Timestamp) -> Result<SignedTrustList, CouncilError> {
        if valid_days == 0 || valid_days.saturating_mul(DAY_MILLIS) > limits::TRUST_LIST_MILLIS_MAX {
            return Err(CouncilError::Lifetime);
        }
        if self.in_force.as_ref().is_some_and(|list| now < list.list().issued) {
            return Err(CouncilError::Clock);
        }
        let expires = now.plus(valid_days * DAY_MILLIS);
        let list = TrustList { issued: now, expires, ..self.draft.clone() };
        match list.fault() {
            None => Ok(SignedTrustList::unsigned(&list)),
            Some(fault) => Err(CouncilError::Fault(fault)),
        }
    }

    /// Adds a root key's signature to a proposal. While the root is being changed, the keys of the
    /// root in force sign as well as the new ones.
    ///
    /// # Errors
    /// The key belongs to neither.
    pub fn sign(&self, proposal: &mut SignedTrustList, key: &SigningKey) -> Result<(), CouncilError> {
        if self.root().keys.contains(&key.verifying_key()) {
            proposal.sign(key);
            return Ok(());
        }
        sign(proposal, key)
    }

    /// How many valid signatures a proposal has, and how many it needs.
    ///
    /// # Errors
    /// It could not be published even with all signatures.
    pub fn signatures(&self, proposal: &SignedTrustList, now: Timestamp) -> Result<(u64, u64), CouncilError> {
        let bare = SignedTrustList { payload: proposal.payload.clone(), signatures: Vec::new() };
        let needed = match self.clone().publish(&bare, now) {
            Err(CouncilError::Missing { needed, .. }) => needed,
            Err(other) => return Err(other),
            Ok(_) => 0,
        };
        match self.clone().publish(proposal, now) {
            Err(CouncilError::Missing { valid, needed }) => Ok((valid, needed)),
            Err(other) => Err(other),
            Ok(_) => Ok((proposal.valid_signatures(self.root()), needed)),
        }
    }

    /// The root whose keys sign the next list.
    pub fn root(&self) -> &Root {
        self.in_force.as_ref().map_or(&self.anchor.root, |accepted| &accepted.list().root)
    }

    /// Publishes a list with enough signatures: it is now in force, and the next draft begins.
    ///
    /// # Errors
    /// Signatures are missing, or the list does not follow the one in force.
    pub fn publish(&mut self, signed: &SignedTrustList, now: Timestamp) -> Result<&Accepted, CouncilError> {
        let accepted = match &self.in_force {
            None => {
                let first = Accepted::first(&self.anchor, signed)?;
                if first.list().epoch != 1 || first.list().previous != Digest::ZERO {
                    return Err(CouncilError::Fault("the first list must have epoch 1 and no predecessor"));
                }
                first
            }
            Some(list) => match list.consider(signed, now)? {
                Follows::Install(next) => *next,
                Follows::Same => return Err(CouncilError::NothingSigned),
            },
        };
        if accepted.list().expires < now {
            return Err(CouncilError::Stale);
        }
        self.draft = blank(&self.anchor, Some(&accepted));
        Ok(self.in_force.insert(accepted))
    }

    /// Proposes, signs with all these keys and publishes: the whole act where the keys are at one
    /// place, as in a pilot or a test.
    ///
    /// # Errors
    /// As [`Self::propose`] and [`Self::publish`].
    pub fn publish_with(
        &mut self,
        keys: &[SigningKey],
        valid_days: u64,
        now: Timestamp,
    ) -> Result<&Accepted, CouncilError> {
        let mut proposal = self.propose(valid_days, now)?;
        for key in keys {
            self.sign(&mut proposal, key)?;
        }
        self.publish(&proposal, now)
    }
}

/// Adds a root key's signature to a proposal on a machine that has nothing but proposal and key.
///
/// # Errors
/// The key is not one of the root keys the list names. (Keys that are being replaced sign where the
/// council is, with [`Council::sign`].)
pub fn sign(proposal: &mut SignedTrustList, key: &SigningKey) -> Result<(), CouncilError> {
    let list = decode_list(&proposal.payload)?;
    if !list.root.keys.contains(&key.verifying_key()) {
        return Err(CouncilError::NotARootKey);
    }
    proposal.sign(key);
    Ok(())
}

pub(crate) fn decode_list(payload: &[u8]) -> Result<TrustList, CouncilError> {
    hibiki_protocol::cbor::decode(payload)
        .map_err(|source| CouncilError::Decode { what: "the trust list", source })
}

/// The list that would follow, unchanged but for its number; its dates are set when it is signed.
fn blank(anchor: &RootAnchor, in_force: Option<&Accepted>) -> TrustList {
    let (epoch, previous, now) = (1, Digest::ZERO, Timestamp(0));
    match in_force {
        None => TrustList {
            version: 1,
            federation: anchor.federation.clone(),
            epoch,
            previous,
            issued: now,
            expires: now,
            root: anchor.root.clone(),
            members: Vec::new(),
            card_authorities: Vec::new(),
        },
        Some(accepted) => TrustList {
            epoch: accepted.list().epoch + 1,
            previous: accepted.digest(),
            issued: now,
            expires: now,
            ..accepted.list().clone()
        },
    }
}
