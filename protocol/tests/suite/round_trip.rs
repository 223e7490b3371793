//! Every structure survives its own encoding, and survives nothing else.

use hibiki_protocol::cbor::DecodeError;
use proptest::prelude::*;

use crate::any::Gen;
use crate::structure::every;
use crate::tree;

/// One change somewhere in the bytes.
pub(crate) fn mutate(bytes: &mut Vec<u8>, g: &mut Gen) {
    if bytes.is_empty() {
        return;
    }
    let at = g.below(bytes.len());
    match g.below(6) {
        0 => bytes[at] ^= 1 << g.below(8),
        1 => bytes[at] = g.next().to_le_bytes()[0],
        2 => bytes.insert(at, g.next().to_le_bytes()[0]),
        3 => drop(bytes.remove(at)),
        4 => bytes.truncate(at),
        _ => {
            let other = g.below(bytes.len());
            bytes.swap(at, other);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_value_of_any_structure_survives(seed: u64) {
        let mut g = Gen::new(seed);
        for structure in every() {
            (structure.round_trip)(&mut g);
        }
    }

    /// What is not refused means what its bytes say, except for entries that may be ignored.
    #[test]
    fn mutated_bytes_are_refused_or_have_one_encoding(seed: u64) {
        let mut g = Gen::new(seed);
        for structure in every() {
            let mut bytes = (structure.encode_any)(&mut g);
            for _ in 0..=g.below(3) {
                mutate(&mut bytes, &mut g);
            }
            if let Ok(again) = (structure.recode)(&bytes) && again != bytes {
                prop_assert!(again.len() < bytes.len(), "{}", structure.name);
                let (whole, kept) = (tree::read(&bytes).unwrap(), tree::read(&again).unwrap());
                prop_assert!(tree::only_even_keys_left_out(&whole, &kept), "{}", structure.name);
            }
        }
    }

    #[test]
    fn every_proper_prefix_is_refused(seed: u64) {
        let mut g = Gen::new(seed);
        for structure in every() {
            let bytes = (structure.encode_any)(&mut g);
            let step = 1 + bytes.len() / 64;
            for end in (0..bytes.len()).step_by(step) {
                prop_assert!((structure.recode)(&bytes[..end]).is_err(), "{} cut at {end}", structure.name);
            }
            let longer = [bytes.as_slice(), &[0xf6]].concat();
            let trailing = Err(DecodeError::TrailingBytes { at: bytes.len() });
            prop_assert_eq!((structure.recode)(&longer), trailing, "{}", structure.name);
        }
    }

    #[test]
    fn random_bytes_never_pass_for_a_structure(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for structure in every() {
            if let Ok(again) = (structure.recode)(&bytes) {
                prop_assert!(again.len() <= bytes.len());
                prop_assert!(tree::is_deterministic(&bytes));
            }
        }
    }
}
