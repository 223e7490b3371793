//! The federation as this terminal knows it: the root it was given, and the trust list it verified.

use std::path::Path;

use hibiki_protocol::cbor;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{
    Accepted, Decision, Member, Refused, Role, RootAnchor, SignedTrustList, TlsKey,
};
use hibiki_transport::PeerKey;

use crate::trouble::Trouble;

/// The trust list in force at this terminal. It is kept in memory; the file it began with is what
/// the council handed out, and is not changed.
pub struct Federation {
    accepted: Accepted,
}

impl Federation {
    /// Reads root and trust list files as the council published them.
    ///
    /// # Errors
    /// A file is missing or damaged, or the list is not signed by the root.
    pub fn load(root: &Path, trust_list: &Path) -> Result<Self, Trouble> {
        let anchor = anchor(root)?;
        let signed: SignedTrustList = read(trust_list)?;
        Ok(Self { accepted: Accepted::first(&anchor, &signed)? })
    }

    /// The list in force.
    pub fn accepted(&self) -> &Accepted {
        &self.accepted
    }

    /// The member, if it is a gateway.
    ///
    /// # Errors
    /// It is not.
    pub fn gateway(&self, id: &MemberId) -> Result<&Member, Trouble> {
        let member = self.accepted.list().member(id).filter(|member| member.has_role(Role::Gateway));
        member.ok_or_else(|| Trouble::NotAGateway(id.clone()))
    }

    /// Takes newer lists, oldest first; returns whether anything changed.
    ///
    /// # Errors
    /// A list does not follow: the terminal stays with what it has verified.
    pub fn take(&mut self, lists: &[SignedTrustList], now: Timestamp) -> Result<bool, Refused> {
        let mut changed = false;
        for offered in lists {
            if let Decision::Install(next) = self.accepted.consider(offered, now)? {
                self.accepted = *next;
                changed = true;
            }
        }
        Ok(changed)
    }

    /// Whether a view asks an institution of this name.
    ///
    /// # Errors
    /// It does not.
    pub fn answers(&self, id: &MemberId) -> Result<(), Trouble> {
        let known = self.responders().any(|member| &member.id == id);
        if known { Ok(()) } else { Err(Trouble::NoSuchInstitution(id.clone())) }
    }

    /// The institutions a view asks: every responder.
    pub fn responders(&self) -> impl Iterator<Item = &Member> {
        self.accepted.list().members.iter().filter(|member| member.has_role(Role::Responder))
    }
}

/// Reads the federation's root as the council handed it out.
///
/// # Errors
/// The file is missing or damaged.
pub fn anchor(root: &Path) -> Result<RootAnchor, Trouble> {
    read(root)
}

/// The keys a member may prove on the wire.
pub fn wire_keys(member: &Member) -> Vec<PeerKey> {
    std::iter::once(member.tls_key)
        .chain(member.tls_key_next)
        .map(|TlsKey(key)| PeerKey::from_bytes(key))
        .collect()
}

fn read<T: cbor::Wire>(path: &Path) -> Result<T, Trouble> {
    let fail = |reason: String| Trouble::File { path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
    cbor::decode(&bytes).map_err(|error| fail(error.to_string()))
}
