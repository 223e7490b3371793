//! Sealing: what a box binds, and that its size says nothing.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use hibiki_protocol::act::ConsentState;
use hibiki_protocol::answer::{Answer, AnswerFault, Receipt, Record, SealedAnswer, is_answer_size};
use hibiki_protocol::cbor;
use hibiki_protocol::history::HistoryPage;
use hibiki_protocol::hold::SealedHoldNotice;
use hibiki_protocol::ids::{Category, Digest, MemberId, QueryId};
use hibiki_protocol::limits::{
    ANSWER_EXPANDED_BYTES_MAX, ANSWER_PLAINTEXT_BYTES, ATTESTATION_ENVELOPE_BYTES, CATEGORIES_MAX,
    DELIVERIES_MAX, HISTORY_ENTRIES_MAX, KEPT_SINCE_MAX, PART_PLAINTEXT_BYTES, PROOF_CHECKPOINTS_MAX,
    PROOFS_MAX, WITHDRAWALS_MAX,
};
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::query::{Part, Query, Refusal, ReplyTo};
use hibiki_protocol::receipt::{Promise, ProofPage};
use hibiki_protocol::registration::{RegistrationRefusal, RegistrationState};
use hibiki_protocol::sealing::{SealError, SealingPublic, info, pad, unpad};
use hibiki_protocol::session::{Attestation, SealedAttestation};
use hibiki_protocol::signing::Signed;
use proptest::prelude::*;

use crate::any::{Any, Gen};
use crate::fixture::*;
use crate::samples::*;

const PART_CIPHERTEXT: usize = PART_PLAINTEXT_BYTES + 16;

fn to() -> ReplyTo {
    ReplyTo { id: QueryId([0x61; 16]), digest: QUERY_DIGEST, answer_key: sealing(ANSWER).public() }
}

fn seal(answer: &Answer) -> SealedAnswer {
    SealedAnswer::seal(&Signed::sign(answer, &signing(HOSPITAL)), &id("chuo-hospital"), &to()).unwrap()
}

fn open(sealed: &SealedAnswer) -> Result<Answer, AnswerFault> {
    sealed.open(&id("chuo-hospital"), &signing(HOSPITAL).verifying_key(), &to(), &sealing(ANSWER))
}

