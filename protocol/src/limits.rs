//! Every bound of the protocol, each with its unit and its reason.
//!
//! A limit is part of the protocol: two implementations that disagree on one cannot talk. Where a
//! deployment may choose lower values, its configuration is checked against these.

/// Lowest protocol version this implementation speaks.
pub const VERSION_MIN: u64 = 1;
/// Highest protocol version this implementation speaks.
pub const VERSION_MAX: u64 = 1;
/// TLS application protocol (RFC 7301) of version 1.
pub const ALPN: &[u8] = b"hibiki/1";

/// Bytes of a frame between parties, at most: the largest sealed answer and its envelope.
pub const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024 + 4096;
/// Bytes of a frame, at most, that is none of these: a view of a guest with an open session, an
/// answer, an attestation, trust lists.
pub const CONTROL_FRAME_BYTES_MAX: usize = 1024 * 1024;
/// Nesting of a CBOR item, at most. Our deepest structure nests 7.
pub const CBOR_DEPTH_MAX: usize = 16;
/// Entries of one CBOR array or map, at most; checked against the bytes that remain as well.
pub const CBOR_ENTRIES_MAX: u64 = 65_536;

/// Plaintext bytes of a query part after padding: all parts have this one size, so that their
/// length says nothing about the child, the institution or the grant.
pub const PART_PLAINTEXT_BYTES: usize = 4096;
/// Plaintext bytes of the end of a session after padding: all ends have this one size. One with the
/// longest names takes some 240 bytes; what is left is for entries of later versions.
pub const SESSION_END_PLAINTEXT_BYTES: usize = 512;
/// Sizes of an answer's padded plaintext, ascending. The first is the common frame: with data or
/// without, an answer that fits looks like every other.
pub const ANSWER_PLAINTEXT_BYTES: [usize; 4] = [16 * 1024, 128 * 1024, 1024 * 1024, 4 * 1024 * 1024];
/// Bytes of an answer before compression, at most: a decompression bomb stops here.
pub const ANSWER_EXPANDED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Smallest frame an attestation is padded to; larger ones fill the next power of two, so that their
/// length does not count the children for the gateway.
pub const ATTESTATION_FRAME_BYTES_MIN: usize = 16 * 1024;
/// Bytes of that frame left for what stands around the padded plaintext.
pub const ATTESTATION_ENVELOPE_BYTES: usize = 512;
/// Records in one answer, at most. A child with weekly entries for 18 years has about 1,000.
pub const ANSWER_RECORDS_MAX: usize = 10_000;
/// Bytes of one record's content, at most.
pub const RECORD_CONTENT_BYTES_MAX: usize = 1024 * 1024;

/// Entries of the history in one answer, at most: with their proofs they fill the common frame in a ledger
/// of a million entries, so that a history looks like any other answer. In a larger one fewer are sent.
pub const HISTORY_ENTRIES_MAX: usize = 16;
/// Receipts of which the proofs are asked for, or given, at once, at most: like a history, they fill the common
/// frame in a ledger of a million entries. In a larger one fewer are given.
pub const PROOFS_MAX: usize = 16;
/// Checkpoints in one answer that proofs lead to, at most: one that witnesses cosigned, and the newest.
pub const PROOF_CHECKPOINTS_MAX: usize = 2;
/// Withdrawals one guardian may have at one institution: every category known and every reach fit.
pub const WITHDRAWALS_MAX: usize = 128;
/// Categories an institution states in one answer since when it keeps them.
pub const KEPT_SINCE_MAX: usize = 64;
/// Milliseconds an institution remembers a command that was carried out, so that it is not carried out
/// again: a day, longer than anybody retries.
pub const COMMAND_MILLIS: u64 = 24 * 3600 * 1000;
/// Commands remembered for one subject at one institution, about 300 bytes each; when full, further ones
/// are refused as busy until the oldest is a day old.
pub const COMMANDS_REMEMBERED_MAX: usize = 256;

/// Allergens in one registration: the standard list has thirty.
pub const REGISTERED_ALLERGENS_MAX: usize = 64;
/// Bytes of an address for mails (RFC 5321 section 4.5.3.1.3, without the angle brackets).
pub const ADDRESS_BYTES_MAX: usize = 254;
/// Mails of which a guardian is told what became of them.
pub const DELIVERIES_MAX: usize = 20;

/// Members one view may ask: beyond a few hundred the guardian chooses (design, section 4).
pub const VIEW_PARTS_MAX: usize = 512;
/// Members of one federation's trust list, at most.
pub const MEMBERS_MAX: usize = 4096;
/// Children one card may act for, at most. Large families and facility heads fit.
pub const SUBJECTS_PER_CARD_MAX: usize = 64;
/// Categories named by one query or grant, at most.
pub const CATEGORIES_MAX: usize = 64;

