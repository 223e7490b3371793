//! A trust list indexed for the question asked at every handshake: who holds this key?
//!
//! Must not know: how the list came here.

use std::collections::BTreeMap;
use std::sync::Arc;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::trust::{Accepted, Member, Role};
use hibiki_transport::{Admission, PeerKey};

/// What to think of keys the list does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strangers {
    /// A gateway's door: they may be guardians' terminals.
    Guests,
    /// Everybody else's door.
    Refused,
}

/// One accepted list and its keys.
#[derive(Debug)]
pub struct Roster {
    accepted: Arc<Accepted>,
    by_key: BTreeMap<PeerKey, Arc<str>>,
    strangers: Strangers,
}

impl Roster {
    pub(super) fn new(accepted: Accepted, strangers: Strangers) -> Self {
        let mut by_key = BTreeMap::new();
        for member in &accepted.list().members {
            let id: Arc<str> = member.id.as_str().into();
            for key in keys(member) {
                by_key.insert(key, id.clone());
            }
        }
        Self { accepted: Arc::new(accepted), by_key, strangers }
    }

    /// The list.
    pub fn accepted(&self) -> Arc<Accepted> {
        self.accepted.clone()
    }

    /// Who holds `key`.
    pub fn admit(&self, key: &PeerKey) -> Admission {
        match (self.by_key.get(key), self.strangers) {
            (Some(id), _) => Admission::Member(id.clone()),
            (None, Strangers::Guests) => Admission::Guest,
            (None, Strangers::Refused) => Admission::Refused,
        }
    }

    /// The entry of a member.
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.accepted.list().member(id)
    }

    /// The keys the member `id` may prove; none if it is no member.
    pub fn keys(&self, id: &MemberId) -> Vec<PeerKey> {
        self.member(id).map(keys).unwrap_or_default()
    }

    /// Whether `id` is a member with this role.
    pub fn has_role(&self, id: &MemberId, role: Role) -> bool {
        self.member(id).is_some_and(|member| member.has_role(role))
    }
}

/// The keys a member may prove: the present one and, while keys are changed, the next.
fn keys(member: &Member) -> Vec<PeerKey> {
    let next = member.tls_key_next.filter(|next| *next != member.tls_key);
    std::iter::once(member.tls_key).chain(next).map(|key| PeerKey::from_bytes(key.0)).collect()
}
