//! A node as the council meets it: keys of its own, and requests signed with them.
#![allow(dead_code, reason = "each test binary uses its part")]

use hibiki_protocol::ids::{FederationId, MemberId};
use hibiki_protocol::sealing::{SealingPublic, Suite};
use hibiki_protocol::signing::{Signed, SigningKey};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{Member, MemberKind, MemberRequest, Role, SealingKey, TlsKey};

pub(crate) const DAY: u64 = 24 * 3600 * 1000;
/// 2026-04-01T00:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp(1_775_001_600_000);

/// A node whose every key is derived from a number.
pub(crate) struct Node {
    pub(crate) signing: SigningKey,
    pub(crate) member: Member,
}

impl Node {
    pub(crate) fn new(name: &str, number: u8, roles: &[Role]) -> Self {
        let signing = SigningKey::from_seed(&[number; 32]);
        let ledger = SigningKey::from_seed(&[number ^ 0x80; 32]).verifying_key();
        let member = Member {
            id: MemberId::new(&format!("maebashi/{name}")).unwrap(),
            kind: MemberKind::Hospital,
            name_ja: format!("{name}病院"),
            name_en: format!("{name} Hospital"),
            roles: roles.to_vec(),
            addresses: vec![format!("{name}.example.jp:4433")],
            tls_key: TlsKey([number; 32]),
            tls_key_next: None,
            signing_key: signing.verifying_key(),
            sealing_keys: vec![SealingKey {
                suite: Suite::X25519ChaCha20,
                public: SealingPublic([number; 32]),
                not_before: NOW,
                not_after: NOW.plus(366 * DAY),
            }],
            ledger_key: ledger,
            registry_area: roles.contains(&Role::Registry).then(|| "10201".to_owned()),
            witness_key: None,
        };
        Self { signing, member }
    }

    pub(crate) fn responder(name: &str, number: u8) -> Self {
        Self::new(name, number, &[Role::Responder])
    }

    pub(crate) fn request(&self) -> Signed<MemberRequest> {
        self.request_at(NOW)
    }

    pub(crate) fn request_at(&self, issued: Timestamp) -> Signed<MemberRequest> {
        let request =
            MemberRequest { federation: federation("maebashi"), member: self.member.clone(), issued };
        Signed::sign(&request, &self.signing)
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Member)) -> Self {
        change(&mut self.member);
        self
    }
}

pub(crate) fn federation(name: &str) -> FederationId {
    FederationId::new(name).unwrap()
}

pub(crate) fn id(name: &str) -> MemberId {
    MemberId::new(&format!("maebashi/{name}")).unwrap()
}
