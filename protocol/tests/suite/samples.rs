//! The fixed value of every structure whose bytes are committed: what stands in the golden files.

use hibiki_protocol::act::{
    Act, AskHistory, ChangeConsent, Changed, ConsentState, Reach, ShowConsent, Withdrawal,
};
use hibiki_protocol::answer::{Answer, KeptSince, Receipt, Record, SealedAnswer};
use hibiki_protocol::cbor;
use hibiki_protocol::frames::*;
use hibiki_protocol::grant::Basis;
use hibiki_protocol::history::{Actor, Disclosed, Event, HistoryEntry, HistoryPage};
use hibiki_protocol::hold::{HoldNotice, HoldReceipt, HoldState, SealedHoldNotice};
use hibiki_protocol::ids::{CommandKey, Digest, GuardianAlias, HoldId, Pseudonym, QueryId};
use hibiki_protocol::outcome::{Observation, Outcome};
use hibiki_protocol::query::{Part, Refusal};
use hibiki_protocol::receipt::{LeafProof, LeafStanding, Promise, PromisedLeaf, ProofPage, ProveReceipts};
use hibiki_protocol::registration::*;
use hibiki_protocol::session::{
    Attestation, AttestedSubject, AudienceSessionKey, OpenSession, Purpose, Relation, SealedAttestation,
    SessionRefusal, SessionStatement, session_keys_root,
};
use hibiki_protocol::session_end::{SealedSessionEnd, SessionEnd};
use hibiki_protocol::signing::Signed;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::token::{LinkToken, PairwiseToken, SealedToken};
use hibiki_protocol::trust::{Member, MemberRequest, Role};
use hibiki_protocol::witnessing::*;

use crate::fixture::*;
use crate::small_ledger::{Rewritten, SmallLedger, rewritten, small_ledger};

pub(crate) const QUERY_DIGEST: Digest = Digest([0x62; 32]);

pub(crate) fn record() -> Record {
    Record {
        category: category("immunization"),
        date: day("2025-06-10"),
        updated_at: Timestamp(NOW.0 - 5 * DAY_MILLIS),
        media_type: "application/fhir+json".to_owned(),
        content: "{\"resourceType\":\"Immunization\"}".as_bytes().to_vec(),
    }
}

pub(crate) fn receipt() -> Receipt {
    Receipt { origin: "chuo-hospital.example/ledger".to_owned(), index: 1234, leaf_hash: Digest([0x71; 32]) }
}

pub(crate) fn answer() -> Answer {
    Answer {
        version: 1,
        query_id: QueryId([0x61; 16]),
        query_digest: QUERY_DIGEST,
        institution: id("chuo-hospital"),
        outcome: Outcome::Data,
        retry_after_millis: None,
        records: vec![record()],
        as_of: NOW,
        policy_version: 3,
        receipt: Some(receipt()),
        simulated: true,
        refusal: None,
        kept_since: None,
        history: None,
        consent: None,
        registration: None,
        promise: None,
        proofs: None,
    }
}

pub(crate) fn nothing_to_show() -> Answer {
    Answer { outcome: Outcome::NothingToShow, records: Vec::new(), ..answer() }
}

pub(crate) fn refused(refusal: Refusal) -> Answer {
    Answer {
        outcome: Outcome::from(refusal),
        records: Vec::new(),
        receipt: None,
        refusal: Some(refusal),
        retry_after_millis: (refusal == Refusal::Busy).then_some(1000),
        ..answer()
    }
}

pub(crate) fn acts() -> Vec<(&'static str, Act)> {
    vec![
        ("History", AskHistory { before: None }.into()),
        ("ShowConsent", ShowConsent { version: 1 }.into()),
        ("ChangeConsent", change_consent().into()),
        ("ShowRegistration", ShowRegistration { version: 1 }.into()),
        (
            "ChangeRegistration",
            change_registration(RegisterAllergens { allergens: vec![egg()] }.into()).into(),
        ),
        ("ProveReceipts", prove_receipts().into()),
    ]
}

pub(crate) fn promise() -> Promise {
    Promise { version: 1, receipt: receipt(), at: NOW }
}

