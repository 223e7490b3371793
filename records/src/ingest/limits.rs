//! Limits of ingest, each with unit and reason.

/// Longest resource, in bytes: an NDJSON line or a bundle entry. Records are answers to a query of
/// seconds; a picture belongs elsewhere.
pub const RESOURCE_MAX_BYTES: usize = 1 << 20;

/// Longest bundle document, in bytes. A bundle is held in memory as a whole, for its entries refer to each
/// other; NDJSON is not, and has no limit.
pub const BUNDLE_MAX_BYTES: usize = 64 << 20;

/// Most entries of a bundle; keeps the table of entries small beside the document.
pub const ENTRIES_MAX: usize = 200_000;

/// Deepest nesting of a resource. Questionnaires reach about 20; serde_json itself refuses 128.
pub const DEPTH_MAX: usize = 64;

/// Most members of a Group: the largest school year group, many times over.
pub const MEMBERS_MAX: usize = 10_000;

/// Most identifiers remembered while streaming NDJSON, for `Patient?identifier=…` further down. Beyond it
/// such references are refused; plain ones always work.
pub const IDENTIFIERS_MAX: usize = 200_000;

/// Longest record of the school's own schema, in bytes: a menu with its survey has about ten thousand.
pub const SCHOOL_MAX_BYTES: usize = 64 << 10;

/// Most things in one list of such a record: findings of one menu, several times over.
pub const SCHOOL_LIST_MAX: usize = 500;

const _: () = assert!(RESOURCE_MAX_BYTES < BUNDLE_MAX_BYTES);
const _: () = assert!(DEPTH_MAX < 128);
