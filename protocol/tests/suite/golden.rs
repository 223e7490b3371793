//! Golden bytes: what stands in `tests/golden/v1/` is version 1 of the protocol, for ever.
//!
//! Each file holds the bytes of one structure, of a signed one, or of a sealed box. The committed
//! bytes are decoded, compared with the fixed value, encoded and compared again. Sealing is
//! randomised, so a sealed box is opened with a fixed secret instead.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::sync::Once;

use hibiki_protocol::act::{
    AskHistory, ChangeConsent, Changed, ConsentState, Reach, ShowConsent, Withdrawal,
};
use hibiki_protocol::answer::SealedAnswer;
use hibiki_protocol::cbor::{self, Wire};
use hibiki_protocol::frames::*;
use hibiki_protocol::grant::Basis;
use hibiki_protocol::history::{Actor, Event, HistoryEntry, HistoryPage};
use hibiki_protocol::hold::{HoldState, SealedHoldNotice};
use hibiki_protocol::ids::{Digest, QueryId};
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::query::{Part, Query, Refusal, ReplyTo};
use hibiki_protocol::receipt::{LeafStanding, ProofPage};
use hibiki_protocol::registration::*;
use hibiki_protocol::sealing::Suite;
use hibiki_protocol::session::{Purpose, Relation, SealedAttestation, SessionRefusal};
use hibiki_protocol::session_end::SealedSessionEnd;
use hibiki_protocol::signing::{Signable, Signed};
use hibiki_protocol::tlog::{DigestKind, EntryKind, Leaf};
use hibiki_protocol::token::{AudienceKey, IdentityFacts, PairwiseToken, SealedToken};
use hibiki_protocol::trust::chain::RootSignature;
use hibiki_protocol::trust::{MemberKind, Role, SignedTrustList};
use hibiki_protocol::witnessing::*;

use crate::fixture::*;
use crate::samples::*;
use crate::source;

/// Set to 1 to write the files from the fixed values. Never to make a failing test pass: bytes of a
/// version that is in use do not change.
const WRITE: &str = "HIBIKI_GOLDEN_WRITE";

/// Judges the committed bytes of one entry; panics with what is wrong.
type Check = Box<dyn Fn(&[u8])>;

struct Entry {
    label: String,
    fresh: Vec<u8>,
    check: Check,
}

struct Golden {
    name: String,
    entries: Vec<Entry>,
}

fn structure<T: Wire + PartialEq + Debug + 'static, L: ToString>(
    name: &str,
    values: impl IntoIterator<Item = (L, T)>,
) -> Golden {
    let entries = values.into_iter().map(|(label, value)| Entry {
        label: label.to_string(),
        fresh: cbor::encode(&value),
        check: Box::new(move |bytes| {
            let decoded: T = cbor::decode(bytes).expect("the committed bytes decode");
            assert_eq!(decoded, value, "the committed bytes mean the fixed value");
            assert_eq!(cbor::encode(&decoded), bytes, "and it has these very bytes");
        }),
    });
    Golden { name: name.to_owned(), entries: entries.collect() }
}

fn one<T: Wire + PartialEq + Debug + 'static>(name: &str, value: T) -> Golden {
    structure(name, [("value", value)])
}

fn signed<T: Signable + PartialEq + Debug + Clone + 'static>(name: &str, value: T, seed: u8) -> Golden {
    let fresh = Signed::sign(&value, &signing(seed));
    let check = move |bytes: &[u8]| {
        let committed: Signed<T> = cbor::decode(bytes).expect("the committed bytes decode");
        assert_eq!(committed.verify(&signing(seed).verifying_key()).expect("and verify"), value);
        assert_eq!(committed, Signed::sign(&value, &signing(seed)), "Ed25519 is deterministic");
        assert_eq!(cbor::encode(&committed), bytes);
    };
    let entry =
        Entry { label: format!("seed {seed:02x}"), fresh: cbor::encode(&fresh), check: Box::new(check) };
    Golden { name: format!("Signed-{name}"), entries: vec![entry] }
}

fn sealed(name: &str, label: &str, fresh: Vec<u8>, check: impl Fn(&[u8]) + 'static) -> Golden {
    Golden {
        name: format!("Sealed-{name}"),
        entries: vec![Entry { label: label.to_owned(), fresh, check: Box::new(check) }],
    }
}

macro_rules! codes {
    ($($name:ident),+) => {
        vec![$(structure(stringify!($name), $name::ALL.iter().map(|code| (code.as_str(), *code)))),+]
    };
}