/// An answer with the promise that goes with its receipt.
pub(crate) fn promised(answer: Answer) -> Answer {
    let promise = answer.receipt.clone().map(|receipt| Promise { receipt, ..promise() });
    Answer { promise: promise.map(|promise| Signed::sign(&promise, &signing(HOSPITAL))), ..answer }
}

/// The leaves of the small ledger that its history tells of.
pub(crate) fn prove_receipts() -> ProveReceipts {
    let SmallLedger { entries, .. } = small_ledger();
    let leaf = |entry: &HistoryEntry| PromisedLeaf { index: entry.index, leaf_hash: entry.leaf_hash() };
    ProveReceipts { leaves: entries.iter().map(leaf).collect() }
}

/// One is proved, one is not covered yet, and one was never there.
pub(crate) fn proof_page() -> ProofPage {
    let SmallLedger { mut entries, checkpoint } = small_ledger();
    let HistoryEntry { index, path, .. } = entries.remove(0);
    let not_yet = LeafProof { index: 7, standing: LeafStanding::NotYet, checkpoint: None, path: None };
    let proved = LeafProof { index, standing: LeafStanding::Proved, checkpoint: Some(0), path };
    let unknown = LeafProof { index: 2, standing: LeafStanding::Unknown, ..not_yet.clone() };
    ProofPage { checkpoints: vec![checkpoint], proofs: vec![proved, not_yet, unknown] }
}

pub(crate) fn told_proofs() -> Answer {
    Answer { records: Vec::new(), proofs: Some(proof_page()), ..answer() }
}

pub(crate) fn egg() -> RegisteredAllergen {
    RegisteredAllergen { code: "J9FB13000000".to_owned(), strict: true }
}

pub(crate) fn change_registration(change: RegistrationChange) -> ChangeRegistration {
    ChangeRegistration { key: CommandKey([0x79; 16]), change }
}

pub(crate) fn registration_changes() -> Vec<(&'static str, RegistrationChange)> {
    vec![
        ("Allergens", RegisterAllergens { allergens: vec![egg()] }.into()),
        ("Address", RegisterAddress { address: "hanako@example.jp".to_owned() }.into()),
        ("Confirm", ConfirmAddress { code: "012345".to_owned() }.into()),
        ("Withdraw", WithdrawAddress { version: 1 }.into()),
        ("Mails", WantedMails { kinds: vec![MailKind::Allergy, MailKind::Notice] }.into()),
    ]
}

pub(crate) fn delivery() -> Delivery {
    Delivery { kind: MailKind::Allergy, lunch: Some(day("2026-11-27")), state: DeliveryState::Sent, at: NOW }
}

pub(crate) fn waiting_address() -> WaitingAddress {
    WaitingAddress { address: "hanako@example.jp".to_owned(), until: NOW }
}

pub(crate) fn registration_state() -> RegistrationState {
    RegistrationState {
        allergens: vec![egg()],
        others: vec![RegisteredAllergen { code: "J9FB12000000".to_owned(), strict: false }],
        address: Some("taro@example.jp".to_owned()),
        waiting: Some(waiting_address()),
        mails: vec![MailKind::Notice],
        deliveries: vec![delivery()],
        changed: Some(changed()),
        refused: None,
    }
}

pub(crate) fn nothing_registered() -> RegistrationState {
    RegistrationState {
        allergens: Vec::new(),
        others: Vec::new(),
        address: None,
        waiting: None,
        mails: Vec::new(),
        deliveries: Vec::new(),
        changed: None,
        refused: None,
    }
}

pub(crate) fn told_registration() -> Answer {
    Answer { records: Vec::new(), registration: Some(registration_state()), ..answer() }
}

pub(crate) fn change_consent() -> ChangeConsent {
    ChangeConsent {
        category: Some(category("growth")),
        permit: false,
        reach: Reach::EveryGuardian,
        key: CommandKey([0x78; 16]),
    }
}

pub(crate) fn kept_since() -> KeptSince {
    KeptSince { category: category("immunization"), since: day("2012-04-01") }
}