/// Whatever bytes, padded to the smallest size that fits and sealed as an answer would be.
fn sealed_bytes(compressed: &[u8]) -> SealedAnswer {
    let hospital = id("chuo-hospital");
    let info = info("hibiki/1/answer", &[&to().id.0, hospital.as_str().as_bytes(), &to().digest.0]);
    let size = ANSWER_PLAINTEXT_BYTES.into_iter().find(|size| compressed.len() + 4 <= *size).unwrap();
    let padded = pad(compressed, size).unwrap();
    SealedAnswer(sealing(ANSWER).public().seal(&info, &[], &padded).unwrap())
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_parts_have_one_length(seed: u64) {
        let mut g = Gen::new(seed);
        let random = Query { audience: MemberId::any(&mut g), ..Query::any(&mut g) };
        let sealed = Part::seal(&random, &signing(SESSION), &sealing_key(HOSPITAL));
        if let Ok((part, reply_to)) = sealed {
            prop_assert_eq!(part.sealed.ciphertext.len(), PART_CIPHERTEXT);
            prop_assert_eq!(reply_to.id, random.id);
            let opened = part.open(&random.audience, &sealing(HOSPITAL));
            prop_assert_eq!(opened.is_ok(), random.version == 1);
        } else {
            let signed = cbor::encode(&Signed::sign(&random, &signing(SESSION)));
            prop_assert!(signed.len() + 4 > PART_PLAINTEXT_BYTES, "only what does not fit is refused");
        }
    }

    #[test]
    fn answers_have_no_other_than_the_fixed_lengths(seed: u64, length in 0_usize..20_000) {
        let mut g = Gen::new(seed);
        let records = vec![Record { content: g.bytes(length), ..record() }];
        let sealed = seal(&Answer { records, ..answer() });
        // Random bytes do not compress; around them stand less than 1,024 others.
        let expected = if length < ANSWER_PLAINTEXT_BYTES[0] - 1024 { 0 } else { 1 };
        let near = (ANSWER_PLAINTEXT_BYTES[0] - 1024..ANSWER_PLAINTEXT_BYTES[0]).contains(&length);
        let ciphertext = sealed.0.ciphertext.len();
        prop_assert!(is_answer_size(ciphertext));
        prop_assert!(near || ciphertext == ANSWER_PLAINTEXT_BYTES[expected] + 16);
        prop_assert_eq!(open(&sealed).unwrap().records[0].content.len(), length);
    }

    #[test]
    fn padding_is_exact_and_nothing_else_is_accepted(
        content in proptest::collection::vec(any::<u8>(), 0..200),
        size in 0_usize..256,
        at in 0_usize..256,
        bit in 0_u8..8,
    ) {
        match pad(&content, size) {
            Err(fault) => {
                prop_assert_eq!(fault, SealError::TooLong { length: content.len(), size });
                prop_assert!(content.len() + 4 > size);
            }
            Ok(mut padded) => {
                prop_assert_eq!(padded.len(), size);
                prop_assert_eq!(unpad(&padded), Ok(content.as_slice()));
                let at = content.len() + 4 + at;
                if at < size {
                    padded[at] ^= 1 << bit;
                    prop_assert_eq!(unpad(&padded), Err(SealError::Padding));
                }
            }
        }
    }

    /// No two sets of parties run together in one `info`.
    #[test]
    fn info_is_injective(
        one in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..6), 0..4),
        other in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..6), 0..4),
    ) {
        fn slices(parts: &[Vec<u8>]) -> Vec<&[u8]> {
            parts.iter().map(Vec::as_slice).collect()
        }
        let same = info("l", &slices(&one)) == info("l", &slices(&other));
        prop_assert_eq!(same, one == other);
        prop_assert_ne!(info("k", &slices(&one)), info("l", &slices(&one)));
    }

    #[test]
    fn one_flipped_bit_anywhere_and_the_box_stays_closed(byte in 0_usize..PART_CIPHERTEXT, bit in 0_u8..8) {
        let (mut part, _) = Part::seal(&query(), &signing(SESSION), &sealing_key(HOSPITAL)).unwrap();
        part.sealed.ciphertext[byte] ^= 1 << bit;
        let hospital = id("chuo-hospital");
        prop_assert_eq!(part.open(&hospital, &sealing(HOSPITAL)).unwrap_err(), Refusal::Malformed);
        part.sealed.ciphertext[byte] ^= 1 << bit;
        prop_assert!(part.open(&hospital, &sealing(HOSPITAL)).is_ok());
        part.sealed.encapsulated[byte % 32] ^= 1 << bit;
        prop_assert!(part.open(&hospital, &sealing(HOSPITAL)).is_err());
    }
}

#[test]
fn a_part_is_bound_to_its_institution_and_its_key() {
    let (part, _) = Part::seal(&query(), &signing(SESSION), &sealing_key(HOSPITAL)).unwrap();
    let (own, other) = (id("chuo-hospital"), id("dai-ichi-school"));
    assert!(part.open(&own, &sealing(HOSPITAL)).is_ok());
    let refused = |part: &Part, own: &MemberId, seed| part.open(own, &sealing(seed)).unwrap_err();
    assert_eq!(refused(&part, &own, SCHOOL), Refusal::Malformed);
    assert_eq!(refused(&part, &other, HOSPITAL), Refusal::Malformed);
    let renamed = Part { audience: other.clone(), ..part.clone() };
    assert_eq!(refused(&renamed, &own, HOSPITAL), Refusal::Malformed, "the clear name is no decoration");
    assert_eq!(refused(&renamed, &other, HOSPITAL), Refusal::Malformed);
    let mut other_key = part.clone();
    other_key.key_id.0[0] ^= 1;
    assert_eq!(refused(&other_key, &own, HOSPITAL), Refusal::Malformed);
    let mut shorter = part;
    shorter.sealed.ciphertext.pop();
    assert_eq!(refused(&shorter, &own, HOSPITAL), Refusal::Malformed);
}

