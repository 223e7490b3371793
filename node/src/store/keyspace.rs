//! The closed list of what an institution keeps, each with the byte that stands for it on disk.

use std::fmt;

macro_rules! keyspaces {
    ($($(#[$doc:meta])* $name:ident = $byte:literal, $text:literal;)*) => {
        /// A part of the store. The byte is written to disk: never renumber, never reuse.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Keyspace { $($(#[$doc])* $name = $byte,)* }

        impl Keyspace {
            /// Every keyspace, in the order of its byte.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name used in reports and metrics.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The keyspace a byte on disk stands for.
            #[must_use]
            pub fn from_byte(byte: u8) -> Option<Self> {
                match byte { $($byte => Some(Self::$name),)* _ => None }
            }
        }
    };
}

keyspaces! {
    /// Counters, format versions, trust-list epoch in use, unfinished erasures: the node about itself.
    Meta = 0x01, "meta";
    /// Subjects of this institution: random local key, sealed facts, keyed index of local numbers.
    Subjects = 0x02, "subjects";
    /// Groups (school classes) and their members.
    Groups = 0x03, "groups";
    /// Sealed records of subjects and groups, and the index of their source ids.
    Records = 0x04, "records";
    /// Pseudonym of a subject, as the registry names it for this institution, to the local subject.
    Links = 0x05, "links";
    /// Presented tokens: linked, waiting, or in quarantine because the digests did not match.
    Tokens = 0x06, "tokens";
    /// Holds (protective measures) in force or lifted.
    Holds = 0x07, "holds";
    /// A guardian's consent per category.
    Consents = 0x08, "consents";
    /// Registry only: residents.
    Residents = 0x09, "residents";
    /// Registry only: who is whose guardian, on which basis, from when to when.
    Guardianships = 0x0a, "guardianships";
    /// Registry only: enrolled cards.
    Cards = 0x0b, "cards";
    /// Things that must be delivered at least once: mails, pushed holds.
    Outbox = 0x0c, "outbox";
    /// Trust lists by epoch, and evidence of two lists of one epoch.
    TrustLists = 0x0d, "trust_lists";
    /// Replay protection that must survive a restart: freshness-token secrets, used idempotency keys.
    Replay = 0x0e, "replay";
    /// What guardians registered by command: allergens, mail addresses, acknowledgements.
    Registrations = 0x0f, "registrations";
    /// Maps a ledger leaf to its subject, so that a guardian can be shown who looked.
    LedgerIndex = 0x10, "ledger_index";
    /// Staff accounts and their sessions.
    Staff = 0x11, "staff";
    /// Files and lines already taken in, with their outcome.
    Imports = 0x12, "imports";
    /// Sessions that ended before their time, until no grant of theirs can be accepted any more.
    SessionEnds = 0x13, "session_ends";
    /// What a school keeps besides records: classes, days without lunch, menus, things to hand in, alerts told.
    School = 0x14, "school";
}

impl Keyspace {
    /// The byte on disk.
    #[must_use]
    pub fn byte(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Keyspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::Keyspace;

    #[test]
    fn bytes_are_stable_and_below_the_engine_area() {
        for (index, keyspace) in Keyspace::ALL.iter().enumerate() {
            assert_eq!(usize::from(keyspace.byte()), index + 1, "{keyspace}: bytes are never renumbered");
            assert!(keyspace.byte() < 0x80, "0x80 and above belong to the engines");
            assert_eq!(Keyspace::from_byte(keyspace.byte()).unwrap(), *keyspace);
        }
        assert_eq!(Keyspace::from_byte(0), None);
        assert_eq!(Keyspace::Records.byte(), 0x04);
        assert_eq!(Keyspace::TrustLists.byte(), 0x0d);
    }
}