fn every() -> Vec<Golden> {
    let mut all = codes![
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
        MailKind,
        DeliveryState,
        RegistrationRefusal,
        WitnessRefusal
    ];
    all.extend(structures());
    all.extend(frames());
    all.extend(signed_structures());
    all.extend(sealed_boxes());
    all.push(leaf());
    all
}

fn structures() -> Vec<Golden> {
    let all_asked = Query { categories: Vec::new(), since: None, ..query() };
    let registry_list = accepted().signed().clone();
    let everybody =
        hibiki_protocol::hold::HoldNotice { guardian: None, state: HoldState::Lifted, ..hold_notice() };
    let unlimited =
        hibiki_protocol::grant::Grant { categories: Vec::new(), basis: Basis::Oneself, ..grant() };
    let silent = hibiki_protocol::outcome::Observation {
        outcome: Outcome::TimedOut,
        refusal: None,
        retry_after_millis: None,
        ..observation()
    };
    vec![
        one("Sealed", closed_box(0x53)),
        structure("Grant", [("two categories", grant()), ("every category", unlimited)]),
        structure(
            "Query",
            [
                ("one category since a day", query()),
                ("everything", all_asked.clone()),
                ("a choice", Query { act: Some(change_consent().into()), ..all_asked }),
            ],
        ),
        structure("Act", acts()),
        structure(
            "AskHistory",
            [("newest", AskHistory { before: None }), ("older", AskHistory { before: Some(41) })],
        ),
        one("ShowConsent", ShowConsent { version: 1 }),
        structure(
            "ChangeConsent",
            [
                ("withdraw one category", change_consent()),
                (
                    "give everything again",
                    ChangeConsent { category: None, permit: true, reach: Reach::OwnView, ..change_consent() },
                ),
            ],
        ),
        one("ShowRegistration", ShowRegistration { version: 1 }),
        structure(
            "ChangeRegistration",
            registration_changes().into_iter().map(|(name, change)| (name, change_registration(change))),
        ),
        structure("RegistrationChange", registration_changes()),
        one("RegisterAllergens", RegisterAllergens { allergens: vec![egg()] }),
        one("RegisteredAllergen", egg()),
        one("RegisterAddress", RegisterAddress { address: "hanako@example.jp".to_owned() }),
        one("ConfirmAddress", ConfirmAddress { code: "012345".to_owned() }),
        one("WithdrawAddress", WithdrawAddress { version: 1 }),
        one("WantedMails", WantedMails { kinds: vec![MailKind::Allergy, MailKind::Notice] }),
        structure(
            "RegistrationState",
            [
                ("changed", registration_state()),
                ("nothing registered", nothing_registered()),
                (
                    "refused",
                    RegistrationState {
                        refused: Some(RegistrationRefusal::WrongCode),
                        ..nothing_registered()
                    },
                ),
            ],
        ),
        one("WaitingAddress", waiting_address()),
        structure(
            "Delivery",
            [
                ("a lunch", delivery()),
                ("a notice", Delivery { kind: MailKind::Notice, lunch: None, ..delivery() }),
            ],
        ),
        structure(
            "ConsentState",
            [
                ("changed", consent_state()),
                ("nothing withdrawn", ConsentState { withdrawn: Vec::new(), changed: None }),
            ],
        ),
        structure(
            "Withdrawal",
            [("one category", withdrawal()), ("everything", Withdrawal { category: None, ..withdrawal() })],
        ),
        structure("Changed", [("proven", changed()), ("not yet", Changed { checkpoint: None, ..changed() })]),
        structure(
            "Disclosed",
            [
                ("a guardian looked", records_shown()),
                ("a guardian chose", withdrawn()),
                ("staff linked", linked()),
            ],
        ),
        structure(
            "HistoryEntry",
            [
                ("proven", history_page().entries.remove(0)),
                ("not yet", HistoryEntry { path: None, ..history_page().entries.remove(0) }),
            ],
        ),
        structure(
            "HistoryPage",
            [
                ("a page", history_page()),
                ("the end", HistoryPage { older: None, checkpoint: None, ..history_page() }),
            ],
        ),
        one("KeptSince", kept_since()),
        one("Part", part()),
        one("Record", record()),
        one("Receipt", receipt()),
        one("Promise", promise()),
        one("ProveReceipts", prove_receipts()),
        one("PromisedLeaf", prove_receipts().leaves.remove(0)),
        structure("LeafProof", ["proved", "not yet", "unknown"].into_iter().zip(proof_page().proofs)),
        structure(
            "ProofPage",
            [
                ("a page", proof_page()),
                (
                    "before the first checkpoint",
                    ProofPage { checkpoints: Vec::new(), proofs: vec![proof_page().proofs.remove(1)] },
                ),
            ],
        ),
        structure(
            "Answer",
            [
                ("data", answer()),
                ("nothing to show", nothing_to_show()),
                ("busy", refused(Refusal::Busy)),
                ("not logged", refused(Refusal::NotLogged)),
                ("history, and kept since", told_history()),
                ("choices", told_consent()),
                ("registration", told_registration()),
                ("a promise", promised(answer())),
                ("proofs", told_proofs()),
            ],
        ),
        structure("Observation", [("busy", observation()), ("timed out", silent)]),
        structure("HoldNotice", [("placed", hold_notice()), ("lifted for everybody", everybody)]),
        one("SealedHoldNotice", sealed_hold_notice()),
        one("SessionEnd", session_end()),
        one("SealedSessionEnd", sealed_session_end()),
        one("HoldReceipt", hold_receipt()),
        one("PairwiseToken", pairwise_token()),
        one("LinkToken", link_token()),
        structure("AudienceSessionKey", session_keys().into_iter().enumerate()),
        one("SessionStatement", statement()),
        one("OpenSession", open_session()),
        one("AttestedSubject", attested_subject()),
        one("Attestation", attestation()),
        one("SealingKey", sealing_key(HOSPITAL)),
        structure(
            "Member",
            [("city hall", city()), ("hospital", hospital()), ("school", school()), ("a witness", witness())],
        ),
        one("CardAuthority", list().card_authorities.remove(0)),
        one("Root", root()),
        one("RootAnchor", anchor()),
        one("TrustList", list()),
        one("RootSignature", first_signature(&registry_list)),
        one("SignedTrustList", registry_list),
        one("MemberRequest", member_request()),
    ]
}