/// An institution that received a query cannot pass it on as its own.
#[test]
fn a_query_for_one_institution_does_not_open_at_another_even_when_sealed_to_it() {
    let foreign = Query { audience: id("dai-ichi-school"), ..query() };
    let (mut part, _) = Part::seal(&foreign, &signing(SESSION), &sealing_key(HOSPITAL)).unwrap();
    part.audience = id("chuo-hospital");
    assert_eq!(part.open(&id("chuo-hospital"), &sealing(HOSPITAL)).unwrap_err(), Refusal::Malformed);
    // And with the right outer name but the wrong one signed inside:
    let signed = cbor::encode(&Signed::sign(&foreign, &signing(SESSION)));
    let key_id = sealing(HOSPITAL).public().id();
    let info = info("hibiki/1/part", &[id("chuo-hospital").as_str().as_bytes(), &key_id.0]);
    let padded = pad(&signed, PART_PLAINTEXT_BYTES).unwrap();
    let sealed = sealing(HOSPITAL).public().seal(&info, &[], &padded).unwrap();
    let part = Part { audience: id("chuo-hospital"), key_id, sealed };
    assert_eq!(part.open(&id("chuo-hospital"), &sealing(HOSPITAL)).unwrap_err(), Refusal::Malformed);
}

#[test]
fn boxes_of_one_purpose_do_not_open_for_another() {
    let (part, _) = Part::seal(&query(), &signing(SESSION), &sealing_key(HOSPITAL)).unwrap();
    let as_hold = SealedHoldNotice { audience: part.audience, key_id: part.key_id, sealed: part.sealed };
    assert_eq!(as_hold.open(&id("chuo-hospital"), &sealing(HOSPITAL)).unwrap_err(), SealError::DoesNotOpen);
    let notice = Signed::sign(&hold_notice(), &signing(CITY));
    let held = SealedHoldNotice::seal(&notice, &id("chuo-hospital"), &sealing_key(HOSPITAL)).unwrap();
    let as_part = Part { audience: held.audience, key_id: held.key_id, sealed: held.sealed };
    assert_eq!(as_part.open(&id("chuo-hospital"), &sealing(HOSPITAL)).unwrap_err(), Refusal::Malformed);
}

#[test]
fn a_hold_notice_looks_like_a_part_and_is_bound_like_one() {
    let notice = Signed::sign(&hold_notice(), &signing(CITY));
    let own = id("chuo-hospital");
    let sealed = SealedHoldNotice::seal(&notice, &own, &sealing_key(HOSPITAL)).unwrap();
    assert_eq!(sealed.sealed.ciphertext.len(), PART_CIPHERTEXT);
    assert_eq!(sealed.open(&own, &sealing(HOSPITAL)).unwrap(), notice);
    assert!(sealed.open(&own, &sealing(SCHOOL)).is_err());
    assert!(sealed.open(&id("dai-ichi-school"), &sealing(HOSPITAL)).is_err());
    let renamed = SealedHoldNotice { audience: id("dai-ichi-school"), ..sealed.clone() };
    assert!(renamed.open(&own, &sealing(HOSPITAL)).is_err());
    let mut cut = sealed;
    cut.sealed.ciphertext.truncate(PART_CIPHERTEXT - 1);
    assert!(cut.open(&own, &sealing(HOSPITAL)).is_err());
}

