//! What passes on one bidirectional stream: a request, then one or more replies.
//!
//! Every stream begins with one [`Request`] frame. What a party may ask is decided by who it is:
//! a terminal opens sessions and views at a gateway; a gateway asks members and tells them of ended
//! sessions; a registry delivers holds; members fetch trust lists from one another and witness each other's
//! ledgers.

use crate::answer::SealedAnswer;
use crate::cbor::{wire_struct, wire_union};
use crate::hold::{HoldReceipt, SealedHoldNotice};
use crate::ids::{Digest, FederationId, MemberId};
use crate::outcome::Observation;
use crate::query::{Part, Refusal};
use crate::session::{OpenSession, SealedAttestation, SessionRefusal};
use crate::session_end::SealedSessionEnd;
use crate::signing::Signed;
use crate::time::Timestamp;
use crate::trust::SignedTrustList;
use crate::witnessing::{CheckpointOffer, ForkEvidence, ForkNoted, Witnessed};

wire_struct! {
    /// The first exchange on every connection: until it is answered the connection does not count
    /// as up (TLS 1.3 tells a client of success before the server has judged its certificate).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Hello {
        /// Lowest version spoken.
        1 => pub version_min: u64,
        /// Highest version spoken.
        3 => pub version_max: u64,
        /// The federation meant.
        5 => pub federation: FederationId,
        /// Epoch of the trust list in force here; 0 if none yet.
        7 => pub epoch: u64,
    }
}

wire_struct! {
    /// The answer to a hello.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Welcome {
        /// The version both will speak.
        1 => pub version: u64,
        /// Who answers.
        3 => pub member: MemberId,
        /// Epoch in force here.
        5 => pub epoch: u64,
        /// Digest of that list.
        7 => pub list_digest: Digest,
        /// Time here, so that a wrong clock is noticed.
        9 => pub now: Timestamp,
    }
}

wire_struct! {
    /// Asks for trust lists after an epoch, oldest first; at most
    /// [`crate::limits::TRUST_LISTS_PER_FRAME_MAX`] come at once.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct FetchTrustLists {
        /// The epoch already in force at the asker.
        1 => pub after: u64,
    }
}

wire_struct! {
    /// Trust lists, oldest first.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct TrustLists {
        /// The lists.
        1 => pub lists: Vec<SignedTrustList>,
    }
}

wire_struct! {
    /// Asks a gateway for a one-use session challenge.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct FetchChallenge {
        /// Epoch the terminal will use.
        1 => pub epoch: u64,
    }
}

wire_struct! {
    /// A one-use challenge, bound to this connection.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Challenge {
        /// The challenge.
        1 => pub challenge: [u8; 32],
        /// Milliseconds it is valid.
        3 => pub valid_millis: u64,
    }
}

wire_struct! {
    /// The session is open, on this connection and no other.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SessionOpened {
        /// The registry's attestation, sealed to the terminal.
        1 => pub attestation: SealedAttestation,
        /// When the session ends.
        3 => pub not_after: Timestamp,
    }
}

wire_struct! {
    /// The session is refused.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SessionRefused {
        /// Why.
        1 => pub refusal: SessionRefusal,
    }
}

wire_struct! {
    /// Ends the session of this connection at once.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CloseSession {
        /// Version of this structure.
        1 => pub version: u64,
    }
}

wire_struct! {
    /// The session is closed at the gateway, and institutions are being told.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SessionClosed {
        /// Version of this structure.
        1 => pub version: u64,
        /// Institutions that have confirmed that they answer nothing more under this session; absent
        /// where the gateway does not tell them.
        2 => pub confirmed: Option<u64>,
        /// Institutions that have not confirmed yet; the gateway goes on telling them until the session's
        /// time is over. Absent where it does not tell them.
        4 => pub outstanding: Option<u64>,
    }
}

wire_struct! {
    /// Leaves the sealed ends of this connection's session with the gateway, right after it was opened: to
    /// be delivered when the session ends before its time, whoever is still able to say so.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct LeaveSessionEnds {
        /// At most one for each institution, [`crate::limits::VIEW_PARTS_MAX`] in all. They take the place
        /// of those left before for the same statement.
        1 => pub ends: Vec<SealedSessionEnd>,
    }
}

wire_struct! {
    /// The gateway keeps the ends.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SessionEndsKept {
        /// Version of this structure.
        1 => pub version: u64,
        /// How many it keeps: those for institutions that answer, by the trust list in force.
        3 => pub kept: u64,
    }
}

wire_struct! {
    /// The institution answers nothing more under this session, and has noted so durably.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SessionEnded {
        /// Version of this structure.
        1 => pub version: u64,
    }
}

wire_struct! {
    /// Asks for a view: one part for every institution.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct View {
        /// Milliseconds until the view must be complete, with an outcome for everybody.
        1 => pub deadline_millis: u64,
        /// The parts.
        3 => pub parts: Vec<Part>,
    }
}

wire_struct! {
    /// One institution's sealed answer, forwarded the moment it arrived.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct PartAnswered {
        /// The institution.
        1 => pub audience: MemberId,
        /// Its answer.
        3 => pub answer: SealedAnswer,
    }
}

