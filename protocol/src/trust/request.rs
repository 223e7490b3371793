//! How a node asks to join: with keys it made itself. Private keys never travel.

use crate::cbor::wire_struct;
use crate::ids::FederationId;
use crate::signing::{Signable, Signed, SignedError};
use crate::time::Timestamp;

use super::list::Member;

wire_struct! {
    /// A node's request to stand in the trust list as described.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct MemberRequest {
        /// The federation it wants to join.
        1 => pub federation: FederationId,
        /// The entry it proposes, with its public keys.
        3 => pub member: Member,
        /// When it was made.
        5 => pub issued: Timestamp,
    }
}

impl Signable for MemberRequest {
    const LABEL: &'static str = "hibiki/1/member-request";
}

impl MemberRequest {
    /// The request, if it is signed by the very signing key it names: proof of possession.
    ///
    /// # Errors
    /// The signature is not that key's, or the bytes are not a request.
    pub fn verify(signed: &Signed<Self>) -> Result<Self, SignedError> {
        let claimed = signed.claimed()?;
        signed.verify(&claimed.member.signing_key)
    }
}