fn first_signature(list: &SignedTrustList) -> RootSignature {
    list.signatures[0].clone()
}

fn frames() -> Vec<Golden> {
    let patient = ViewRefused { refusal: Refusal::Unauthorized, retry_after_millis: None };
    vec![
        one("Hello", Hello { version_min: 1, version_max: 1, federation: federation(), epoch: 7 }),
        one("Welcome", welcome()),
        one("FetchTrustLists", FetchTrustLists { after: 6 }),
        one("TrustLists", trust_lists()),
        one("FetchChallenge", FetchChallenge { epoch: 7 }),
        one("Challenge", Challenge { challenge: [0x91; 32], valid_millis: 120_000 }),
        one("SessionOpened", session_opened()),
        one("SessionRefused", SessionRefused { refusal: SessionRefusal::NotEnrolled }),
        one("CloseSession", CloseSession { version: 1 }),
        structure(
            "SessionClosed",
            [
                ("told", session_closed()),
                (
                    "as before ends were told",
                    SessionClosed { version: 1, confirmed: None, outstanding: None },
                ),
            ],
        ),
        one("LeaveSessionEnds", leave_session_ends()),
        one("SessionEndsKept", SessionEndsKept { version: 1, kept: 6 }),
        one("SessionEnded", SessionEnded { version: 1 }),
        one("View", View { deadline_millis: 3000, parts: vec![part()] }),
        one("PartAnswered", PartAnswered { audience: id("chuo-hospital"), answer: sealed_answer() }),
        one("PartObserved", observed()),
        one("ViewEnd", ViewEnd { parts: 2 }),
        one("ViewRefused", patient),
        one("FetchFreshness", FetchFreshness { version: 1 }),
        one("Freshness", Freshness { token: vec![0xa1; 36], valid_millis: 120_000 }),
        one("Ask", ask()),
        one("Answered", Answered { answer: sealed_answer() }),
        structure(
            "Declined",
            [
                ("stale", Declined { refusal: Refusal::Stale, retry_after_millis: None }),
                ("busy", Declined { refusal: Refusal::Busy, retry_after_millis: Some(1000) }),
            ],
        ),
        one("Attest", attest()),
        structure(
            "CheckpointOffer",
            [
                ("grown", checkpoint_offer()),
                (
                    "what is kept",
                    CheckpointOffer {
                        checkpoint: None,
                        old_size: 0,
                        old_root: Digest::ZERO,
                        proof: Vec::new(),
                        ..checkpoint_offer()
                    },
                ),
            ],
        ),
        one("Cosigned", cosigned()),
        structure("NotCosigned", [("a conflict", not_cosigned()), ("no witness", no_witness())]),
        structure("Witnessed", witnessed()),
        one("ForkEvidence", fork_evidence()),
        one("ForkNoted", ForkNoted { version: 1, proven: true }),
        structure("Request", requests()),
        structure("Reply", replies()),
    ]
}