/// What a release told the guardian of the samples' grant.
pub(crate) fn records_shown() -> Disclosed {
    Disclosed {
        event: Event::RecordsShown,
        actor: Actor::Guardian,
        alias: Some(GuardianAlias([0x52; 16])),
        purpose: Some(Purpose::FamilyRequest),
        categories: vec![category("immunization")],
        count: Some(7),
        basis: Some(Basis::ParentalJoint),
        via: Some(id("city-hall")),
        reach: None,
        simulated: true,
    }
}

pub(crate) fn withdrawn() -> Disclosed {
    Disclosed {
        event: Event::ConsentWithdrawn,
        categories: vec![category("growth")],
        count: None,
        reach: Some(Reach::EveryGuardian),
        ..records_shown()
    }
}

pub(crate) fn linked() -> Disclosed {
    Disclosed {
        event: Event::Linked,
        actor: Actor::Staff,
        alias: None,
        purpose: None,
        categories: Vec::new(),
        count: None,
        basis: None,
        via: None,
        reach: None,
        simulated: false,
    }
}

pub(crate) fn history_page() -> HistoryPage {
    let SmallLedger { entries, checkpoint } = small_ledger();
    HistoryPage { entries, older: Some(1), checkpoint: Some(checkpoint) }
}

pub(crate) fn withdrawal() -> Withdrawal {
    Withdrawal { category: Some(category("growth")), reach: Reach::EveryGuardian, at: NOW }
}

pub(crate) fn changed() -> Changed {
    let SmallLedger { mut entries, checkpoint } = small_ledger();
    let entry = entries.remove(0);
    let origin = Member::ledger_origin(&id("chuo-hospital"));
    let receipt = Receipt { origin, index: entry.index, leaf_hash: entry.leaf_hash() };
    Changed { receipt, entry, checkpoint: Some(checkpoint) }
}

pub(crate) fn consent_state() -> ConsentState {
    ConsentState { withdrawn: vec![withdrawal()], changed: Some(changed()) }
}

pub(crate) fn told_history() -> Answer {
    Answer {
        records: Vec::new(),
        history: Some(history_page()),
        kept_since: Some(vec![kept_since()]),
        ..answer()
    }
}

pub(crate) fn told_consent() -> Answer {
    Answer { records: Vec::new(), consent: Some(consent_state()), ..answer() }
}

pub(crate) fn observation() -> Observation {
    Observation {
        gateway: id("city-hall"),
        audience: id("dai-ichi-school"),
        part: Digest([0x72; 32]),
        outcome: Outcome::Busy,
        refusal: Some(Refusal::Busy),
        retry_after_millis: Some(1000),
        at: Timestamp(NOW.0 + 2900),
    }
}

pub(crate) fn part() -> Part {
    Part { audience: id("chuo-hospital"), key_id: sealing(HOSPITAL).public().id(), sealed: closed_box(0x63) }
}

pub(crate) fn hold_notice() -> HoldNotice {
    HoldNotice {
        version: 1,
        id: HoldId([0x73; 16]),
        registry: id("city-hall"),
        audience: id("chuo-hospital"),
        token: SealedToken(closed_box(0x74)),
        token_key: sealing(HOSPITAL).public().id(),
        guardian: Some(GuardianAlias([0x52; 16])),
        state: HoldState::Placed,
        issued: NOW,
        review_by: Timestamp(NOW.0 + 365 * DAY_MILLIS),
    }
}

pub(crate) fn sealed_hold_notice() -> SealedHoldNotice {
    SealedHoldNotice {
        audience: id("chuo-hospital"),
        key_id: sealing(HOSPITAL).public().id(),
        sealed: closed_box(0x75),
    }
}

pub(crate) fn hold_receipt() -> HoldReceipt {
    HoldReceipt { institution: id("chuo-hospital"), notice: Digest([0x76; 32]), at: NOW }
}

pub(crate) fn pairwise_token() -> PairwiseToken {
    PairwiseToken {
        pseudonym: Pseudonym([0x81; 16]),
        digest_key: [0x82; 32],
        birth_date: [0x83; 16],
        sex: [0x84; 16],
        kana: [0x85; 16],
    }
}

pub(crate) fn link_token() -> LinkToken {
    LinkToken {
        registry: id("city-hall"),
        audience: id("chuo-hospital"),
        key_id: sealing(HOSPITAL).public().id(),
        token: SealedToken(closed_box(0x86)),
        issued: NOW,
        expires: Timestamp(NOW.0 + 7 * DAY_MILLIS),
    }
}

