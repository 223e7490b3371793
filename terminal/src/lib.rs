//! The guardian: card, session, and the child's view, which comes together here and only here.
//!
//! - [`card`] — the card as a trait: certificate, PIN, signature; in a reader (PC/SC) or a file.
//! - [`federation`] — the trust list as this terminal verified it.
//! - [`connection`] — the link to the gateway: hello, catching up with trust lists, requests.
//! - [`session`] — one touch, one PIN: fresh keys, the card's signature, the registry's attestation.
//! - [`question`] — parts for every institution; the secrets that open their answers.
//! - [`road`] — the network a connection is made over.
//! - [`round`] — asking every institution at once, each settled exactly once.
//! - [`view`] — what came back, institution by institution; absence always with its reason.
//! - [`desk`] — one reader, one person at a time: from the touch until the card is gone.
//! - [`web`] — the guardian's page, on the loopback address.
//! - [`kiosk`] — a browser over the whole screen, new for every guardian.
//! - [`history`] — who looked, every entry checked against the institution's ledger key.
//! - [`consent`] — what this guardian has withdrawn where, and changing it, with a receipt.
//! - [`receipts`] — what institutions promised with their answers, kept in a folder, and proved later.
//! - [`words`] — all of it in words, Japanese first.
//!
//! Nothing of a view is ever written to disk by this crate. Receipts are, where they are asked for: they tell of
//! nobody.
#![forbid(unsafe_code)]

pub mod card;
pub mod change;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connection;
pub mod consent;
pub mod desk;
pub mod federation;
pub mod hardening;
pub mod history;
pub mod json;
pub mod kiosk;
pub mod print;
pub mod question;
pub mod receipts;
pub mod registration;
pub mod road;
pub mod round;
pub mod session;
pub mod trouble;
pub mod view;
pub mod web;
pub mod words;
