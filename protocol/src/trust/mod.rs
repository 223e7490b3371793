//! Who is a member: the federation's trust list (in the sense of ETSI TS 119 612).
//!
//! The council signs a numbered, hash-chained list with k of n offline keys. Every party verifies
//! it for itself, stores the highest epoch durably before using it, and refuses to go back.
//! [`list`] says what stands in it, [`chain`] who may follow whom, [`request`] how a node asks to
//! join with keys it made itself.

pub mod chain;
pub mod list;
pub mod request;

pub use chain::{Accepted, Decision, Refused, RootAnchor, SignedTrustList, Standing};
pub use list::{CardAuthority, Member, MemberKind, Role, Root, SealingKey, TlsKey, TrustList};
pub use request::MemberRequest;