pub(crate) fn member_request() -> MemberRequest {
    MemberRequest { federation: federation(), member: hospital(), issued: NOW }
}

pub(crate) fn session_keys() -> Vec<AudienceSessionKey> {
    vec![
        AudienceSessionKey { audience: id("chuo-hospital"), key: signing(SESSION).verifying_key() },
        AudienceSessionKey { audience: id("dai-ichi-school"), key: signing(SESSION + 2).verifying_key() },
    ]
}

pub(crate) fn statement() -> SessionStatement {
    SessionStatement {
        version: 1,
        federation: federation(),
        gateway: id("city-hall"),
        epoch: 7,
        list_digest: accepted().digest(),
        challenge: [0x91; 32],
        exporter: [0x92; 32],
        session_keys_root: session_keys_root(&session_keys()),
        purpose: Purpose::FamilyRequest,
        reply_key: sealing(ANSWER).public(),
        issued: NOW,
        not_after: Timestamp(NOW.0 + 600_000),
    }
}

/// A request for the statement; signature and certificate are bytes in their place.
pub(crate) fn open_session_of(statement: &SessionStatement) -> OpenSession {
    OpenSession {
        statement: cbor::encode(statement),
        card_signature: vec![0x93; 256],
        certificate: vec![0x30, 0x03, 0x02, 0x01, 0x07],
        keys: session_keys(),
    }
}

pub(crate) fn open_session() -> OpenSession {
    open_session_of(&statement())
}

pub(crate) fn attested_subject() -> AttestedSubject {
    AttestedSubject {
        relation: Relation::Child,
        name: "前橋 花子".to_owned(),
        kana: "マエバシ ハナコ".to_owned(),
        birth_date: day("2020-02-29"),
        sex: "female".to_owned(),
        grants: vec![Signed::sign(&grant(), &signing(CITY))],
    }
}

pub(crate) fn attestation() -> Attestation {
    Attestation {
        registry: id("city-hall"),
        statement: Digest::of(&[&cbor::encode(&statement())]),
        subjects: vec![attested_subject()],
        issued: NOW,
        expires: Timestamp(NOW.0 + 600_000),
        simulated: true,
    }
}

/// The end of the session with the hospital.
pub(crate) fn session_end() -> SessionEnd {
    SessionEnd {
        version: 1,
        audience: id("chuo-hospital"),
        session_key: signing(SESSION).verifying_key(),
        not_after: Timestamp(NOW.0 + 600_000),
    }
}

pub(crate) fn sealed_session_end() -> SealedSessionEnd {
    SealedSessionEnd {
        audience: id("chuo-hospital"),
        key_id: sealing(HOSPITAL).public().id(),
        sealed: closed_box(0x77),
    }
}

pub(crate) fn leave_session_ends() -> LeaveSessionEnds {
    LeaveSessionEnds { ends: vec![sealed_session_end()] }
}

pub(crate) fn session_closed() -> SessionClosed {
    SessionClosed { version: 1, confirmed: Some(5), outstanding: Some(1) }
}

pub(crate) fn requests() -> Vec<(&'static str, Request)> {
    vec![
        ("Hello", Hello { version_min: 1, version_max: 1, federation: federation(), epoch: 7 }.into()),
        ("FetchTrustLists", FetchTrustLists { after: 6 }.into()),
        ("FetchChallenge", FetchChallenge { epoch: 7 }.into()),
        ("OpenSession", open_session().into()),
        ("View", View { deadline_millis: 3000, parts: vec![part()] }.into()),
        ("CloseSession", CloseSession { version: 1 }.into()),
        ("FetchFreshness", FetchFreshness { version: 1 }.into()),
        ("Ask", ask().into()),
        ("Attest", attest().into()),
        ("Hold", sealed_hold_notice().into()),
        ("LeaveSessionEnds", leave_session_ends().into()),
        ("EndSession", sealed_session_end().into()),
        ("OfferCheckpoint", checkpoint_offer().into()),
        ("TellFork", fork_evidence().into()),
    ]
}

/// The school as a witness.
pub(crate) fn witness() -> Member {
    Member {
        roles: vec![Role::Responder, Role::Witness],
        witness_key: Some(signing(SCHOOL + 2).verifying_key()),
        ..school()
    }
}

