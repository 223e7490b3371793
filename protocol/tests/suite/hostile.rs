//! Lengths that lie, counts that lie: refused before anything is allocated for them.

use hibiki_protocol::cbor;
use hibiki_protocol::frames::{Reply, Request, TrustLists};
use hibiki_protocol::session::OpenSession;
use hibiki_protocol::trust::TrustList;

use crate::allocation::allocated_by;
use crate::any::Gen;
use crate::structure::every;

/// Heads that claim more than there is: byte and text strings, arrays, maps, of every width.
fn lying_heads() -> Vec<Vec<u8>> {
    let mut heads = Vec::new();
    for major in [0x40_u8, 0x60, 0x80, 0xa0] {
        heads.push([vec![major | 0x19], 0xffff_u16.to_be_bytes().to_vec()].concat());
        heads.push([vec![major | 0x1a], 0xffff_ffff_u32.to_be_bytes().to_vec()].concat());
        for length in [0x1_0000_0000_u64, 0x7fff_ffff_ffff_ffff, u64::MAX] {
            heads.push([vec![major | 0x1b], length.to_be_bytes().to_vec()].concat());
        }
    }
    heads
}

#[test]
fn a_length_that_lies_allocates_nothing() {
    for head in lying_heads() {
        for structure in every() {
            // As the whole item, and as the value under the first key.
            for bytes in [head.clone(), [vec![0xa1, 0x01], head.clone()].concat()] {
                let (result, allocated) = allocated_by(|| (structure.recode)(&bytes));
                assert!(result.is_err(), "{}", structure.name);
                assert!(allocated <= 64, "{} allocated {allocated} bytes", structure.name);
            }
        }
    }
}

#[test]
fn a_lying_length_deep_inside_costs_no_more_than_the_bytes_before_it() {
    let mut g = Gen::new(7);
    for structure in every() {
        let bytes = (structure.encode_any)(&mut g);
        for at in 0..bytes.len().min(64) {
            for head in lying_heads() {
                let hostile = [&bytes[..at], &head].concat();
                let (result, allocated) = allocated_by(|| (structure.recode)(&hostile));
                // In the place of a number the head is one; anywhere else it is a lie.
                assert!(result.is_err() || result.as_ref() == Ok(&hostile), "{} at {at}", structure.name);
                assert!(allocated <= 64 * hostile.len(), "{} at {at}: {allocated} bytes", structure.name);
            }
        }
    }
}

/// Strictly checked before anything is built: a flaw in the last byte costs nothing either.
#[test]
fn a_flaw_at_the_end_of_a_megabyte_is_found_before_anything_is_built() {
    let lists = vec![0x40; 60_000];
    let mut bytes = [&[0xa1, 0x01, 0x99, 0xea, 0x60], lists.as_slice()].concat();
    bytes.push(0xff);
    let (result, allocated) = allocated_by(|| cbor::decode::<TrustLists>(&bytes));
    assert!(result.is_err());
    assert!(allocated <= 64, "{allocated} bytes");
}

/// Small items grow when they become values, but in proportion to the bytes that really came.
#[test]
fn what_is_built_stays_in_proportion_to_what_came() {
    // 60,000 empty addresses of one member would be the worst: one byte each on the wire.
    let many = [vec![0xa1, 0x0b, 0x99, 0xea, 0x60], vec![0x60; 60_000]].concat();
    let (result, allocated) = allocated_by(|| cbor::decode::<hibiki_protocol::trust::Member>(&many));
    assert!(result.is_err(), "it lacks everything else");
    assert!(allocated <= 64 * many.len(), "{allocated} bytes for {}", many.len());
}

#[test]
fn counts_beyond_the_limit_are_refused_even_with_the_bytes_to_back_them() {
    let array = [vec![0x9a, 0x00, 0x01, 0x00, 0x01], vec![0x00; 65_537]].concat();
    assert!(cbor::canonical::check(&array).is_err());
    let fits = [vec![0x9a, 0x00, 0x01, 0x00, 0x00], vec![0x00; 65_536]].concat();
    assert_eq!(cbor::canonical::check(&fits), Ok(()));
}

#[test]
fn another_shape_is_refused_without_panic() {
    let shapes =
        ["00", "20", "40", "60", "80", "a0", "f4", "f6", "8101", "820163616263", "a10100", "a16161f5"];
    for shape in shapes.map(|text| hex::decode(text).unwrap()) {
        assert!(cbor::decode::<Request>(&shape).is_err());
        assert!(cbor::decode::<Reply>(&shape).is_err());
        assert!(cbor::decode::<OpenSession>(&shape).is_err());
        assert!(cbor::decode::<TrustList>(&shape).is_err());
    }
}