fn signed_structures() -> Vec<Golden> {
    vec![
        signed("Grant", grant(), CITY),
        signed("Query", query(), SESSION),
        signed("Answer", answer(), HOSPITAL),
        signed("Promise", promise(), HOSPITAL),
        signed("Observation", observation(), CITY),
        signed("HoldNotice", hold_notice(), CITY),
        signed("HoldReceipt", hold_receipt(), HOSPITAL),
        signed("SessionEnd", session_end(), SESSION),
        signed("LinkToken", link_token(), CITY),
        signed("Attestation", attestation(), CITY),
        signed("MemberRequest", member_request(), HOSPITAL),
        signed("TrustList", list(), ROOT[0]),
    ]
}

fn facts() -> IdentityFacts {
    IdentityFacts {
        birth_date: "2020-02-29".to_owned(),
        sex: "female".to_owned(),
        kana: "マエバシ ハナコ".to_owned(),
    }
}

fn sealed_boxes() -> Vec<Golden> {
    let hospital = id("chuo-hospital");
    let (part, _) = Part::seal(&query(), &signing(SESSION), &sealing_key(HOSPITAL)).unwrap();
    let to = ReplyTo { id: QueryId([0x61; 16]), digest: QUERY_DIGEST, answer_key: sealing(ANSWER).public() };
    let answered = SealedAnswer::seal(&Signed::sign(&answer(), &signing(HOSPITAL)), &hospital, &to).unwrap();
    let notice = Signed::sign(&hold_notice(), &signing(CITY));
    let held = SealedHoldNotice::seal(&notice, &hospital, &sealing_key(HOSPITAL)).unwrap();
    let ended = session_end();
    let ended = SealedSessionEnd::seal(&signing(SESSION), ended.not_after, &hospital, &sealing_key(HOSPITAL))
        .unwrap();
    let key = AudienceKey::derive(&[0xb1; 32], &hospital);
    let token = key.token(&id("city-hall"), &hospital, &sealing(HOSPITAL).public(), "10201-00042", &facts());
    let statement = Digest::of(&[&cbor::encode(&statement())]);
    let attested = Signed::sign(&attestation(), &signing(CITY));
    let attested = SealedAttestation::seal(&attested, &statement, &sealing(ANSWER).public()).unwrap();
    vec![
        sealed("Part", "secret 20", cbor::encode(&part), |bytes| {
            let part: Part = cbor::decode(bytes).unwrap();
            let opened = part.open(&id("chuo-hospital"), &sealing(HOSPITAL)).unwrap();
            let accepted = accepted();
            let verified =
                opened.verify(&id("chuo-hospital"), None, accepted.list(), &accepted.digest(), NOW).unwrap();
            assert_eq!(verified.query(), &query());
        }),
        sealed("Answer", "secret 41", cbor::encode(&answered), move |bytes| {
            let sealed: SealedAnswer = cbor::decode(bytes).unwrap();
            let key = signing(HOSPITAL).verifying_key();
            assert_eq!(sealed.open(&id("chuo-hospital"), &key, &to, &sealing(ANSWER)).unwrap(), answer());
        }),
        sealed("HoldNotice", "secret 20", cbor::encode(&held), |bytes| {
            let sealed: SealedHoldNotice = cbor::decode(bytes).unwrap();
            let opened = sealed.open(&id("chuo-hospital"), &sealing(HOSPITAL)).unwrap();
            assert_eq!(opened.verify(&signing(CITY).verifying_key()).unwrap(), hold_notice());
        }),
        sealed("SessionEnd", "secret 20", cbor::encode(&ended), |bytes| {
            let sealed: SealedSessionEnd = cbor::decode(bytes).unwrap();
            let verified = sealed.open(&id("chuo-hospital"), &sealing(HOSPITAL), NOW).unwrap();
            assert_eq!(verified.session_key(), &session_end().session_key);
            assert_eq!(verified.not_after(), session_end().not_after);
        }),
        sealed(
            "Token",
            "secret 20, master key b1, resident 10201-00042",
            cbor::encode(&token.unwrap()),
            move |bytes| {
                let sealed: SealedToken = cbor::decode(bytes).unwrap();
                let hospital = id("chuo-hospital");
                let token: PairwiseToken =
                    sealed.open(&id("city-hall"), &hospital, &sealing(HOSPITAL)).unwrap();
                // The pseudonym must never change: every link of the town hangs on it.
                assert_eq!(
                    token.pseudonym,
                    AudienceKey::derive(&[0xb1; 32], &hospital).pseudonym("10201-00042")
                );
                assert!(token.compare(&facts()).complete());
            },
        ),
        sealed("Attestation", "secret 41", cbor::encode(&attested), move |bytes| {
            let sealed: SealedAttestation = cbor::decode(bytes).unwrap();
            let opened = sealed.open(&statement, &sealing(ANSWER)).unwrap();
            assert_eq!(opened.verify(&signing(CITY).verifying_key()).unwrap(), attestation());
        }),
    ]
}

