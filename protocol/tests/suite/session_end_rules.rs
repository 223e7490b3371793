//! The end of a session: what it binds, and that only the session's own key can end it.

use hibiki_protocol::cbor;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits::{CLOCK_SKEW_MILLIS, SESSION_END_PLAINTEXT_BYTES, SESSION_MILLIS_MAX};
use hibiki_protocol::sealing::{info, pad};
use hibiki_protocol::session_end::{SealedSessionEnd, SessionEnd, SessionEndFault, VerifiedSessionEnd};
use hibiki_protocol::signing::{Signable, Signed};
use hibiki_protocol::time::Timestamp;
use proptest::prelude::*;

use crate::any::{Any, Gen};
use crate::fixture::*;
use crate::samples::session_end;

fn sealed() -> SealedSessionEnd {
    let to = sealing_key(HOSPITAL);
    SealedSessionEnd::seal(&signing(SESSION), session_end().not_after, &id("chuo-hospital"), &to).unwrap()
}

fn open(sealed: &SealedSessionEnd) -> Result<VerifiedSessionEnd, SessionEndFault> {
    sealed.open(&id("chuo-hospital"), &sealing(HOSPITAL), NOW)
}

/// Whatever end, signed by whatever key, in a proper box for the hospital.
fn boxed(end: &SessionEnd, signer: u8) -> SealedSessionEnd {
    let signed = Signed::sign(end, &signing(signer));
    SealedSessionEnd::seal_signed(&signed, &id("chuo-hospital"), &sealing_key(HOSPITAL)).unwrap()
}

/// Whatever bytes as the padded plaintext.
fn boxed_bytes(padded: &[u8]) -> SealedSessionEnd {
    let (own, to) = (id("chuo-hospital"), sealing(HOSPITAL).public());
    let info = info("hibiki/1/sealed-session-end", &[own.as_str().as_bytes(), &to.id().0]);
    SealedSessionEnd { audience: own, key_id: to.id(), sealed: to.seal(&info, &[], padded).unwrap() }
}

#[test]
fn the_key_that_signed_it_ends_its_session_and_no_other() {
    let end = open(&sealed()).unwrap();
    assert_eq!(end.session_key(), &signing(SESSION).verifying_key());
    assert_eq!(end.not_after(), session_end().not_after);
    // A stranger names the guardian's key, and can sign with his own only.
    assert_eq!(open(&boxed(&session_end(), SESSION + 1)), Err(SessionEndFault::Signature));
}

#[test]
fn a_signature_for_another_purpose_ends_nothing() {
    let payload = cbor::encode(&session_end());
    let signature = signing(SESSION).sign("hibiki/1/query", &payload);
    let mut bytes = cbor::encode(&Signed::sign(&session_end(), &signing(SESSION)));
    let at = bytes.len() - 64;
    bytes[at..].copy_from_slice(&signature.0);
    let padded = pad(&bytes, SESSION_END_PLAINTEXT_BYTES).unwrap();
    assert_eq!(open(&boxed_bytes(&padded)), Err(SessionEndFault::Signature));
    let right = signing(SESSION).sign(SessionEnd::LABEL, &payload);
    bytes[at..].copy_from_slice(&right.0);
    assert!(open(&boxed_bytes(&pad(&bytes, SESSION_END_PLAINTEXT_BYTES).unwrap())).is_ok());
}

#[test]
fn it_is_for_one_institution_and_one_of_its_keys() {
    let (hospital, school) = (id("chuo-hospital"), id("dai-ichi-school"));
    let malformed = Err(SessionEndFault::Malformed);
    // Brought to another institution, under its own name or the other's.
    assert_eq!(sealed().open(&school, &sealing(SCHOOL), NOW), malformed);
    let renamed = SealedSessionEnd { audience: school.clone(), ..sealed() };
    assert_eq!(renamed.open(&school, &sealing(SCHOOL), NOW), malformed);
    assert_eq!(renamed.open(&hospital, &sealing(HOSPITAL), NOW), malformed);
    // The same private key under another name opens nothing: the name is in the box.
    assert_eq!(renamed.open(&school, &sealing(HOSPITAL), NOW), malformed);
    // The box is the hospital's, what is in it is for the school.
    let inside = SessionEnd { audience: school, ..session_end() };
    assert_eq!(open(&boxed(&inside, SESSION)), malformed);
    let mut other_key = sealed();
    other_key.key_id.0[0] ^= 1;
    assert_eq!(open(&other_key), malformed);
    assert_eq!(sealed().open(&hospital, &sealing(SCHOOL), NOW), malformed);
}

