//! The trust lists of the times receipts are of. Keys change; a receipt is judged by the lists that named the
//! keys it was made with, each verified from the federation's root.

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::signing::VerifyingKey;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::tlog::VerifierKey;
use hibiki_protocol::trust::{Accepted, Decision, Member, Refused, RootAnchor, SignedTrustList};

/// Verified trust lists of one federation, of any times.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    accepted: Vec<Accepted>,
}

impl Lists {
    /// Takes what verifies: signed by the root that was handed out, or following from a list that is taken. Returns
    /// what does not, with the reason, by the names they were offered under.
    pub fn gather(
        anchor: &RootAnchor,
        offered: Vec<(String, SignedTrustList)>,
        now: Timestamp,
    ) -> (Self, Vec<(String, Refused)>) {
        let (mut lists, mut left) = (Self::default(), offered);
        // A list whose root is a later one follows only once the list before it was taken.
        loop {
            let (before, mut refused, mut names) = (left.len(), Vec::new(), Vec::new());
            for (name, signed) in left {
                if let Err(why) = lists.take(anchor, &signed, now) {
                    names.push((name.clone(), why));
                    refused.push((name, signed));
                }
            }
            if refused.len() == before || refused.is_empty() {
                return (lists, names);
            }
            left = refused;
        }
    }

    fn take(&mut self, anchor: &RootAnchor, signed: &SignedTrustList, now: Timestamp) -> Result<(), Refused> {
        if self.accepted.iter().any(|accepted| accepted.digest() == signed.digest()) {
            return Ok(());
        }
        let accepted = Accepted::first(anchor, signed).or_else(|why| {
            let follows = |before: &Accepted| match before.consider(signed, now) {
                Ok(Decision::Install(next)) => Some(*next),
                _ => None,
            };
            self.accepted.iter().find_map(follows).ok_or(why)
        })?;
        self.accepted.push(accepted);
        Ok(())
    }

    /// Adds one that was verified elsewhere.
    pub fn add(&mut self, accepted: &Accepted) {
        if self.accepted.iter().all(|known| known.digest() != accepted.digest()) {
            self.accepted.push(accepted.clone());
        }
    }

    /// Whether the list of this epoch is among them.
    pub fn knows(&self, epoch: u64) -> bool {
        self.accepted.iter().any(|accepted| accepted.list().epoch == epoch)
    }

    /// The keys that an institution signed with, by any of the lists.
    pub fn signing_keys(&self, id: &MemberId) -> impl Iterator<Item = VerifyingKey> {
        self.entries(id).map(|member| member.signing_key)
    }

    /// The keys its ledger had, by any of the lists, each once.
    pub fn ledger_keys(&self, id: &MemberId) -> Vec<VerifierKey> {
        let mut keys: Vec<VerifierKey> = Vec::new();
        for key in self.entries(id).filter_map(Member::ledger_verifier) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    fn entries(&self, id: &MemberId) -> impl Iterator<Item = &Member> {
        self.accepted.iter().filter_map(move |accepted| accepted.list().member(id))
    }
}
