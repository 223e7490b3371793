//! Names of the document's resources: the document's own bytes, counted on.
//!
//! UUIDs of version 8 (RFC 9562 section 5.8). Must not know resources.

use std::fmt;

/// The names of one document, in order.
pub(super) struct Ids {
    base: [u8; 16],
    next: u32,
}

/// A name; displayed as the UUID alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Id([u8; 16]);

impl Ids {
    pub(super) const fn new(base: [u8; 16]) -> Self {
        Self { base, next: 0 }
    }

    pub(super) fn next(&mut self) -> Id {
        let mut bytes = self.base;
        if let Some(tail) = bytes.last_chunk_mut::<4>() {
            *tail = u32::from_be_bytes(*tail).wrapping_add(self.next).to_be_bytes();
        }
        self.next = self.next.wrapping_add(1);
        bytes[6] = (bytes[6] & 0x0F) | 0x80;
        bytes[8] = (bytes[8] & 0x3F) | 0x80;
        Id(bytes)
    }
}

impl Id {
    /// As `fullUrl` and in references.
    pub(super) fn url(self) -> String {
        format!("urn:uuid:{self}")
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_uuids_and_never_the_same() {
        let mut ids = Ids::new([0xFF; 16]);
        let first = ids.next();
        assert_eq!(first.to_string(), "ffffffff-ffff-8fff-bfff-ffffffffffff");
        let second = ids.next();
        assert_eq!(second.url(), "urn:uuid:ffffffff-ffff-8fff-bfff-ffff00000000");
        assert!(first != second);
    }
}
