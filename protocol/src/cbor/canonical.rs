//! Is this byte string one deterministic CBOR item, and nothing else?
//!
//! Owns the rules of RFC 8949 section 4.2.1 narrowed to what this protocol uses; knows nothing of
//! what the item means.

use crate::limits::{CBOR_DEPTH_MAX, CBOR_ENTRIES_MAX};

use super::DecodeError;

/// Accepts `bytes` only if they are exactly one item in deterministic encoding: shortest lengths,
/// map keys ascending and unique, valid UTF-8, no floats, tags, `undefined` or indefinite lengths.
///
/// # Errors
/// [`DecodeError::NotDeterministic`] with the offset of the first offence, or
/// [`DecodeError::TooDeep`], [`DecodeError::Truncated`], [`DecodeError::TrailingBytes`].
pub fn check(bytes: &[u8]) -> Result<(), DecodeError> {
    let mut cursor = Cursor { bytes, at: 0 };
    cursor.item(0)?;
    if cursor.at == bytes.len() { Ok(()) } else { Err(DecodeError::TrailingBytes { at: cursor.at }) }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn item(&mut self, depth: usize) -> Result<(), DecodeError> {
        if depth >= CBOR_DEPTH_MAX {
            return Err(DecodeError::TooDeep { at: self.at });
        }
        let start = self.at;
        let (major, argument) = self.head()?;
        match major {
            0 | 1 => Ok(()),
            2 => self.skip(argument),
            3 => {
                let from = self.at;
                self.skip(argument)?;
                let text = self.bytes.get(from..self.at).unwrap_or_default();
                std::str::from_utf8(text).map(|_| ()).map_err(|_| DecodeError::NotDeterministic { at: start })
            }
            4 => {
                self.entries(argument)?;
                (0..argument).try_for_each(|_| self.item(depth + 1))
            }
            5 => self.map(argument, depth),
            _ => Err(DecodeError::NotDeterministic { at: start }),
        }
    }

    fn map(&mut self, pairs: u64, depth: usize) -> Result<(), DecodeError> {
        self.entries(pairs)?;
        let mut last_key: Option<(usize, usize)> = None;
        for _ in 0..pairs {
            let from = self.at;
            self.item(depth + 1)?;
            let key = self.bytes.get(from..self.at).unwrap_or_default();
            if let Some((start, end)) = last_key {
                let before = self.bytes.get(start..end).unwrap_or_default();
                if before >= key {
                    return Err(DecodeError::NotDeterministic { at: from });
                }
            }
            last_key = Some((from, self.at));
            self.item(depth + 1)?;
        }
        Ok(())
    }

    /// An array or map cannot have more entries than bytes that remain: a hostile count stops here.
    fn entries(&self, count: u64) -> Result<(), DecodeError> {
        let remaining = (self.bytes.len() - self.at) as u64;
        if count > CBOR_ENTRIES_MAX || count > remaining {
            return Err(DecodeError::Truncated { at: self.at });
        }
        Ok(())
    }

    fn skip(&mut self, length: u64) -> Result<(), DecodeError> {
        let remaining = (self.bytes.len() - self.at) as u64;
        if length > remaining {
            return Err(DecodeError::Truncated { at: self.at });
        }
        self.at += usize::try_from(length).map_err(|_| DecodeError::Truncated { at: self.at })?;
        Ok(())
    }

    /// Major type and argument; for major 7 only `false`, `true` and `null` pass (as major 0 items).
    fn head(&mut self) -> Result<(u8, u64), DecodeError> {
        let at = self.at;
        let first = *self.bytes.get(at).ok_or(DecodeError::Truncated { at })?;
        self.at += 1;
        let (major, short) = (first >> 5, first & 0x1f);
        if major == 7 {
            return if matches!(short, 20..=22) {
                Ok((0, 0))
            } else {
                Err(DecodeError::NotDeterministic { at })
            };
        }
        let width = match short {
            0..=23 => return Ok((major, u64::from(short))),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return Err(DecodeError::NotDeterministic { at }),
        };
        let bytes = self.bytes.get(self.at..self.at + width).ok_or(DecodeError::Truncated { at })?;
        self.at += width;
        let argument = bytes.iter().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
        let shortest = match width {
            1 => argument >= 24,
            2 => argument > 0xff,
            4 => argument > 0xffff,
            _ => argument > 0xffff_ffff,
        };
        if shortest { Ok((major, argument)) } else { Err(DecodeError::NotDeterministic { at }) }
    }
}
