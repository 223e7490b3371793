//! What lies where: every form of row that a table of this node has.
//!
//! A table that gets a new kind of row gets a line here; until then an inspection calls its rows unknown.

use crate::store::Keyspace;

/// How long the rest of a key is, after its prefix.
#[derive(Clone, Copy)]
pub(super) enum Rest {
    /// Exactly so many bytes.
    Exactly(usize),
    /// A member's id after so many bytes.
    Member(usize),
}

/// What the value is.
#[derive(Clone, Copy)]
pub(super) enum Body {
    /// Nothing: the key says it all.
    Mark,
    /// Sealed JSON: an object with these fields and no others.
    Sealed(&'static [&'static str]),
}

/// One form of row.
pub(super) struct Form {
    pub(super) table: Keyspace,
    pub(super) prefix: &'static [u8],
    pub(super) rest: Rest,
    pub(super) class: &'static str,
    pub(super) body: Body,
}

const fn form(table: Keyspace, prefix: &'static [u8], rest: Rest, class: &'static str, body: Body) -> Form {
    Form { table, prefix, rest, class, body }
}

use Body::{Mark, Sealed};
use Keyspace as K;
use Rest::{Exactly, Member};

/// Bytes of a day in a key.
const DAY: usize = 10;

/// Every form but those of the record book and the trust lists, which have no vault.
pub(super) const FORMS: &[Form] = &[
    form(K::SessionEnds, b"", Exactly(16), "ended session", Sealed(&["until"])),
    form(K::Links, b"p", Exactly(16), "link", Sealed(&["registry", "token", "subject", "by", "at"])),
    form(K::Links, b"s", Exactly(32), "index of links", Mark),
    form(
        K::Tokens,
        b"q",
        Exactly(16),
        "token in quarantine",
        Sealed(&["registry", "token", "reason", "candidates", "at"]),
    ),
    form(
        K::Holds,
        b"i",
        Exactly(32),
        "hold",
        Sealed(&["registry", "guardian", "lifted", "issued", "review_by", "notice", "at"]),
    ),
    form(
        K::Holds,
        b"R",
        Exactly(8),
        "hold order",
        Sealed(&["id", "child", "guardian", "reference", "review_by", "placed", "lifting", "lifted"]),
    ),
    form(K::Holds, b"C", Exactly(24), "index of hold orders", Mark),
    form(
        K::Outbox,
        b"hold/",
        Member(17),
        "hold notice owed",
        Sealed(&[
            "order",
            "member",
            "hold",
            "lifted",
            "issued",
            "digest",
            "sealed_to",
            "notice",
            "attempts",
            "next_at",
            "acknowledged",
        ]),
    ),
    form(K::Consents, b"c", Exactly(24), "consent", Sealed(&["category", "guardian", "by", "at", "made_by"])),
    form(
        K::Residents,
        b"",
        Exactly(16),
        "resident",
        Sealed(&["number", "name", "kana", "birth_date", "sex"]),
    ),
    form(
        K::Guardianships,
        b"i",
        Exactly(8),
        "guardianship",
        Sealed(&[
            "id", "guardian", "child", "basis", "from", "until", "document", "entered", "approved", "ended",
        ]),
    ),
    form(K::Guardianships, b"g", Exactly(24), "index of guardianships", Mark),
    form(K::Guardianships, b"c", Exactly(24), "index of guardianships", Mark),
    form(K::Cards, b"c", Exactly(16), "card", Sealed(&["resident", "enrolled"])),
    form(K::Cards, b"r", Exactly(16), "present card", Sealed(&["card"])),
    form(
        K::Replay,
        b"c",
        Exactly(32),
        "command carried out",
        Sealed(&["command", "index", "leaf_hash", "at", "refused"]),
    ),
    form(
        K::Registrations,
        b"r",
        Exactly(32),
        "registration",
        Sealed(&["pseudonym", "allergens", "address", "waiting", "codes", "mails", "at"]),
    ),
    form(K::Registrations, b"s", Exactly(16), "school's registration", Sealed(&["allergens", "by", "at"])),
    form(K::Outbox, b"M", Exactly(16), "letter", Sealed(&["letter", "queued", "state"])),
    form(K::Outbox, b"U", Exactly(24), "index of letters", Mark),
    form(K::Outbox, b"W", Exactly(24), "index of letters", Mark),
    form(K::Outbox, b"L", Exactly(DAY + 16), "index of letters", Mark),
    form(K::Outbox, b"G", Exactly(56), "index of letters", Mark),
    form(K::Outbox, b"E", Exactly(24), "index of letters", Mark),
    form(K::Staff, b"a", Exactly(16), "account", Sealed(&["name", "display", "roles", "password"])),
    form(K::School, b"k", Exactly(16), "class", Sealed(&["class", "kitchen"])),
    form(
        K::School,
        b"d",
        Exactly(12),
        "day without lunch",
        Sealed(&["from", "to", "whom", "kind", "reason"]),
    ),
    form(K::School, b"m", Exactly(DAY + 16), "menu", Sealed(&["kitchen", "draft", "accepted", "at"])),
    form(K::School, b"w", Exactly(16), "kitchen's word", Sealed(&["word", "kitchen", "by", "at"])),
    form(
        K::School,
        b"n",
        Exactly(12),
        "notice",
        Sealed(&[
            "audience",
            "to_kind",
            "to",
            "title",
            "text",
            "urgent",
            "files",
            "by",
            "sent",
            "withdrawn",
            "classes",
        ]),
    ),
    form(
        K::School,
        b"h",
        Exactly(12),
        "thing to hand in",
        Sealed(&["title", "note", "due", "class", "pupils", "by", "asked"]),
    ),
    form(K::School, b"i", Exactly(28), "hand-in of a pupil", Sealed(&["state", "by", "at"])),
    form(K::School, b"v", Exactly(12), "event", Sealed(&["what", "class", "classes", "by", "removed"])),
    form(K::School, b"g", Exactly(DAY + 16 + 2 + 1), "gate", Sealed(&["touch", "at"])),
    form(K::School, b"t", Exactly(DAY + 32), "alert told", Sealed(&["n", "said", "content"])),
    form(K::School, b"u", Exactly(DAY), "concern told", Sealed(&["n", "content"])),
    form(K::School, b"u", Exactly(DAY + 16), "concern told", Sealed(&["n", "content"])),
];