/// The hospital's ledger has grown from four entries to seven.
pub(crate) fn checkpoint_offer() -> CheckpointOffer {
    let Rewritten { old_root, proof, .. } = rewritten();
    CheckpointOffer {
        audience: id("dai-ichi-school"),
        origin: Member::ledger_origin(&id("chuo-hospital")),
        checkpoint: Some(small_ledger().checkpoint),
        old_size: 4,
        old_root,
        proof,
    }
}

pub(crate) fn cosigned() -> Cosigned {
    Cosigned { signature: rewritten().cosignature }
}

pub(crate) fn not_cosigned() -> NotCosigned {
    NotCosigned { refusal: WitnessRefusal::Conflict, kept: Some(rewritten().kept) }
}

pub(crate) fn no_witness() -> NotCosigned {
    NotCosigned { refusal: WitnessRefusal::NoWitness, kept: None }
}

pub(crate) fn witnessed() -> Vec<(&'static str, Witnessed)> {
    vec![("Cosigned", cosigned().into()), ("NotCosigned", not_cosigned().into())]
}

/// The school keeps four entries that are not the first four of the hospital's seven.
pub(crate) fn fork_evidence() -> ForkEvidence {
    let Rewritten { old_root, proof, kept, .. } = rewritten();
    ForkEvidence { first: kept, second: small_ledger().checkpoint, prefix_root: old_root, proof }
}

pub(crate) fn ask() -> Ask {
    Ask { freshness: vec![0xa1; 36], remaining_millis: 2800, hops: 1, part: part() }
}

pub(crate) fn attest() -> Attest {
    Attest { gateway: id("city-hall"), open: open_session(), challenge: [0x91; 32], exporter: [0x92; 32] }
}

pub(crate) fn sealed_answer() -> SealedAnswer {
    SealedAnswer(closed_box(0xa2))
}

pub(crate) fn session_opened() -> SessionOpened {
    SessionOpened { attestation: SealedAttestation(closed_box(0xa3)), not_after: Timestamp(NOW.0 + 600_000) }
}

pub(crate) fn welcome() -> Welcome {
    Welcome { version: 1, member: id("city-hall"), epoch: 7, list_digest: accepted().digest(), now: NOW }
}

pub(crate) fn trust_lists() -> TrustLists {
    TrustLists { lists: vec![accepted().signed().clone()] }
}

pub(crate) fn observed() -> PartObserved {
    PartObserved { observation: Signed::sign(&observation(), &signing(CITY)) }
}

pub(crate) fn replies() -> Vec<(&'static str, Reply)> {
    vec![
        ("Welcome", welcome().into()),
        ("TrustLists", trust_lists().into()),
        ("Challenge", Challenge { challenge: [0x91; 32], valid_millis: 120_000 }.into()),
        ("SessionOpened", session_opened().into()),
        ("SessionRefused", SessionRefused { refusal: SessionRefusal::NotEnrolled }.into()),
        ("PartAnswered", PartAnswered { audience: id("chuo-hospital"), answer: sealed_answer() }.into()),
        ("PartObserved", observed().into()),
        ("ViewEnd", ViewEnd { parts: 2 }.into()),
        ("ViewRefused", ViewRefused { refusal: Refusal::Busy, retry_after_millis: Some(1000) }.into()),
        ("Freshness", Freshness { token: vec![0xa1; 36], valid_millis: 120_000 }.into()),
        ("Answered", Answered { answer: sealed_answer() }.into()),
        ("Declined", Declined { refusal: Refusal::Stale, retry_after_millis: None }.into()),
        ("HoldStored", Signed::sign(&hold_receipt(), &signing(HOSPITAL)).into()),
        ("SessionClosed", SessionClosed { version: 1, confirmed: None, outstanding: None }.into()),
        ("SessionEndsKept", SessionEndsKept { version: 1, kept: 6 }.into()),
        ("SessionEnded", SessionEnded { version: 1 }.into()),
        ("Witnessed", Witnessed::from(cosigned()).into()),
        ("ForkNoted", ForkNoted { version: 1, proven: true }.into()),
    ]
}
