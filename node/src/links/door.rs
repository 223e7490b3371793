//! Who may ask what: decided by who the sender is in the trust list in force, before any work is done.
//!
//! Pure. Must not know: how requests arrive, what is done about them.

use hibiki_protocol::frames::Request;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::trust::{Member, Role};

/// Who sends a request, by the trust list in force at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sender {
    /// A terminal.
    Guest,
    /// A member, and the roles that decide what it may ask.
    Member {
        /// Its name.
        id: MemberId,
        /// Whether it relays guardians' parts.
        gateway: bool,
        /// Whether it attests and orders holds.
        registry: bool,
    },
}

impl Sender {
    pub(super) fn of(member: &Member) -> Self {
        Self::Member {
            id: member.id.clone(),
            gateway: member.has_role(Role::Gateway),
            registry: member.has_role(Role::Registry),
        }
    }
}

/// The roles this node has, as far as others ask for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offers {
    pub(super) guests: bool,
    pub(super) responder: bool,
    pub(super) registry: bool,
    pub(super) witness: bool,
}

/// Whether `sender` may ask this of a node with these roles.
pub(super) fn permits(request: &Request, sender: &Sender, offers: Offers) -> bool {
    let guest = *sender == Sender::Guest && offers.guests;
    let gateway = matches!(sender, Sender::Member { gateway: true, .. });
    let registry = matches!(sender, Sender::Member { registry: true, .. });
    let member = matches!(sender, Sender::Member { .. });
    match request {
        Request::Hello(_) | Request::FetchTrustLists(_) => member || guest,
        Request::FetchChallenge(_)
        | Request::OpenSession(_)
        | Request::View(_)
        | Request::LeaveSessionEnds(_)
        | Request::CloseSession(_) => guest,
        Request::FetchFreshness(_) | Request::Ask(_) | Request::EndSession(_) => gateway && offers.responder,
        Request::Attest(attest) => {
            let itself = matches!(sender, Sender::Member { id, .. } if *id == attest.gateway);
            gateway && itself && offers.registry
        }
        Request::Hold(_) => registry && offers.responder,
        Request::OfferCheckpoint(_) | Request::TellFork(_) => member && offers.witness,
    }
}

/// Whether this may be asked before the hello.
pub(super) fn needs_no_hello(request: &Request) -> bool {
    matches!(request, Request::Hello(_))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use hibiki_protocol::frames::{
        Ask, Attest, CloseSession, FetchChallenge, FetchFreshness, FetchTrustLists, Hello, LeaveSessionEnds,
        View,
    };
    use hibiki_protocol::hold::SealedHoldNotice;
    use hibiki_protocol::ids::{Digest, FederationId};
    use hibiki_protocol::query::Part;
    use hibiki_protocol::sealing::{Sealed, SealingKeyId, Suite};
    use hibiki_protocol::session::OpenSession;
    use hibiki_protocol::session_end::SealedSessionEnd;
    use hibiki_protocol::witnessing::{CheckpointOffer, ForkEvidence};

    use super::*;

    fn requests() -> Vec<Request> {
        let sealed =
            || Sealed { suite: Suite::X25519ChaCha20, encapsulated: [0; 32], ciphertext: Vec::new() };
        let id = MemberId::new("a/gateway").unwrap();
        let key_id = SealingKeyId([0; 8]);
        let open =
            OpenSession { statement: vec![], card_signature: vec![], certificate: vec![], keys: vec![] };
        let part = Part { audience: id.clone(), key_id, sealed: sealed() };
        let federation = FederationId::new("a").unwrap();
        vec![
            Request::Hello(Hello { version_min: 1, version_max: 1, federation, epoch: 0 }),
            Request::FetchTrustLists(FetchTrustLists { after: 0 }),
            Request::FetchChallenge(FetchChallenge { epoch: 0 }),
            Request::OpenSession(open.clone()),
            Request::View(View { deadline_millis: 1, parts: vec![] }),
            Request::CloseSession(CloseSession { version: 1 }),
            Request::FetchFreshness(FetchFreshness { version: 1 }),
            Request::Ask(Ask { freshness: vec![], remaining_millis: 1, hops: 1, part }),
            Request::Attest(Attest { gateway: id.clone(), open, challenge: [0; 32], exporter: [0; 32] }),
            Request::Hold(SealedHoldNotice { audience: id.clone(), key_id, sealed: sealed() }),
            Request::LeaveSessionEnds(LeaveSessionEnds { ends: vec![] }),
            Request::EndSession(SealedSessionEnd { audience: id.clone(), key_id, sealed: sealed() }),
            Request::OfferCheckpoint(CheckpointOffer {
                audience: id,
                origin: String::new(),
                checkpoint: None,
                old_size: 0,
                old_root: Digest::ZERO,
                proof: vec![],
            }),
            Request::TellFork(ForkEvidence {
                first: String::new(),
                second: String::new(),
                prefix_root: Digest::ZERO,
                proof: vec![],
            }),
        ]
    }

    fn permitted(sender: &Sender, offers: Offers) -> Vec<&'static str> {
        let requests = requests();
        requests.iter().filter(|request| permits(request, sender, offers)).map(Request::name).collect()
    }

    const EVERYTHING: Offers = Offers { guests: true, responder: true, registry: true, witness: true };

    fn member(gateway: bool, registry: bool) -> Sender {
        Sender::Member { id: MemberId::new("a/gateway").unwrap(), gateway, registry }
    }

    #[test]
    fn everybody_may_ask_exactly_what_is_theirs() {
        assert_eq!(
            permitted(&Sender::Guest, EVERYTHING),
            [
                "Hello",
                "FetchTrustLists",
                "FetchChallenge",
                "OpenSession",
                "View",
                "CloseSession",
                "LeaveSessionEnds"
            ]
        );
        assert_eq!(
            permitted(&member(false, false), EVERYTHING),
            ["Hello", "FetchTrustLists", "OfferCheckpoint", "TellFork"]
        );
        assert_eq!(
            permitted(&member(true, false), EVERYTHING),
            [
                "Hello",
                "FetchTrustLists",
                "FetchFreshness",
                "Ask",
                "Attest",
                "EndSession",
                "OfferCheckpoint",
                "TellFork"
            ]
        );
        assert_eq!(
            permitted(&member(false, true), EVERYTHING),
            ["Hello", "FetchTrustLists", "Hold", "OfferCheckpoint", "TellFork"]
        );
    }

    #[test]
    fn a_role_that_is_absent_is_not_served() {
        let nothing = Offers { guests: false, responder: false, registry: false, witness: false };
        assert!(permitted(&Sender::Guest, nothing).is_empty());
        assert_eq!(permitted(&member(true, true), nothing), ["Hello", "FetchTrustLists"]);
    }

    #[test]
    fn a_gateway_cannot_speak_for_another() {
        let other = Sender::Member { id: MemberId::new("a/other").unwrap(), gateway: true, registry: false };
        assert!(!permitted(&other, EVERYTHING).contains(&"Attest"));
    }
}