#[test]
fn times_are_judged_by_the_institution() {
    let until = |not_after: Timestamp| open(&boxed(&SessionEnd { not_after, ..session_end() }, SESSION));
    let farthest = NOW.plus(SESSION_MILLIS_MAX + CLOCK_SKEW_MILLIS);
    assert_eq!(VerifiedSessionEnd::outlives_every_grant(NOW), farthest);
    assert!(until(farthest).is_ok(), "a terminal whose clock is five minutes ahead");
    assert_eq!(until(farthest.plus(1)), Err(SessionEndFault::TooLong));
    assert_eq!(until(Timestamp(u64::MAX)), Err(SessionEndFault::TooLong));
    assert!(until(NOW.plus(1)).is_ok());
    assert_eq!(until(NOW), Err(SessionEndFault::Over), "kept and brought again, it ends nothing");
    assert_eq!(until(Timestamp(0)), Err(SessionEndFault::Over));
}

#[test]
fn other_versions_are_not_understood() {
    for version in [0, 2, u64::MAX] {
        let end = SessionEnd { version, ..session_end() };
        assert_eq!(open(&boxed(&end, SESSION)), Err(SessionEndFault::Malformed), "version {version}");
    }
}

#[test]
fn only_the_common_size_is_opened() {
    for length in [0, 16, 4096, SESSION_END_PLAINTEXT_BYTES - 1, SESSION_END_PLAINTEXT_BYTES + 1] {
        let signed = cbor::encode(&Signed::sign(&session_end(), &signing(SESSION)));
        let padded = pad(&signed, length).unwrap_or_else(|_| vec![0; length]);
        let sealed = boxed_bytes(&padded);
        assert!(!sealed.has_common_size(), "{length}");
        assert_eq!(open(&sealed), Err(SessionEndFault::Malformed), "{length}");
    }
}

#[test]
fn what_is_not_strictly_one_signed_end_is_refused() {
    let good = cbor::encode(&Signed::sign(&session_end(), &signing(SESSION)));
    let trailing = [good.as_slice(), &[0]].concat();
    // The map's count as an 8-bit argument instead of the shortest form.
    let lax = [&[0xb8, good[0] & 0x1f], &good[1..]].concat();
    for bytes in [trailing, lax, Vec::new(), good[..good.len() - 1].to_vec(), vec![0xff; 40]] {
        let padded = pad(&bytes, SESSION_END_PLAINTEXT_BYTES).unwrap();
        assert_eq!(open(&boxed_bytes(&padded)), Err(SessionEndFault::Malformed));
    }
    let mut loose = pad(&good, SESSION_END_PLAINTEXT_BYTES).unwrap();
    *loose.last_mut().unwrap() = 1;
    assert_eq!(open(&boxed_bytes(&loose)), Err(SessionEndFault::Malformed), "something in the padding");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The longest name and the latest time fit; nothing tells one end from another by its length.
    #[test]
    fn all_ends_have_one_length(seed: u64) {
        let mut g = Gen::new(seed);
        let (audience, not_after) = (MemberId::any(&mut g), Timestamp::any(&mut g));
        let sealed =
            SealedSessionEnd::seal(&signing(SESSION), not_after, &audience, &sealing_key(HOSPITAL)).unwrap();
        prop_assert_eq!(sealed.sealed.ciphertext.len(), SealedSessionEnd::CIPHERTEXT_BYTES);
        let opened = sealed.open(&audience, &sealing(HOSPITAL), NOW);
        let right = not_after > NOW && not_after <= VerifiedSessionEnd::outlives_every_grant(NOW);
        prop_assert_eq!(opened.is_ok(), right);
    }

    #[test]
    fn one_flipped_bit_anywhere_and_nothing_ends(
        byte in 0_usize..SealedSessionEnd::CIPHERTEXT_BYTES,
        bit in 0_u8..8,
    ) {
        let mut sealed = sealed();
        sealed.sealed.ciphertext[byte] ^= 1 << bit;
        prop_assert_eq!(open(&sealed), Err(SessionEndFault::Malformed));
        sealed.sealed.ciphertext[byte] ^= 1 << bit;
        prop_assert!(open(&sealed).is_ok());
        sealed.sealed.encapsulated[byte % 32] ^= 1 << bit;
        prop_assert!(open(&sealed).is_err());
    }

    /// Whoever alters the signed bytes inside a box of his own ends no session, least of all this one.
    #[test]
    fn altered_content_never_ends_this_session(at in 0_usize..200, bit in 0_u8..8) {
        let mut bytes = cbor::encode(&Signed::sign(&session_end(), &signing(SESSION)));
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(open(&boxed_bytes(&pad(&bytes, SESSION_END_PLAINTEXT_BYTES).unwrap())).is_err());
    }
}

#[test]
fn the_longest_names_fit() {
    let long = "a".repeat(48);
    let audience = MemberId::new(&format!("{long}/{long}")).unwrap();
    let sealed =
        SealedSessionEnd::seal(&signing(SESSION), Timestamp(u64::MAX), &audience, &sealing_key(HOSPITAL));
    assert!(sealed.unwrap().has_common_size());
}