/// The ledger's leaf has a fixed binary form of its own.
fn leaf() -> Golden {
    let entries = EntryKind::ALL.map(|kind| {
        let digests = DigestKind::ALL.map(|digest| (digest, [digest as u8; 32]));
        let leaf = Leaf {
            kind,
            time_ms: NOW.0,
            commitment: Leaf::commit(&[0xd1; 32], b"entry"),
            digests: digests.into_iter().take(usize::from(kind.byte()) % 5).collect(),
        };
        let check = leaf.clone();
        Entry {
            label: kind.name().to_owned(),
            fresh: leaf.encode(),
            check: Box::new(move |bytes| {
                assert_eq!(Leaf::decode(bytes).unwrap(), check);
                assert_eq!(check.encode(), bytes);
            }),
        }
    });
    Golden { name: "Leaf".to_owned(), entries: entries.into() }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

fn render(golden: &Golden) -> String {
    let mut text =
        format!("# {}, protocol version 1. A label, then the bytes in hexadecimal.\n", golden.name);
    for entry in &golden.entries {
        text.push_str(&format!("{}:\n", entry.label));
        for line in entry.fresh.chunks(48) {
            text.push_str(&format!("  {}\n", hex::encode(line)));
        }
    }
    text
}

fn write_if_asked() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if std::env::var(WRITE).is_ok_and(|value| value == "1") {
            for golden in every() {
                fs::write(folder().join(format!("{}.txt", golden.name)), render(&golden)).unwrap();
            }
        }
    });
}

/// Labels and bytes of a golden file.
fn read(name: &str) -> BTreeMap<String, Vec<u8>> {
    write_if_asked();
    let path = folder().join(format!("{name}.txt"));
    let text = fs::read_to_string(&path);
    let text = text.unwrap_or_else(|_| panic!("{name} has no golden bytes: {} is missing", path.display()));
    let mut entries = BTreeMap::new();
    let mut label = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            Some(digits) => {
                let bytes: &mut Vec<u8> = entries.entry(label.clone()).or_default();
                bytes.extend(hex::decode(digits).unwrap());
            }
            None => line.strip_suffix(':').unwrap().clone_into(&mut label),
        }
    }
    entries
}

#[test]
fn the_committed_bytes_are_what_this_crate_speaks() {
    for golden in every() {
        let committed = read(&golden.name);
        assert_eq!(committed.len(), golden.entries.len(), "entries of {}", golden.name);
        for entry in golden.entries {
            let bytes = committed.get(&entry.label);
            let bytes = bytes.unwrap_or_else(|| panic!("{} lacks '{}'", golden.name, entry.label));
            (entry.check)(bytes);
        }
    }
}

#[test]
fn nothing_on_the_wire_is_without_golden_bytes() {
    let names: Vec<String> = every().into_iter().map(|golden| golden.name).collect();
    for declared in source::declared() {
        assert!(names.contains(&declared.name), "{} has no golden bytes", declared.name);
    }
    for (name, _) in source::labels() {
        assert!(names.contains(&format!("Signed-{name}")), "a signed {name} has no golden bytes");
    }
    for file in fs::read_dir(folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let name = name.strip_suffix(".txt").unwrap_or(&name).to_owned();
        assert!(names.contains(&name), "golden bytes of {name}, which nothing here speaks");
    }
}

#[test]
fn every_code_and_variant_has_golden_bytes() {
    for declared in source::declared().iter().filter(|declared| declared.kind != source::Kind::Struct) {
        let committed = read(&declared.name);
        for entry in &declared.entries {
            let label = if declared.kind == source::Kind::Code { &entry.what } else { &entry.name };
            let bytes = committed.get(label);
            let bytes = bytes.unwrap_or_else(|| panic!("{} lacks {label}", declared.name));
            let code = if declared.kind == source::Kind::Code { bytes[0] } else { bytes[1] };
            assert_eq!(u64::from(code), entry.key, "{}::{label}", declared.name);
        }
    }
}
