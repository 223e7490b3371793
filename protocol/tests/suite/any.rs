//! Any value of any type on the wire, made from a seed: the same seed makes the same value.

use hibiki_protocol::act::{
    Act, AskHistory, ChangeConsent, Changed, ConsentState, Reach, ShowConsent, Withdrawal,
};
use hibiki_protocol::answer::{Answer, KeptSince, Receipt, Record, SealedAnswer};
use hibiki_protocol::frames::*;
use hibiki_protocol::grant::{Basis, Grant};
use hibiki_protocol::history::{Actor, Disclosed, Event, HistoryEntry, HistoryPage};
use hibiki_protocol::hold::{HoldNotice, HoldReceipt, HoldState, SealedHoldNotice};
use hibiki_protocol::ids::{
    Category, CommandKey, Digest, FederationId, GrantId, GuardianAlias, HoldId, MemberId, Pseudonym, QueryId,
};
use hibiki_protocol::outcome::{Observation, Outcome};
use hibiki_protocol::query::{Part, Query, Refusal};
use hibiki_protocol::receipt::{LeafProof, LeafStanding, Promise, PromisedLeaf, ProofPage, ProveReceipts};
use hibiki_protocol::registration::*;
use hibiki_protocol::sealing::{Sealed, SealingKeyId, SealingPublic, Suite};
use hibiki_protocol::session::{
    Attestation, AttestedSubject, AudienceSessionKey, OpenSession, Purpose, Relation, SealedAttestation,
    SessionRefusal, SessionStatement,
};
use hibiki_protocol::session_end::{SealedSessionEnd, SessionEnd};
use hibiki_protocol::signing::{Signable, Signature, Signed, SigningKey, VerifyingKey};
use hibiki_protocol::time::{Day, Timestamp};
use hibiki_protocol::token::{LinkToken, PairwiseToken, SealedToken};
use hibiki_protocol::trust::chain::RootSignature;
use hibiki_protocol::trust::{
    CardAuthority, Member, MemberKind, MemberRequest, Role, Root, RootAnchor, SealingKey, SignedTrustList,
    TlsKey, TrustList,
};
use hibiki_protocol::witnessing::*;

/// A generator of numbers (splitmix64): enough for tests, and nothing else.
pub(crate) struct Gen(u64);

