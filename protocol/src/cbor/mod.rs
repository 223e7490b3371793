//! Strict deterministic CBOR (RFC 8949 section 4.2.1), on cbor4ii.
//!
//! Everything on the wire is a map with small integer keys, integers, byte and text strings, arrays
//! and booleans. No floats, no tags, no indefinite lengths. [`decode`] accepts exactly the bytes
//! that [`encode`] can produce: lax input never reaches a decision.
//!
//! Odd map keys are critical: an unknown one refuses the item. Even ones may be ignored, so that a
//! later version can add them. (Because ignorable keys must survive, strictness is checked on the
//! bytes themselves by [`canonical::check`], not by re-encoding the decoded value; for items without
//! unknown keys the two are the same, and a property test holds them to it.)

pub mod canonical;
mod codec;
mod macros;

pub(crate) use codec::Element;
pub use codec::{DecodeError, Decoder, Encoder, Field, Wire};
pub(crate) use macros::{wire_code, wire_newtype, wire_struct, wire_union};

/// Encodes `value` deterministically.
pub fn encode<T: Wire>(value: &T) -> Vec<u8> {
    let mut encoder = Encoder::new();
    value.encode(&mut encoder);
    encoder.into_bytes()
}

/// Decodes exactly one item that fills `bytes`.
///
/// # Errors
/// The bytes are not deterministic CBOR, nest too deeply, go on after the item, or do not have the
/// shape of `T`.
pub fn decode<T: Wire>(bytes: &[u8]) -> Result<T, DecodeError> {
    canonical::check(bytes)?;
    let mut decoder = Decoder::new(bytes);
    let value = T::decode(&mut decoder)?;
    decoder.end()?;
    Ok(value)
}

/// Fails compilation where a structure's keys are not written in ascending order: the order of
/// declaration is the order on the wire.
pub(crate) const fn assert_ascending(keys: &[u64]) {
    let mut index = 1;
    while index < keys.len() {
        assert!(keys[index - 1] < keys[index], "wire keys must ascend");
        index += 1;
    }
}