wire_struct! {
    /// What the gateway observed about an institution that gave no sealed answer.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct PartObserved {
        /// The signed observation.
        1 => pub observation: Signed<Observation>,
    }
}

wire_struct! {
    /// The view is complete: every part was answered or observed.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ViewEnd {
        /// Parts in all.
        1 => pub parts: u64,
    }
}

wire_struct! {
    /// The view is refused as a whole: no session on this connection, or too many views.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ViewRefused {
        /// Why.
        1 => pub refusal: Refusal,
        /// Milliseconds after which asking again makes sense.
        2 => pub retry_after_millis: Option<u64>,
    }
}

wire_struct! {
    /// A gateway asks an institution for a freshness token.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct FetchFreshness {
        /// Version of this structure.
        1 => pub version: u64,
    }
}

wire_struct! {
    /// A freshness token.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Freshness {
        /// The token.
        1 => pub token: Vec<u8>,
        /// Milliseconds it is valid.
        3 => pub valid_millis: u64,
    }
}

wire_struct! {
    /// A gateway puts a guardian's part to an institution.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Ask {
        /// A freshness token of the institution.
        1 => pub freshness: Vec<u8>,
        /// Milliseconds the gateway will still wait.
        3 => pub remaining_millis: u64,
        /// Gateways passed so far, this one included.
        5 => pub hops: u64,
        /// The part.
        7 => pub part: Part,
    }
}

wire_struct! {
    /// An institution's sealed answer.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Answered {
        /// The answer.
        1 => pub answer: SealedAnswer,
    }
}

wire_struct! {
    /// An institution does not work on the part; it could not be opened, or was not worth opening.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Declined {
        /// Why.
        1 => pub refusal: Refusal,
        /// Milliseconds after which asking again makes sense.
        2 => pub retry_after_millis: Option<u64>,
    }
}

wire_struct! {
    /// A gateway passes a session request, bound and admitted, to the registry of its area.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Attest {
        /// The gateway the session is opened at.
        1 => pub gateway: MemberId,
        /// The terminal's request.
        3 => pub open: OpenSession,
        /// The challenge the gateway gave.
        5 => pub challenge: [u8; 32],
        /// TLS exporter of the terminal's connection, as the gateway sees it.
        7 => pub exporter: [u8; 32],
    }
}

wire_union! {
    /// The first frame of a stream.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Request {
        /// Who are you, which version?
        1 => Hello(Hello),
        /// Give me the trust lists after mine.
        2 => FetchTrustLists(FetchTrustLists),
        /// Terminal: a challenge for my card.
        3 => FetchChallenge(FetchChallenge),
        /// Terminal: open a session.
        4 => OpenSession(OpenSession),
        /// Terminal: ask everybody.
        5 => View(View),
        /// Terminal: the card is gone.
        6 => CloseSession(CloseSession),
        /// Gateway: a freshness token.
        7 => FetchFreshness(FetchFreshness),
        /// Gateway: a guardian's part.
        8 => Ask(Ask),
        /// Gateway: attest this session (to the registry).
        9 => Attest(Attest),
        /// Registry: a hold.
        10 => Hold(SealedHoldNotice),
        /// Terminal: keep the ends of my session, should I not be able to end it.
        11 => LeaveSessionEnds(LeaveSessionEnds),
        /// Gateway: a guardian's session has ended.
        12 => EndSession(SealedSessionEnd),
        /// Member: cosign my ledger's checkpoint.
        13 => OfferCheckpoint(CheckpointOffer),
        /// Member: a ledger has two histories.
        14 => TellFork(ForkEvidence),
    }
}

wire_union! {
    /// What comes back on the stream.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Reply {
        /// To a hello.
        1 => Welcome(Welcome),
        /// To a fetch of trust lists.
        2 => TrustLists(TrustLists),
        /// To a fetch of a challenge.
        3 => Challenge(Challenge),
        /// The session is open.
        4 => SessionOpened(SessionOpened),
        /// The session is refused.
        5 => SessionRefused(SessionRefused),
        /// One part of a view was answered.
        6 => PartAnswered(PartAnswered),
        /// One part of a view was not answered.
        7 => PartObserved(PartObserved),
        /// The view is complete.
        8 => ViewEnd(ViewEnd),
        /// The view is refused.
        9 => ViewRefused(ViewRefused),
        /// To a fetch of freshness.
        10 => Freshness(Freshness),
        /// An institution's answer to an ask.
        11 => Answered(Answered),
        /// An institution declines.
        12 => Declined(Declined),
        /// The hold is stored durably.
        13 => HoldStored(Signed<HoldReceipt>),
        /// The session was closed.
        14 => SessionClosed(SessionClosed),
        /// The ends are kept.
        15 => SessionEndsKept(SessionEndsKept),
        /// The session has ended at the institution.
        16 => SessionEnded(SessionEnded),
        /// To an offered checkpoint.
        17 => Witnessed(Witnessed),
        /// To evidence of a fork.
        18 => ForkNoted(ForkNoted),
    }
}