#[test]
fn an_answer_is_bound_to_query_digest_institution_and_key() {
    let sealed = seal(&answer());
    assert_eq!(open(&sealed).unwrap(), answer());
    let (own, key) = (id("chuo-hospital"), signing(HOSPITAL).verifying_key());
    let closed = Err(AnswerFault::DoesNotOpen);
    let other_query = ReplyTo { id: QueryId([0x62; 16]), ..to() };
    assert_eq!(sealed.open(&own, &key, &other_query, &sealing(ANSWER)), closed);
    let other_digest = ReplyTo { digest: Digest([0x63; 32]), ..to() };
    assert_eq!(sealed.open(&own, &key, &other_digest, &sealing(ANSWER)), closed);
    assert_eq!(sealed.open(&id("dai-ichi-school"), &key, &to(), &sealing(ANSWER)), closed);
    assert_eq!(sealed.open(&own, &key, &to(), &sealing(SESSION)), closed);
    let other_key = signing(SCHOOL).verifying_key();
    assert_eq!(sealed.open(&own, &other_key, &to(), &sealing(ANSWER)), Err(AnswerFault::Signature));
}

#[test]
fn an_answer_that_states_another_query_or_institution_is_not_believed() {
    let wrong = [
        Answer { query_id: QueryId([0x62; 16]), ..answer() },
        Answer { query_digest: Digest([0x63; 32]), ..answer() },
        Answer { institution: id("dai-ichi-school"), ..answer() },
    ];
    for answer in wrong {
        assert_eq!(open(&seal(&answer)), Err(AnswerFault::OtherQuery));
    }
}

#[test]
fn an_answer_must_not_contradict_itself() {
    let not_yet = proof_page().proofs.remove(1);
    let note = proof_page().checkpoints.remove(0);
    let too_many = vec![history_page().entries.remove(0); HISTORY_ENTRIES_MAX + 1];
    let wrong = [
        Answer { records: Vec::new(), ..answer() },
        Answer { receipt: None, ..answer() },
        Answer { version: 2, ..answer() },
        Answer { refusal: Some(Refusal::Busy), ..answer() },
        Answer { outcome: Outcome::NothingToShow, ..answer() },
        Answer { receipt: None, ..nothing_to_show() },
        Answer { refusal: Some(Refusal::Unauthorized), ..nothing_to_show() },
        Answer { refusal: None, ..refused(Refusal::Busy) },
        Answer { outcome: Outcome::Expired, ..refused(Refusal::Busy) },
        Answer { records: vec![record()], ..refused(Refusal::Busy) },
        Answer { outcome: Outcome::Unreachable, refusal: None, ..refused(Refusal::Busy) },
        Answer { outcome: Outcome::TimedOut, refusal: None, ..refused(Refusal::Busy) },
        Answer { outcome: Outcome::NotAsked, refusal: None, ..refused(Refusal::Busy) },
        Answer { records: vec![Record { content: vec![0; 1024 * 1024 + 1], ..record() }], ..answer() },
        Answer { history: Some(history_page()), ..answer() },
        Answer { consent: Some(consent_state()), ..told_history() },
        Answer { outcome: Outcome::NothingToShow, ..told_history() },
        Answer { history: Some(history_page()), ..refused(Refusal::Busy) },
        Answer { history: Some(HistoryPage { entries: Vec::new(), ..history_page() }), ..told_history() },
        Answer { history: Some(HistoryPage { entries: too_many, ..history_page() }), ..told_history() },
        Answer { kept_since: Some(vec![kept_since(); KEPT_SINCE_MAX + 1]), ..answer() },
        Answer {
            consent: Some(ConsentState { withdrawn: vec![withdrawal(); WITHDRAWALS_MAX + 1], changed: None }),
            ..told_consent()
        },
        Answer { registration: Some(registration_state()), ..told_consent() },
        Answer { outcome: Outcome::NothingToShow, ..told_registration() },
        Answer { records: vec![record()], ..told_registration() },
        Answer {
            registration: Some(RegistrationState {
                refused: Some(RegistrationRefusal::WrongCode),
                ..registration_state()
            }),
            ..told_registration()
        },
        Answer {
            registration: Some(RegistrationState {
                deliveries: vec![delivery(); DELIVERIES_MAX + 1],
                ..registration_state()
            }),
            ..told_registration()
        },
        Answer { proofs: Some(proof_page()), ..answer() },
        Answer { outcome: Outcome::NothingToShow, ..told_proofs() },
        Answer { proofs: Some(ProofPage { proofs: Vec::new(), ..proof_page() }), ..told_proofs() },
        Answer {
            proofs: Some(ProofPage { proofs: vec![not_yet; PROOFS_MAX + 1], ..proof_page() }),
            ..told_proofs()
        },
        Answer { proofs: Some(ProofPage { checkpoints: Vec::new(), ..proof_page() }), ..told_proofs() },
        Answer {
            proofs: Some(ProofPage { checkpoints: vec![note; PROOF_CHECKPOINTS_MAX + 1], ..proof_page() }),
            ..told_proofs()
        },
        // A promise without a receipt, of another leaf, of another version, and by another institution.
        Answer { receipt: None, promise: promised(answer()).promise, ..refused(Refusal::Busy) },
        Answer { receipt: Some(Receipt { index: 1, ..receipt() }), ..promised(answer()) },
        Answer {
            promise: Some(Signed::sign(&Promise { version: 2, ..promise() }, &signing(HOSPITAL))),
            ..answer()
        },
        Answer { promise: Some(Signed::sign(&promise(), &signing(SCHOOL))), ..answer() },
    ];
    for (index, answer) in wrong.iter().enumerate() {
        assert_eq!(open(&seal(answer)), Err(AnswerFault::Contradiction), "number {index}");
    }
    let right = Refusal::ALL.iter().map(|refusal| refused(*refusal)).chain([
        answer(),
        nothing_to_show(),
        told_history(),
        told_consent(),
        told_registration(),
        Answer { registration: Some(nothing_registered()), ..told_registration() },
        Answer { kept_since: Some(vec![kept_since()]), ..nothing_to_show() },
        told_proofs(),
        promised(answer()),
        promised(nothing_to_show()),
        promised(Answer { receipt: Some(receipt()), ..refused(Refusal::Unauthorized) }),
    ]);
    for answer in right {
        assert_eq!(open(&seal(&answer)), Ok(answer));
    }
}