impl Gen {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

/// Can be made from a generator.
pub(crate) trait Any: Sized {
    fn any(g: &mut Gen) -> Self;
}

impl Any for u64 {
    fn any(g: &mut Gen) -> Self {
        let edges = [0, 1, 23, 24, 255, 256, 65_535, 65_536, 0xffff_ffff, 0x1_0000_0000, Self::MAX];
        if g.below(2) == 0 { *g.pick(&edges) } else { g.next() >> g.below(64) }
    }
}

impl Any for bool {
    fn any(g: &mut Gen) -> Self {
        g.below(2) == 0
    }
}

impl Any for String {
    fn any(g: &mut Gen) -> Self {
        let letters = ['a', 'Z', '0', ' ', '"', '\u{0}', 'é', '響', 'き', '\u{1f9d2}', '\u{202e}'];
        (0..g.below(30)).map(|_| *g.pick(&letters)).collect()
    }
}

impl Any for Vec<u8> {
    fn any(g: &mut Gen) -> Self {
        let lengths = [0, 1, 23, 24, 40, 255, 256, 300];
        let length = *g.pick(&lengths);
        g.bytes(length)
    }
}

impl<const N: usize> Any for [u8; N] {
    fn any(g: &mut Gen) -> Self {
        g.bytes(N).try_into().unwrap()
    }
}

impl<T: Any> Any for Option<T> {
    fn any(g: &mut Gen) -> Self {
        (g.below(2) == 0).then(|| T::any(g))
    }
}

impl<T: Any> Any for Vec<T> {
    fn any(g: &mut Gen) -> Self {
        (0..g.below(4)).map(|_| T::any(g)).collect()
    }
}

impl<T: Any + Signable> Any for Signed<T> {
    fn any(g: &mut Gen) -> Self {
        Self::sign(&T::any(g), &SigningKey::from_seed(&Any::any(g)))
    }
}

fn name(g: &mut Gen) -> String {
    let letters: Vec<char> = ('a'..='z').chain('0'..='9').collect();
    let middle = ['a', '7', '-'];
    let inner: String = (0..g.below(20)).map(|_| *g.pick(&middle)).collect();
    format!("{}{inner}{}", g.pick(&letters), g.pick(&letters))
}

impl Any for FederationId {
    fn any(g: &mut Gen) -> Self {
        Self::new(&name(g)).unwrap()
    }
}

impl Any for MemberId {
    fn any(g: &mut Gen) -> Self {
        Self::new(&format!("{}/{}", name(g), name(g))).unwrap()
    }
}

impl Any for Category {
    fn any(g: &mut Gen) -> Self {
        let letters = ['a', 'm', 'z', '0', '9', '_'];
        let text: String = (0..=g.below(32)).map(|_| *g.pick(&letters)).collect();
        Self::new(&text).unwrap()
    }
}

impl Any for Day {
    fn any(g: &mut Gen) -> Self {
        Self::new(&format!("{:04}-{:02}-{:02}", g.below(10_000), 1 + g.below(12), 1 + g.below(28))).unwrap()
    }
}

macro_rules! wrappers {
    ($($name:ident),+) => {$(
        impl Any for $name { fn any(g: &mut Gen) -> Self { Self(Any::any(g)) } }
    )+};
}

wrappers!(
    Timestamp,
    Digest,
    Pseudonym,
    GuardianAlias,
    QueryId,
    GrantId,
    HoldId,
    CommandKey,
    VerifyingKey,
    Signature,
    SealingPublic,
    SealingKeyId,
    TlsKey,
    SealedToken,
    SealedAnswer,
    SealedAttestation
);

macro_rules! codes {
    ($($name:ident),+) => {$(
        impl Any for $name { fn any(g: &mut Gen) -> Self { *g.pick(Self::ALL) } }
    )+};
}

codes!(
    MailKind,
    DeliveryState,
    RegistrationRefusal,
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
    WitnessRefusal,
    LeafStanding
);

macro_rules! structures {
    ($($name:ident { $($field:ident),+ $(,)? })+) => {$(
        impl Any for $name { fn any(g: &mut Gen) -> Self { Self { $($field: Any::any(g)),+ } } }
    )+};
}

structures! {
    Sealed { suite, encapsulated, ciphertext }
    Grant { version, id, registry, audience, session_key, guardian, token_key, token, basis, categories,
        issued, expires, evidence, epoch, simulated }
    HoldNotice { version, id, registry, audience, token, token_key, guardian, state, issued, review_by }
    SealedHoldNotice { audience, key_id, sealed }
    HoldReceipt { institution, notice, at }
    Hello { version_min, version_max, federation, epoch }
    Welcome { version, member, epoch, list_digest, now }
    FetchTrustLists { after }
    TrustLists { lists }
    FetchChallenge { epoch }
    Challenge { challenge, valid_millis }
    SessionOpened { attestation, not_after }
    SessionRefused { refusal }
    CloseSession { version }
    SessionClosed { version, confirmed, outstanding }
    SessionEnd { version, audience, session_key, not_after }
    SealedSessionEnd { audience, key_id, sealed }
    LeaveSessionEnds { ends }
    SessionEndsKept { version, kept }
    SessionEnded { version }
    View { deadline_millis, parts }
    PartAnswered { audience, answer }
    PartObserved { observation }
    ViewEnd { parts }
    ViewRefused { refusal, retry_after_millis }
    FetchFreshness { version }
    Freshness { token, valid_millis }
    Ask { freshness, remaining_millis, hops, part }
    Answered { answer }
    Declined { refusal, retry_after_millis }
    Attest { gateway, open, challenge, exporter }
    Record { category, date, updated_at, media_type, content }
    Receipt { origin, index, leaf_hash }
    Promise { version, receipt, at }
    ProveReceipts { leaves }
    PromisedLeaf { index, leaf_hash }
    LeafProof { index, standing, checkpoint, path }
    ProofPage { checkpoints, proofs }
    KeptSince { category, since }
    AskHistory { before }
    ShowConsent { version }
    ShowRegistration { version }
    ChangeRegistration { key, change }
    RegisterAllergens { allergens }
    RegisteredAllergen { code, strict }
    RegisterAddress { address }
    ConfirmAddress { code }
    WithdrawAddress { version }
    WantedMails { kinds }
    RegistrationState { allergens, others, address, waiting, mails, deliveries, changed, refused }
    WaitingAddress { address, until }
    Delivery { kind, lunch, state, at }
    ChangeConsent { category, permit, reach, key }
    ConsentState { withdrawn, changed }
    Withdrawal { category, reach, at }
    Changed { receipt, entry, checkpoint }
    Disclosed { event, actor, alias, purpose, categories, count, basis, via, reach, simulated }
    HistoryEntry { index, leaf, salt, disclosed, house, path }
    HistoryPage { entries, older, checkpoint }
    Answer { version, query_id, query_digest, institution, outcome, retry_after_millis, records, as_of,
        policy_version, receipt, simulated, refusal, kept_since, history, consent, registration,
        promise, proofs }
    Observation { gateway, audience, part, outcome, refusal, retry_after_millis, at }
    Query { version, id, audience, grant, purpose, categories, since, answer_key, issued, expires, epoch,
        list_digest, act }
    Part { audience, key_id, sealed }
    RootSignature { key, signature }
    SignedTrustList { payload, signatures }
    RootAnchor { federation, root }
    SealingKey { suite, public, not_before, not_after }
    Member { id, kind, name_ja, name_en, roles, addresses, tls_key, tls_key_next, signing_key, sealing_keys,
        ledger_key, registry_area, witness_key }
    CheckpointOffer { audience, origin, checkpoint, old_size, old_root, proof }
    Cosigned { signature }
    NotCosigned { refusal, kept }
    ForkEvidence { first, second, prefix_root, proof }
    ForkNoted { version, proven }
    CardAuthority { name, certificate, policy, simulated }
    Root { keys, threshold, removal_threshold }
    TrustList { version, federation, epoch, previous, issued, expires, root, members, card_authorities }
    MemberRequest { federation, member, issued }
    PairwiseToken { pseudonym, digest_key, birth_date, sex, kana }
    LinkToken { registry, audience, key_id, token, issued, expires }
    AudienceSessionKey { audience, key }
    SessionStatement { version, federation, gateway, epoch, list_digest, challenge, exporter,
        session_keys_root, purpose, reply_key, issued, not_after }
    OpenSession { statement, card_signature, certificate, keys }
    AttestedSubject { relation, name, kana, birth_date, sex, grants }
    Attestation { registry, statement, subjects, issued, expires, simulated }
}

macro_rules! unions {
    ($($name:ident { $($variant:ident),+ $(,)? })+) => {$(
        impl Any for $name {
            fn any(g: &mut Gen) -> Self {
                let variants: &[fn(&mut Gen) -> Self] = &[$(|g| Self::$variant(Any::any(g))),+];
                let make = *g.pick(variants);
                make(g)
            }
        }
    )+};
}

unions! {
    Act { History, ShowConsent, ChangeConsent, ShowRegistration, ChangeRegistration, ProveReceipts }
    RegistrationChange { Allergens, Address, Confirm, Withdraw, Mails }
    Request { Hello, FetchTrustLists, FetchChallenge, OpenSession, View, CloseSession, FetchFreshness, Ask,
        Attest, Hold, LeaveSessionEnds, EndSession, OfferCheckpoint, TellFork }
    Reply { Welcome, TrustLists, Challenge, SessionOpened, SessionRefused, PartAnswered, PartObserved,
        ViewEnd, ViewRefused, Freshness, Answered, Declined, HoldStored, SessionClosed,
        SessionEndsKept, SessionEnded, Witnessed, ForkNoted }
    Witnessed { Cosigned, NotCosigned }
}
