//! Encoder and decoder: the thin layer between our types and cbor4ii.

use cbor4ii::core::dec::{Decode, IgnoredAny, Read};
use cbor4ii::core::enc::Encode;
use cbor4ii::core::types::{Array, Bytes, Map};
use cbor4ii::core::utils::{BufWriter, SliceReader};

/// Why bytes are not the item they should be. Carries places and key numbers, never content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not the one deterministic encoding of an item this protocol uses.
    #[error("not deterministic CBOR at byte {at}")]
    NotDeterministic {
        /// Offset of the offending item.
        at: usize,
    },
    /// Nested deeper than [`crate::limits::CBOR_DEPTH_MAX`].
    #[error("nested too deeply at byte {at}")]
    TooDeep {
        /// Offset of the item that is too deep.
        at: usize,
    },
    /// The bytes end before the item does, or a length claims more than there is.
    #[error("truncated at byte {at}")]
    Truncated {
        /// Offset of the item that is cut off.
        at: usize,
    },
    /// Something follows the item.
    #[error("trailing bytes at byte {at}")]
    TrailingBytes {
        /// Offset of the first byte that is too many.
        at: usize,
    },
    /// Another type than expected stands here.
    #[error("unexpected type where {expected} should stand")]
    Type {
        /// What should stand here.
        expected: &'static str,
    },
    /// A required map key is absent.
    #[error("{structure} lacks key {key}")]
    MissingKey {
        /// Name of the structure.
        structure: &'static str,
        /// The absent key.
        key: u64,
    },
    /// An unknown odd, hence critical, map key.
    #[error("{structure} has the unknown critical key {key}")]
    UnknownKey {
        /// Name of the structure.
        structure: &'static str,
        /// The unknown key.
        key: u64,
    },
    /// A value outside what the type allows.
    #[error("invalid value for {expected}")]
    Value {
        /// The type or rule that refuses the value.
        expected: &'static str,
    },
}

/// A type with one encoding on the wire.
pub trait Wire: Sized {
    /// Appends this value.
    fn encode(&self, encoder: &mut Encoder);
    /// Reads a value of this type.
    ///
    /// # Errors
    /// Another shape or a value outside the type's rules.
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError>;
}

/// A map entry: a required [`Wire`] value, or an `Option` of one that is left out when `None`.
pub trait Field: Sized {
    /// Whether the entry is written at all.
    fn present(&self) -> bool;
    /// Writes the value (only called when present).
    fn put(&self, encoder: &mut Encoder);
    /// Reads the value.
    ///
    /// # Errors
    /// As [`Wire::decode`].
    fn take(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError>;
    /// The value that stands for an absent entry, if the entry may be absent.
    fn absent() -> Option<Self>;
}

impl<T: Wire> Field for T {
    fn present(&self) -> bool {
        true
    }
    fn put(&self, encoder: &mut Encoder) {
        self.encode(encoder);
    }
    fn take(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        T::decode(decoder)
    }
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Wire> Field for Option<T> {
    fn present(&self) -> bool {
        self.is_some()
    }
    fn put(&self, encoder: &mut Encoder) {
        if let Some(value) = self {
            value.encode(encoder);
        }
    }
    fn take(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        T::decode(decoder).map(Some)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// Writes items into memory.
pub struct Encoder(BufWriter);

impl Encoder {
    pub(crate) fn new() -> Self {
        Self(BufWriter::new(Vec::new()))
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0.into_inner()
    }

    fn push(&mut self, item: impl Encode) {
        let written = item.encode(&mut self.0);
        debug_assert!(written.is_ok(), "memory is the only way this can fail");
    }

    pub(crate) fn uint(&mut self, value: u64) {
        self.push(value);
    }
    pub(crate) fn bool(&mut self, value: bool) {
        self.push(value);
    }
    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.push(Bytes(value));
    }
    pub(crate) fn text(&mut self, value: &str) {
        self.push(value);
    }
    pub(crate) fn array(&mut self, length: usize) {
        let written = Array::bounded(length, &mut self.0);
        debug_assert!(written.is_ok(), "memory is the only way this can fail");
    }
    pub(crate) fn map(&mut self, pairs: usize) {
        let written = Map::bounded(pairs, &mut self.0);
        debug_assert!(written.is_ok(), "memory is the only way this can fail");
    }
}

/// Reads items from bytes that [`super::canonical::check`] has accepted.
pub struct Decoder<'a>(SliceReader<'a>, usize);

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(SliceReader::new(bytes), bytes.len())
    }

    pub(crate) fn end(&mut self) -> Result<(), DecodeError> {
        let rest = self.0.fill(1).map_or(0, |left| left.as_ref().len());
        if rest == 0 { Ok(()) } else { Err(DecodeError::TrailingBytes { at: self.1 }) }
    }

    fn pull<T: Decode<'a>>(&mut self, expected: &'static str) -> Result<T, DecodeError> {
        T::decode(&mut self.0).map_err(|_| DecodeError::Type { expected })
    }

    pub(crate) fn uint(&mut self) -> Result<u64, DecodeError> {
        self.pull("unsigned integer")
    }
    pub(crate) fn bool(&mut self) -> Result<bool, DecodeError> {
        self.pull("boolean")
    }
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        self.pull::<Bytes<&'a [u8]>>("byte string").map(|bytes| bytes.0)
    }
    pub(crate) fn text(&mut self) -> Result<&'a str, DecodeError> {
        self.pull("text string")
    }
    pub(crate) fn array(&mut self) -> Result<usize, DecodeError> {
        Array::len(&mut self.0).ok().flatten().ok_or(DecodeError::Type { expected: "array" })
    }
    pub(crate) fn map(&mut self) -> Result<usize, DecodeError> {
        Map::len(&mut self.0).ok().flatten().ok_or(DecodeError::Type { expected: "map" })
    }
    pub(crate) fn skip(&mut self) -> Result<(), DecodeError> {
        self.pull::<IgnoredAny>("item").map(|_| ())
    }
}

impl Wire for u64 {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.uint(*self);
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.uint()
    }
}

impl Wire for bool {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.bool(*self);
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.bool()
    }
}

impl Wire for String {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.text(self);
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.text().map(str::to_owned)
    }
}

/// A byte string of any length.
impl Wire for Vec<u8> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.bytes(self);
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.bytes().map(<[u8]>::to_vec)
    }
}

/// A byte string of exactly `N` bytes.
impl<const N: usize> Wire for [u8; N] {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.bytes(self);
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder
            .bytes()?
            .try_into()
            .map_err(|_| DecodeError::Value { expected: "byte string of fixed length" })
    }
}

/// Types that stand in arrays. (`u8` does not: bytes are byte strings.)
pub trait Element: Wire {}

impl<T: Element> Wire for Vec<T> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.array(self.len());
        self.iter().for_each(|item| item.encode(encoder));
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let length = decoder.array()?;
        // No allocation ahead of the data: the vector grows as items really arrive.
        let mut items = Self::new();
        for _ in 0..length {
            items.push(T::decode(decoder)?);
        }
        Ok(items)
    }
}

impl Element for String {}
impl<const N: usize> Element for [u8; N] {}
impl Element for Vec<u8> {}