/// Whatever withholds, whoever asks: on the wire all of these are one.
#[test]
fn nothing_to_show_and_small_data_have_one_length() {
    let mut lengths: Vec<usize> = Vec::new();
    for index in [0_u64, 23, 24, 65_536, u64::MAX] {
        let receipt = Receipt { index, ..receipt() };
        lengths.push(cbor::encode(&seal(&Answer { receipt: Some(receipt), ..nothing_to_show() })).len());
    }
    lengths.extend(
        [answer(), promised(answer()), told_history(), told_consent(), told_registration(), told_proofs()]
            .iter()
            .map(|told| cbor::encode(&seal(told)).len()),
    );
    lengths.extend(Refusal::ALL.iter().map(|refusal| cbor::encode(&seal(&refused(*refusal))).len()));
    lengths.dedup();
    assert_eq!(lengths.len(), 1, "{lengths:?}");
}

#[test]
fn the_sizes_of_an_answer_are_used_up_to_the_last() {
    let length = |content: usize| {
        let records = vec![Record { content: Gen::new(3).bytes(content), ..record() }; 1];
        seal(&Answer { records, ..answer() }).0.ciphertext.len()
    };
    assert_eq!(length(100_000), ANSWER_PLAINTEXT_BYTES[1] + 16);
    assert_eq!(length(500_000), ANSWER_PLAINTEXT_BYTES[2] + 16);
    assert_eq!(length(1024 * 1024), ANSWER_PLAINTEXT_BYTES[3] + 16);
    let records = (0..5).map(|seed| Record { content: Gen::new(seed).bytes(1024 * 1024), ..record() });
    let too_large = Signed::sign(&Answer { records: records.collect(), ..answer() }, &signing(HOSPITAL));
    let refused = SealedAnswer::seal(&too_large, &id("chuo-hospital"), &to());
    assert!(matches!(refused, Err(SealError::TooLong { .. })));
}

