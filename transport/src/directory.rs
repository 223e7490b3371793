//! Who may travel: the question asked at every handshake.
//!
//! Owns the question and the shape of its answer; must not know where the answer comes from (a trust
//! list, a list of one) nor what a member may do once admitted.

use std::sync::Arc;

use crate::PeerKey;

/// What the directory says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// The key of a member of the federation, under this id (such as `maebashi/chuo-hospital`).
    Member(Arc<str>),
    /// Nobody known, yet welcome: a guardian's terminal, whose key is made for one session.
    Guest,
    /// Not welcome. The handshake fails.
    Refused,
}

impl Admission {
    /// Admitted as the member called `id`.
    pub fn member(id: impl Into<Arc<str>>) -> Self {
        Self::Member(id.into())
    }

    /// The member's id, if the peer is a member.
    pub fn member_id(&self) -> Option<&str> {
        match self {
            Self::Member(id) => Some(id),
            Self::Guest | Self::Refused => None,
        }
    }
}

/// Judges keys. Asked at every handshake, in both directions, and again by `Endpoint::sweep`: a new
/// trust list takes effect with the next answer given here.
///
/// `admit` is called while a handshake waits and while the roll of links is locked, so it must answer
/// from memory, at once, and must not call back into the endpoint.
pub trait Directory: Send + Sync {
    /// What this party thinks of `key` now.
    fn admit(&self, key: &PeerKey) -> Admission;
}

impl<F: Fn(&PeerKey) -> Admission + Send + Sync> Directory for F {
    fn admit(&self, key: &PeerKey) -> Admission {
        self(key)
    }
}

/// The other end of a link. It stays the same for the link's whole life: when the directory changes its
/// mind about the key, `Endpoint::sweep` closes the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The key the peer proved to hold.
    pub key: PeerKey,
    /// What the directory said of it when the link was made. Never [`Admission::Refused`].
    pub admission: Admission,
}
