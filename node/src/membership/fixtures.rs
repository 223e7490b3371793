//! A council and its lists, for tests of whoever stands on a membership.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use hibiki_protocol::ids::{Digest, FederationId, MemberId};
use hibiki_protocol::sealing::{SealingSecret, Suite};
use hibiki_protocol::signing::SigningKey;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{
    Member, MemberKind, Role, Root, RootAnchor, SealingKey, SignedTrustList, TlsKey, TrustList,
};
use hibiki_transport::PeerKey;

/// Milliseconds of a day.
pub(crate) const DAY: u64 = 24 * 3600 * 1000;

/// A council with one key, or with a second one that has been stolen.
pub(crate) struct Council {
    key: SigningKey,
    pub(crate) lists: Vec<SignedTrustList>,
    last: Option<TrustList>,
}

impl Council {
    pub(crate) fn new() -> Self {
        Self { key: SigningKey::from_seed(&[7; 32]), lists: Vec::new(), last: None }
    }

    pub(crate) fn anchor(&self) -> RootAnchor {
        RootAnchor { federation: federation(), root: self.root() }
    }

    fn root(&self) -> Root {
        Root { keys: vec![self.key.verifying_key()], threshold: 1, removal_threshold: 1 }
    }

    /// Signs the list that follows the last one.
    pub(crate) fn publish(&mut self, issued: u64, members: Vec<Member>) -> SignedTrustList {
        let (signed, list) = self.draft(issued, members);
        self.lists.push(signed.clone());
        self.last = Some(list);
        signed
    }

    /// Signs a list that follows the last one, as if nobody else knew: evidence against the council.
    pub(crate) fn draft(&self, issued: u64, members: Vec<Member>) -> (SignedTrustList, TrustList) {
        let list = TrustList {
            version: 1,
            federation: federation(),
            epoch: self.last.as_ref().map_or(1, |last| last.epoch + 1),
            previous: self.lists.last().map_or(Digest::ZERO, SignedTrustList::digest),
            issued: Timestamp(issued),
            expires: Timestamp(issued + 30 * DAY),
            root: self.root(),
            members,
            card_authorities: Vec::new(),
        };
        let mut signed = SignedTrustList::unsigned(&list);
        signed.sign(&self.key);
        (signed, list)
    }
}

pub(crate) fn federation() -> FederationId {
    FederationId::new("maebashi").unwrap()
}

pub(crate) fn id(name: &str) -> MemberId {
    MemberId::new(&format!("maebashi/{name}")).unwrap()
}

/// The signing key of the member with this name.
pub(crate) fn signing_key(name: &str) -> SigningKey {
    SigningKey::from_seed(&Digest::of(&[b"sign", name.as_bytes()]).0)
}

/// A member's entry.
pub(crate) fn member(name: &str, key: PeerKey, roles: &[Role], addresses: &[String]) -> Member {
    Member {
        id: id(name),
        kind: MemberKind::Hospital,
        name_ja: format!("{name} 病院"),
        name_en: name.to_owned(),
        roles: roles.to_vec(),
        addresses: addresses.to_vec(),
        tls_key: TlsKey(*key.as_bytes()),
        tls_key_next: None,
        signing_key: signing_key(name).verifying_key(),
        sealing_keys: vec![SealingKey {
            suite: Suite::X25519ChaCha20,
            public: SealingSecret::generate().public(),
            not_before: Timestamp(0),
            not_after: Timestamp(u64::MAX),
        }],
        ledger_key: signing_key(name).verifying_key(),
        registry_area: roles.contains(&Role::Registry).then(|| "102016".to_owned()),
        witness_key: None,
    }
}
