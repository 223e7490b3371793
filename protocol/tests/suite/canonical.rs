//! The strict check accepts exactly what a deterministic encoder writes: measured against a second
//! reading (`tree`), and against examples that others published.

use cbor4ii::core::Value;
use hibiki_protocol::cbor::canonical::check;
use hibiki_protocol::cbor::{self, DecodeError};
use hibiki_protocol::frames::{FetchTrustLists, ViewRefused};
use hibiki_protocol::limits::CBOR_DEPTH_MAX;
use hibiki_protocol::query::Refusal;
use proptest::prelude::*;

use crate::any::{Any as _, Gen};
use crate::round_trip::mutate;
use crate::tree;

/// Any item the profile allows, at most `depth` levels deep.
fn item(g: &mut Gen, depth: usize) -> Value {
    match g.below(if depth == 0 { 5 } else { 7 }) {
        0 => Value::Integer(i128::from(u64::any(g))),
        1 => Value::Integer(-1 - i128::from(u64::any(g))),
        2 => Value::Bytes(Vec::any(g)),
        3 => Value::Text(String::any(g)),
        4 => {
            if bool::any(g) {
                Value::Null
            } else {
                Value::Bool(bool::any(g))
            }
        }
        5 => Value::Array((0..g.below(5)).map(|_| item(g, depth - 1)).collect()),
        _ => Value::Map((0..g.below(5)).map(|_| (item(g, depth - 1), item(g, depth - 1))).collect()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_a_deterministic_encoder_writes_is_accepted(seed: u64) {
        let mut g = Gen::new(seed);
        for _ in 0..20 {
            if let Some(sorted) = tree::sorted(&item(&mut g, 5)) {
                prop_assert_eq!(check(&tree::encode(&sorted)), Ok(()));
            }
        }
    }

    /// Both ways: neither stricter nor laxer than the second reading.
    #[test]
    fn check_and_oracle_agree_on_mutated_items(seed: u64) {
        let mut g = Gen::new(seed);
        for _ in 0..20 {
            let mut bytes = tree::encode(&item(&mut g, 5));
            for _ in 0..g.below(3) {
                mutate(&mut bytes, &mut g);
            }
            prop_assert_eq!(check(&bytes).is_ok(), tree::is_deterministic(&bytes), "{}", hex::encode(&bytes));
        }
    }

    #[test]
    fn check_and_oracle_agree_on_random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
        prop_assert_eq!(check(&bytes).is_ok(), tree::is_deterministic(&bytes), "{}", hex::encode(&bytes));
    }
}

/// Every byte string of one and two bytes, without exception.
#[test]
fn check_and_oracle_agree_on_all_short_strings() {
    for first in 0..=255_u8 {
        assert_eq!(check(&[first]).is_ok(), tree::is_deterministic(&[first]), "{first:02x}");
        for second in 0..=255_u8 {
            let bytes = [first, second];
            assert_eq!(check(&bytes).is_ok(), tree::is_deterministic(&bytes), "{}", hex::encode(bytes));
        }
    }
}

/// RFC 8949 Appendix A: the examples in preferred, definite encoding without floats, tags,
/// `undefined`, other simple values or big numbers.
#[test]
fn rfc_8949_examples_inside_the_profile_are_accepted() {
    let accepted = [
        "00",
        "01",
        "0a",
        "17",
        "1818",
        "1819",
        "1864",
        "1903e8",
        "1a000f4240",
        "1b000000e8d4a51000",
        "1bffffffffffffffff",
        "3bffffffffffffffff",
        "20",
        "29",
        "3863",
        "3903e7",
        "f4",
        "f5",
        "f6",
        "40",
        "4401020304",
        "60",
        "6161",
        "6449455446",
        "62225c",
        "62c3bc",
        "63e6b0b4",
        "64f0908591",
        "80",
        "83010203",
        "8301820203820405",
        "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
        "a0",
        "a201020304",
        "a26161016162820203",
        "826161a161626163",
        "a56161614161626142616361436164614461656145",
    ];
    for example in accepted {
        assert_eq!(check(&hex::decode(example).unwrap()), Ok(()), "{example}");
    }
}

/// RFC 8949 Appendix A, the rest: floats, tags, `undefined`, simple values, indefinite lengths.
#[test]
fn rfc_8949_examples_outside_the_profile_are_refused() {
    let refused = [
        "c249010000000000000000",
        "c349010000000000000000",
        "f90000",
        "f98000",
        "f93c00",
        "fb3ff199999999999a",
        "f93e00",
        "f97bff",
        "fa47c35000",
        "fa7f7fffff",
        "fb7e37e43c8800759c",
        "f90001",
        "f90400",
        "f9c400",
        "fbc010666666666666",
        "f97c00",
        "f97e00",
        "f9fc00",
        "fa7f800000",
        "fa7fc00000",
        "faff800000",
        "fb7ff0000000000000",
        "fb7ff8000000000000",
        "fbfff0000000000000",
        "f7",
        "f0",
        "f8ff",
        "c074323031332d30332d32315432303a30343a30305a",
        "c11a514b67b0",
        "c1fb41d452d9ec200000",
        "d74401020304",
        "d818456449455446",
        "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
        "5f42010243030405ff",
        "7f657374726561646d696e67ff",
        "9fff",
        "9f018202039f0405ffff",
        "9f01820203820405ff",
        "83018202039f0405ff",
        "83019f0203ff820405",
        "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
        "bf61610161629f0203ffff",
        "826161bf61626163ff",
        "bf6346756ef563416d7421ff",
    ];
    for example in refused {
        assert!(check(&hex::decode(example).unwrap()).is_err(), "{example}");
    }
}

/// RFC 8949 Appendix F: not well-formed, each in its own way.
#[test]
fn rfc_8949_ill_formed_items_are_refused() {
    let refused = [
        "",
        "18",
        "19",
        "1a",
        "1b",
        "1901",
        "1a0102",
        "1b01020304050607",
        "38",
        "58",
        "78",
        "98",
        "9a01ff00",
        "b8",
        "d8",
        "f8",
        "f900",
        "fa0000",
        "fb000000",
        "41",
        "61",
        "5affffffff00",
        "5bffffffffffffffff010203",
        "7affffffff00",
        "7b7fffffffffffffff010203",
        "81",
        "818181818181818181",
        "8200",
        "a1",
        "a20102",
        "a100",
        "a2000000",
        "c0",
        "9f",
        "9f0102",
        "bf",
        "bf01020102",
        "819f",
        "9f8000",
        "5f00ff",
        "5f21ff",
        "7f4100ff",
        "ff",
        "81ff",
        "8200ff",
        "a1ff",
        "a1ff00",
        "a100ff",
        "a20000ff",
        "9f81ff",
        "bf00ff",
        "bf000000ff",
        "1c",
        "1d",
        "1e",
        "3c",
        "5c",
        "7c",
        "9c",
        "bc",
        "dc",
        "fc",
        "fd",
        "fe",
        "f800",
        "f818",
        "f81f",
        "1f",
        "3f",
        "df",
    ];
    for example in refused {
        assert!(check(&hex::decode(example).unwrap()).is_err(), "{example}");
    }
}

/// RFC 8949 section 4.2.1: shortest lengths, keys in bytewise order, no key twice.
#[test]
fn what_is_well_formed_but_not_deterministic_is_refused() {
    let refused = [
        "1800",
        "1817",
        "190017",
        "1900ff",
        "1a0000ffff",
        "1b00000000ffffffff",
        "3800",
        "5800",
        "580161",
        "7800",
        "9800",
        "9900",
        "b800",
        "a203000100",
        "a201000100",
        "a2613100613000",
        "a2190100001800",
        "61ff",
        "62c328",
        "63eda080",
    ];
    for example in refused {
        assert!(check(&hex::decode(example).unwrap()).is_err(), "{example}");
    }
    // Shorter keys come first only because their encoding does: 10, 100, -1, "z", "aa", [100], [-1], false.
    let ordered = "a80a0018640020006".to_owned() + "17a00626161008118640081200" + "0f400";
    assert_eq!(check(&hex::decode(ordered).unwrap()), Ok(()));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| [vec![0x81; depth - 1], vec![0x00]].concat();
    assert_eq!(check(&nested(CBOR_DEPTH_MAX)), Ok(()));
    assert_eq!(check(&nested(CBOR_DEPTH_MAX + 1)), Err(DecodeError::TooDeep { at: CBOR_DEPTH_MAX }));
    assert_eq!(check(&nested(1_000_000)), Err(DecodeError::TooDeep { at: CBOR_DEPTH_MAX }));
    let maps = [[0xa1, 0x00].repeat(500_000), vec![0x00]].concat();
    assert!(matches!(check(&maps), Err(DecodeError::TooDeep { .. })));
}

#[test]
fn an_unknown_odd_key_is_refused_and_an_unknown_even_one_ignored() {
    let known = FetchTrustLists { after: 5 };
    assert_eq!(cbor::encode(&known), [0xa1, 0x01, 0x05]);
    for ignorable in [[0xa2, 0x00, 0x80, 0x01, 0x05].as_slice(), &[0xa2, 0x01, 0x05, 0x02, 0xa1, 0x20, 0x40]]
    {
        assert_eq!(cbor::decode::<FetchTrustLists>(ignorable), Ok(known.clone()));
    }
    let critical = cbor::decode::<FetchTrustLists>(&[0xa2, 0x01, 0x05, 0x03, 0x00]);
    assert_eq!(critical, Err(DecodeError::UnknownKey { structure: "FetchTrustLists", key: 3 }));
    // Ignorable does not mean lax: order, uniqueness and form are checked inside what is ignored, too.
    for lax in [
        [0xa2, 0x02, 0x00, 0x01, 0x05].as_slice(),
        &[0xa3, 0x01, 0x05, 0x02, 0x00, 0x02, 0x00],
        &[0xa2, 0x01, 0x05, 0x02, 0x18, 0x00],
        &[0xa2, 0x01, 0x05, 0x02, 0xf7],
    ] {
        assert!(cbor::decode::<FetchTrustLists>(lax).is_err(), "{}", hex::encode(lax));
    }
    // A key that is no unsigned number is none of ours.
    assert!(cbor::decode::<FetchTrustLists>(&[0xa2, 0x01, 0x05, 0x20, 0x00]).is_err());
    assert!(cbor::decode::<FetchTrustLists>(&[0xa2, 0x01, 0x05, 0x61, 0x61, 0x00]).is_err());
}

#[test]
fn an_optional_entry_is_absent_or_right_never_null() {
    let with = ViewRefused { refusal: Refusal::Busy, retry_after_millis: Some(9) };
    let without = ViewRefused { refusal: Refusal::Busy, retry_after_millis: None };
    assert_eq!(cbor::encode(&with), [0xa2, 0x01, 0x03, 0x02, 0x09]);
    assert_eq!(cbor::encode(&without), [0xa1, 0x01, 0x03]);
    let null = cbor::decode::<ViewRefused>(&[0xa2, 0x01, 0x03, 0x02, 0xf6]);
    assert_eq!(null, Err(DecodeError::Type { expected: "unsigned integer" }));
    let lacking = cbor::decode::<ViewRefused>(&[0xa1, 0x02, 0x09]);
    assert_eq!(lacking, Err(DecodeError::MissingKey { structure: "ViewRefused", key: 1 }));
    assert!(cbor::decode::<ViewRefused>(&[0xa1, 0x01, 0x18, 0x63]).is_err(), "a code nobody knows");
}
