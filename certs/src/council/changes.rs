//! What a draft changes, so that nobody signs more than was decided.

use std::fmt;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::trust::{Member, TrustList};

/// One difference between the list in force and a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new member.
    Added(MemberId),
    /// A member that is no longer one.
    Removed(MemberId),
    /// A member whose entry differs, and in what.
    Changed(MemberId, Vec<&'static str>),
    /// A card authority is accepted, by its name.
    CardAuthorityAccepted(String),
    /// A card authority is no longer accepted, by its name.
    CardAuthorityDropped(String),
    /// Other root keys or thresholds.
    Root,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(id) => write!(f, "+ member {id}"),
            Self::Removed(id) => write!(f, "- member {id}"),
            Self::Changed(id, what) => write!(f, "~ member {id}: {}", what.join(", ")),
            Self::CardAuthorityAccepted(name) => write!(f, "+ card authority {name}"),
            Self::CardAuthorityDropped(name) => write!(f, "- card authority {name}"),
            Self::Root => f.write_str("~ root keys or thresholds"),
        }
    }
}

/// The differences from one list (or none) to the next.
pub fn changes(from: Option<&TrustList>, to: &TrustList) -> Vec<Change> {
    let before = from.map_or(&[][..], |list| list.members.as_slice());
    let find = |members: &[Member], id: &MemberId| members.iter().find(|m| &m.id == id).cloned();
    let mut found = Vec::new();
    for member in &to.members {
        match find(before, &member.id) {
            None => found.push(Change::Added(member.id.clone())),
            Some(old) if &old != member => {
                found.push(Change::Changed(member.id.clone(), differing(&old, member)));
            }
            Some(_) => {}
        }
    }
    let gone = before.iter().filter(|member| find(&to.members, &member.id).is_none());
    found.extend(gone.map(|member| Change::Removed(member.id.clone())));
    let cards_before = from.map_or(&[][..], |list| list.card_authorities.as_slice());
    let new = to.card_authorities.iter().filter(|ca| !cards_before.contains(ca));
    found.extend(new.map(|ca| Change::CardAuthorityAccepted(ca.name.clone())));
    let dropped = cards_before.iter().filter(|ca| !to.card_authorities.contains(ca));
    found.extend(dropped.map(|ca| Change::CardAuthorityDropped(ca.name.clone())));
    if from.is_some_and(|list| list.root != to.root) {
        found.push(Change::Root);
    }
    found
}

fn differing(old: &Member, new: &Member) -> Vec<&'static str> {
    let parts = [
        ("kind", old.kind != new.kind),
        ("name", (&old.name_ja, &old.name_en) != (&new.name_ja, &new.name_en)),
        ("roles", old.roles != new.roles),
        ("addresses", old.addresses != new.addresses),
        ("TLS key", old.tls_key != new.tls_key),
        ("next TLS key", old.tls_key_next != new.tls_key_next),
        ("signing key", old.signing_key != new.signing_key),
        ("sealing keys", old.sealing_keys != new.sealing_keys),
        ("ledger key", old.ledger_key != new.ledger_key),
        ("witness key", old.witness_key != new.witness_key),
        ("registry area", old.registry_area != new.registry_area),
    ];
    parts.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}