/// 40 MiB of zeros in 40 KiB: expanding stops one byte after the limit of 16 MiB.
#[test]
fn a_decompression_bomb_is_refused_and_costs_no_more_than_the_limit() {
    let limit = ANSWER_EXPANDED_BYTES_MAX;
    let bomb = sealed_bytes(&deflated(&vec![0; 40 * 1024 * 1024]));
    let (result, allocated) = crate::allocation::allocated_by(|| open(&bomb));
    assert_eq!(result, Err(AnswerFault::Malformed));
    // A growing vector is allocated anew at each doubling, the last of them for the one byte too many.
    assert!(allocated <= 4 * limit + 1024 * 1024, "{allocated} bytes");
    assert!(allocated >= limit, "it was not expanded at all: is this still a bomb?");
}

#[test]
fn what_is_not_exactly_one_compressed_signed_answer_is_refused() {
    let signed = cbor::encode(&Signed::sign(&answer(), &signing(HOSPITAL)));
    let right = deflated(&signed);
    assert_eq!(open(&sealed_bytes(&right)), Ok(answer()), "any DEFLATE encoder will do");
    let trailing = [right.as_slice(), &[0]].concat();
    assert_eq!(open(&sealed_bytes(&trailing)), Err(AnswerFault::Malformed));
    assert_eq!(open(&sealed_bytes(&right[..right.len() - 1])), Err(AnswerFault::Malformed));
    assert_eq!(open(&sealed_bytes(&[])), Err(AnswerFault::Malformed));
    assert_eq!(open(&sealed_bytes(&[0xff; 40])), Err(AnswerFault::Malformed));
    let longer = deflated(&[signed.as_slice(), &[0]].concat());
    assert_eq!(open(&sealed_bytes(&longer)), Err(AnswerFault::Malformed));
}

#[test]
fn the_length_of_an_attestation_does_not_count_children() {
    let statement = Digest([1; 32]);
    let length = |children: usize| {
        let subjects = vec![attested_subject(); children];
        let signed = Signed::sign(&Attestation { subjects, ..attestation() }, &signing(CITY));
        let sealed = SealedAttestation::seal(&signed, &statement, &sealing(ANSWER).public()).unwrap();
        assert_eq!(sealed.open(&statement, &sealing(ANSWER)).unwrap(), signed);
        assert!(sealed.open(&Digest([2; 32]), &sealing(ANSWER)).is_err(), "bound to its statement");
        sealed.0.ciphertext.len()
    };
    assert!((0..10).all(|children| length(children) == 16 * 1024 - ATTESTATION_ENVELOPE_BYTES + 16));
    assert_eq!(length(40), 32 * 1024 - ATTESTATION_ENVELOPE_BYTES + 16);
}

/// What a query and its grant may name together: the common size of a part bounds it.
#[test]
fn a_part_has_room_for_every_category_in_grant_and_query() {
    let names = |count: usize, letters: usize| -> Vec<Category> {
        (0..count).map(|index| category(&format!("{index:0>letters$}"))).collect()
    };
    let with = |categories: Vec<Category>| Query {
        categories: categories.clone(),
        ..query_under(&hibiki_protocol::grant::Grant { categories, ..grant() })
    };
    let seal = |query: &Query| Part::seal(query, &signing(SESSION), &sealing_key(HOSPITAL));
    assert!(seal(&with(names(CATEGORIES_MAX, 20))).is_ok(), "64 ordinary names, twice");
    assert!(seal(&with(names(40, 32))).is_ok(), "40 of the longest names, twice");
    assert!(matches!(seal(&with(names(CATEGORIES_MAX, 32))), Err(SealError::TooLong { .. })));
}

#[test]
fn a_key_of_small_order_seals_nothing() {
    // The points of small order of Curve25519 (RFC 7748 section 6.1; the list of RFC 9180's implementers).
    let small = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for point in small {
        let key = SealingPublic(hex::decode(point).unwrap().try_into().unwrap());
        assert_eq!(key.seal(b"info", &[], b"secret"), Err(SealError::PublicKey), "{point}");
        let mut sealed = sealing(HOSPITAL).public().seal(b"info", &[], b"secret").unwrap();
        sealed.encapsulated = key.0;
        assert_eq!(sealing(HOSPITAL).open(b"info", &[], &sealed), Err(SealError::DoesNotOpen), "{point}");
    }
}