/// Milliseconds a session lasts at most, and with it every grant: the bound of a revocation that
/// could not be delivered.
pub const SESSION_MILLIS_MAX: u64 = 10 * 60 * 1000;
/// Milliseconds a query may be valid.
pub const QUERY_MILLIS_MAX: u64 = 60 * 1000;
/// Milliseconds by which two honest clocks may differ.
pub const CLOCK_SKEW_MILLIS: u64 = 5 * 60 * 1000;
/// Milliseconds a gateway's one-use session challenge is valid.
pub const CHALLENGE_MILLIS_MAX: u64 = 2 * 60 * 1000;
/// Milliseconds a freshness token is valid at the institution that issued it.
pub const FRESHNESS_MILLIS: u64 = 120 * 1000;
/// Milliseconds a query's identity stays in the replay cache: longer than any query can be accepted
/// (made by a clock that is ahead, accepted by one that is behind), so that a gateway that keeps a
/// part and fetches a new freshness token for it finds it remembered or expired.
pub const REPLAY_MILLIS: u64 = QUERY_MILLIS_MAX + 2 * CLOCK_SKEW_MILLIS + 60 * 1000;
/// Entries of the replay cache, about 140 bytes each; when full, queries are refused as busy rather
/// than forgotten. Only queries with a verified grant enter: 360 of them a second, sustained, fit.
pub const REPLAY_ENTRIES_MAX: usize = 262_144;
/// Deadline of a view in milliseconds when the terminal names none.
pub const VIEW_DEADLINE_MILLIS_DEFAULT: u64 = 3000;
/// Deadline of a view in milliseconds, at most.
pub const VIEW_DEADLINE_MILLIS_MAX: u64 = 30_000;

/// Lifetime of a trust list in milliseconds, at most (30 days, and a day for signing by hand).
pub const TRUST_LIST_MILLIS_MAX: u64 = 31 * 24 * 3600 * 1000;
/// Root keys of a federation, at most.
pub const ROOT_KEYS_MAX: usize = 16;
/// Trust lists sent in one catch-up exchange.
pub const TRUST_LISTS_PER_FRAME_MAX: usize = 16;

/// Witnesses of one ledger, at most: five, of whom three must cosign by default, so that two may sleep. More would
/// be asked every minute for nothing.
pub const WITNESSES_MAX: usize = 5;
/// Bytes of a checkpoint that is offered, kept or shown as evidence: a name, a root, and two or three signatures
/// take some 500.
pub const CHECKPOINT_BYTES_MAX: usize = 8192;
/// Hashes of a consistency proof: a tree of 2^64 leaves needs so many.
pub const CONSISTENCY_PROOF_MAX: usize = 65;

/// Sessions a gateway keeps open at once; 256 bytes and its keys each.
pub const SESSIONS_MAX: usize = 16_384;
/// Ends of sessions a gateway holds at once, left by terminals or on their way to institutions; about 700
/// bytes each. 16,384 sessions with 16 institutions fit. When full, terminals are told that it is busy:
/// what was taken is never dropped before its time.
pub const SESSION_ENDS_HELD_MAX: usize = 262_144;
/// Ended sessions an institution remembers at once, about 100 bytes each in memory and on disk, for a
/// quarter of an hour each: 72 a second, sustained, fit. When full, ends are declined as busy, and the
/// gateway brings them again.
pub const SESSION_ENDS_IN_FORCE_MAX: usize = 65_536;
/// Queries an institution works on at once; more are answered `busy`.
pub const QUERIES_AT_ONCE_MAX: usize = 256;
/// Views a gateway fans out at once; more are refused as busy.
pub const VIEWS_AT_ONCE_MAX: usize = 64;
/// Bytes of a display name (a person's or a member's), at most.
pub const NAME_BYTES_MAX: usize = 256;

const _: () = {
    assert!(FRESHNESS_MILLIS < REPLAY_MILLIS);
    assert!(QUERY_MILLIS_MAX + 2 * CLOCK_SKEW_MILLIS < REPLAY_MILLIS);
    assert!(QUERY_MILLIS_MAX <= FRESHNESS_MILLIS);
    assert!(VIEW_PARTS_MAX * (PART_PLAINTEXT_BYTES + 256) <= FRAME_BYTES_MAX);
    assert!(ANSWER_PLAINTEXT_BYTES[3] + 4096 <= FRAME_BYTES_MAX);
    assert!(SESSION_MILLIS_MAX <= 10 * 60 * 1000);
    assert!(VIEW_PARTS_MAX * (SESSION_END_PLAINTEXT_BYTES + 256) <= CONTROL_FRAME_BYTES_MAX);
    assert!(VIEW_PARTS_MAX <= SESSION_ENDS_HELD_MAX);
};
