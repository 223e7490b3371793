//! The language all parties of a Hibiki federation share.
//!
//! This crate **decides and does nothing**: no I/O, no clock (`now` is a parameter), randomness only
//! inside cryptographic operations. A second implementation needs this crate's documentation, the
//! golden vectors in `tests/golden/` and nothing else.
//!
//! The tour, in the order a query travels:
//!
//! 1. [`trust`] — who is a member: the signed, numbered trust list every party verifies for itself.
//! 2. [`session`] — a card's signature over fresh keys, one per institution.
//! 3. [`token`] and [`grant`] — the registry's short-lived permission for one subject, one
//!    institution, one session key; the subject named by a pseudonym only that institution can read.
//! 4. [`query`] — the question, sealed to one institution; [`freshness`] and [`replay`] make it count once.
//! 5. [`policy`] — holds, consent and age decide; the result is a [`policy::ReadPermit`] one must hold to read.
//! 6. [`answer`] — records signed by the institution and sealed to the guardian's terminal.
//!    Besides records one may ask for an [`act`]: the [`history`] of accesses, a choice about what is shown, or the
//!    proofs of what was promised in every answer's [`receipt`].
//! 7. [`outcome`] — what became of each institution asked, and the coverage of a view.
//! 8. [`session_end`] — the card is gone: told to every institution, and left with the gateway for the case that
//!    the terminal cannot.
//! 9. [`witnessing`] — other members cosign a ledger's checkpoints, so that nobody can show two histories of one.
//! 10. [`frames`] — what passes on one stream between two parties.
//!
//! Beneath them: [`cbor`] (strict deterministic encoding), [`signing`] and [`sealing`] (Ed25519,
//! HPKE, domain separation), [`tlog`] (transparency-log arithmetic), [`limits`] (every bound, in one file).
#![forbid(unsafe_code)]

pub mod act;
pub mod answer;
pub mod cbor;
pub mod frames;
pub mod freshness;
pub mod grant;
pub mod history;
pub mod hold;
pub mod ids;
pub mod limits;
pub mod outcome;
pub mod policy;
pub mod query;
pub mod receipt;
pub mod registration;
pub mod replay;
pub mod sealing;
pub mod session;
pub mod session_end;
pub mod signing;
pub mod time;
pub mod tlog;
pub mod token;
pub mod trust;
pub mod witnessing;
