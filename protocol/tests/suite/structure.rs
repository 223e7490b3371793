//! Every structure on the wire, as something a test can run over.

use std::fmt::Debug;

use hibiki_protocol::act::{
    Act, AskHistory, ChangeConsent, Changed, ConsentState, Reach, ShowConsent, Withdrawal,
};
use hibiki_protocol::answer::{Answer, KeptSince, Receipt, Record};
use hibiki_protocol::cbor::{self, DecodeError, Wire};
use hibiki_protocol::frames::*;
use hibiki_protocol::grant::{Basis, Grant};
use hibiki_protocol::history::{Actor, Disclosed, Event, HistoryEntry, HistoryPage};
use hibiki_protocol::hold::{HoldNotice, HoldReceipt, HoldState, SealedHoldNotice};
use hibiki_protocol::outcome::{Observation, Outcome};
use hibiki_protocol::query::{Part, Query, Refusal};
use hibiki_protocol::receipt::{LeafProof, LeafStanding, Promise, PromisedLeaf, ProofPage, ProveReceipts};
use hibiki_protocol::registration::*;
use hibiki_protocol::sealing::{Sealed, Suite};
use hibiki_protocol::session::{
    Attestation, AttestedSubject, AudienceSessionKey, OpenSession, Purpose, Relation, SessionRefusal,
    SessionStatement,
};
use hibiki_protocol::session_end::{SealedSessionEnd, SessionEnd};
use hibiki_protocol::signing::Signed;
use hibiki_protocol::token::{LinkToken, PairwiseToken};
use hibiki_protocol::trust::chain::RootSignature;
use hibiki_protocol::trust::{
    CardAuthority, Member, MemberKind, MemberRequest, Role, Root, RootAnchor, SealingKey, SignedTrustList,
    TrustList,
};
use hibiki_protocol::witnessing::*;

use crate::any::{Any, Gen};
use crate::source;

/// One structure.
pub(crate) struct Structure {
    pub(crate) name: &'static str,
    /// Makes a value and encodes it.
    pub(crate) encode_any: fn(&mut Gen) -> Vec<u8>,
    /// Makes a value, encodes, decodes, compares, encodes again, compares.
    pub(crate) round_trip: fn(&mut Gen),
    /// Decodes and encodes again.
    pub(crate) recode: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
}

fn structure<T: Any + Wire + PartialEq + Debug>(name: &'static str) -> Structure {
    Structure {
        name,
        encode_any: |g| cbor::encode(&T::any(g)),
        round_trip: |g| {
            let value = T::any(g);
            let bytes = cbor::encode(&value);
            let decoded: T = cbor::decode(&bytes).unwrap();
            assert_eq!(decoded, value);
            assert_eq!(cbor::encode(&decoded), bytes);
        },
        recode: |bytes| cbor::decode::<T>(bytes).map(|value| cbor::encode(&value)),
    }
}

macro_rules! every {
    ($($name:ident),+ $(,)?) => { vec![$(structure::<$name>(stringify!($name))),+] };
}

/// All of them.
pub(crate) fn every() -> Vec<Structure> {
    let mut all = every![
        Basis,
        Suite,
        HoldState,
        Outcome,
        Refusal,
        MemberKind,
        Role,
        Purpose,
        SessionRefusal,
        Relation,
        Reach,
        Event,
        Actor,
        LeafStanding,
        Act,
        AskHistory,
        ShowConsent,
        ChangeConsent,
        ConsentState,
        ShowRegistration,
        ChangeRegistration,
        RegistrationChange,
        RegisterAllergens,
        RegisteredAllergen,
        RegisterAddress,
        ConfirmAddress,
        WithdrawAddress,
        WantedMails,
        MailKind,
        RegistrationState,
        WaitingAddress,
        Delivery,
        DeliveryState,
        RegistrationRefusal,
        Withdrawal,
        Changed,
        Disclosed,
        HistoryEntry,
        HistoryPage,
        KeptSince,
        Sealed,
        Grant,
        HoldNotice,
        SealedHoldNotice,
        HoldReceipt,
        Hello,
        Welcome,
        FetchTrustLists,
        TrustLists,
        FetchChallenge,
        Challenge,
        SessionOpened,
        SessionRefused,
        CloseSession,
        SessionClosed,
        SessionEnd,
        SealedSessionEnd,
        LeaveSessionEnds,
        SessionEndsKept,
        SessionEnded,
        View,
        PartAnswered,
        PartObserved,
        ViewEnd,
        ViewRefused,
        FetchFreshness,
        Freshness,
        Ask,
        Answered,
        Declined,
        Attest,
        Record,
        Receipt,
        Promise,
        ProveReceipts,
        PromisedLeaf,
        LeafProof,
        ProofPage,
        Answer,
        Observation,
        Query,
        Part,
        RootSignature,
        SignedTrustList,
        RootAnchor,
        SealingKey,
        Member,
        CardAuthority,
        Root,
        TrustList,
        MemberRequest,
        PairwiseToken,
        LinkToken,
        AudienceSessionKey,
        SessionStatement,
        OpenSession,
        AttestedSubject,
        Attestation,
        WitnessRefusal,
        CheckpointOffer,
        Cosigned,
        NotCosigned,
        Witnessed,
        ForkEvidence,
        ForkNoted,
        Request,
        Reply,
    ];
    all.push(structure::<Signed<Query>>("Signed"));
    all
}

#[test]
fn every_declared_structure_is_tested() {
    let every: Vec<&str> = every().iter().map(|structure| structure.name).collect();
    for declared in source::declared() {
        assert!(
            every.contains(&declared.name.as_str()),
            "{} is on the wire but not in tests/suite/structure.rs",
            declared.name
        );
    }
}
