//! The numbers that travel when a link is closed or an exchange is given up.
//!
//! Owns the codes below 256; must not know why an application uses its own (256 and above).

use std::fmt;

/// Application error code of QUIC (RFC 9000 section 20.2), sent with a close, a reset or a stop.
///
/// Below 256 the road speaks; from 256 on the number belongs to the application.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u64);

impl Code {
    /// All is done.
    pub const DONE: Self = Self(0);
    /// The peer is not, or no longer, admitted, or is admitted as somebody else: ask the trust list.
    pub const NOT_ADMITTED: Self = Self(1);
    /// This party is going away; another link may be opened when it is back.
    pub const SHUTTING_DOWN: Self = Self(2);
    /// The exchange was dropped before its end: nobody waits for the rest.
    pub const CANCELLED: Self = Self(3);
    /// A frame announced more than the reader allows.
    pub const TOO_LONG: Self = Self(4);
    /// Too many links or exchanges: come back later.
    pub const BUSY: Self = Self(5);
    /// What arrived made no sense.
    pub const MALFORMED: Self = Self(6);

    /// A code of the application; below 256 it is one of the road's own.
    pub const fn new(code: u32) -> Self {
        Self(code as u64)
    }

    /// The number on the wire.
    pub const fn get(self) -> u64 {
        self.0
    }

    pub(crate) fn varint(self) -> quinn::VarInt {
        quinn::VarInt::from_u64(self.0).unwrap_or(quinn::VarInt::MAX)
    }
}

impl From<quinn::VarInt> for Code {
    fn from(code: quinn::VarInt) -> Self {
        Self(code.into_inner())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::DONE => "done",
            Self::NOT_ADMITTED => "not admitted",
            Self::SHUTTING_DOWN => "shutting down",
            Self::CANCELLED => "cancelled",
            Self::TOO_LONG => "frame too long",
            Self::BUSY => "busy",
            Self::MALFORMED => "malformed",
            Self(code) => return write!(f, "code {code}"),
        };
        f.write_str(name)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({}: {self})", self.0)
    }
}
