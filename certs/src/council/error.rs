//! Why the council's tool refuses, and what to do next.

use hibiki_protocol::cbor::DecodeError;
use hibiki_protocol::ids::{FederationId, MemberId};
use hibiki_protocol::signing::SignedError;
use hibiki_protocol::trust::{Refused, Role};

use crate::files::FileError;

/// Why a step of the council was refused.
#[derive(Debug, thiserror::Error)]
pub enum CouncilError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The folder is not a council's.
    #[error(
        "{folder} is not a council's folder ({what}): make one with `hibiki-certs root init`, or restore it from a copy"
    )]
    NotACouncil {
        /// The folder.
        folder: String,
        /// What is wrong.
        what: String,
    },
    /// Keys and thresholds that make no root.
    #[error("this root makes no sense: {0}")]
    Root(&'static str),
    /// A member's request that is not enrolled.
    #[error("the request was not enrolled: {0}")]
    Request(#[from] RequestFault),
    /// No such member in the draft.
    #[error("the draft has no member {0}: see `hibiki-certs draft show`")]
    NoMember(MemberId),
    /// No such card authority in the draft.
    #[error("the draft has no card authority {0:?}: see `hibiki-certs draft show`")]
    NoCardAuthority(String),
    /// A card authority that cannot be accepted.
    #[error("the card authority was not accepted: {0}")]
    CardAuthority(&'static str),
    /// An address that is not one.
    #[error("{0:?} is not an address: write host:port, such as node.example.jp:4433 or [2001:db8::1]:4433")]
    Address(String),
    /// A display name that does not fit.
    #[error("a display name has 1 to 256 bytes and no control characters")]
    Name,
    /// The draft contradicts itself.
    #[error("the draft cannot become a list: {0}")]
    Fault(&'static str),
    /// A lifetime out of bounds.
    #[error("a list is valid for 1 to 31 days (give --valid-days)")]
    Lifetime,
    /// The machine's clock is behind the list in force.
    #[error(
        "the list in force was issued later than this machine's clock says: set the clock, then try again"
    )]
    Clock,
    /// A key that may not sign.
    #[error(
        "this key is not one of the root keys that sign this list: use one of the keys `hibiki-certs root init` made"
    )]
    NotARootKey,
    /// Nothing was signed yet.
    #[error(
        "there is nothing to publish: sign the draft first (`hibiki-certs sign DIR --key root-1.key`); the list in force, if there is one, is the last in DIR/lists"
    )]
    NothingSigned,
    /// Too few signatures.
    #[error(
        "{valid} of {needed} signatures: {} more must be gathered (`hibiki-certs sign` with another root key, or `publish --signed FILE` with a copy signed elsewhere)",
        needed.saturating_sub(*valid)
    )]
    Missing {
        /// Valid signatures so far.
        valid: u64,
        /// Signatures needed.
        needed: u64,
    },
    /// A copy of another draft.
    #[error("the copy is of another draft than the one here: copy {file} anew and sign that")]
    OtherDraft {
        /// The file that is to be copied and signed.
        file: &'static str,
    },
    /// The signed draft has expired in the drawer.
    #[error("the signed draft has expired: run `hibiki-certs draft reopen`, then sign again")]
    Stale,
    /// The protocol's rules refuse the list.
    #[error("the list does not follow the one in force: {0}")]
    Refused(Refused),
    /// Bytes that are not what the file should hold.
    #[error("{what} cannot be read: {source}")]
    Decode {
        /// What they should be.
        what: &'static str,
        /// Why they are not.
        source: DecodeError,
    },
    /// Not a root key file.
    #[error("{0} is not a root key (Ed25519 private key, PKCS#8 PEM)")]
    NotAKey(String),
    /// No randomness.
    #[error("the operating system gave no random bytes")]
    Random,
}

impl From<Refused> for CouncilError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Threshold { valid, needed } => Self::Missing { valid, needed },
            Refused::Fault(fault) => Self::Fault(fault),
            other => Self::Refused(other),
        }
    }
}

/// Why a member's request is not enrolled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// The bytes are not a request.
    #[error("the file is not a member's request ({0}): the node makes one with `hibiki-node request`")]
    Unreadable(DecodeError),
    /// It is not signed by the key it names.
    #[error(
        "it is not signed by the signing key it names ({0}): the node must make it itself, with its own keys"
    )]
    Possession(SignedError),
    /// It is for another federation.
    #[error("it asks to join {asked}, this council is {here}'s")]
    OtherFederation {
        /// The federation it names.
        asked: FederationId,
        /// This council's.
        here: FederationId,
    },
    /// The member's name is not under the federation's.
    #[error("the name {0} does not begin with the federation's name")]
    ForeignName(MemberId),
    /// Too old, or from the future.
    #[error(
        "it was made more than 30 days ago, or in the future: let the node make a new one, and check both clocks"
    )]
    Date,
    /// A display name does not fit.
    #[error("a display name is empty, longer than 256 bytes, or has control characters")]
    Name,
    /// An address is not one.
    #[error("{0:?} is not an address of the form host:port")]
    Address(String),
    /// A gateway nobody can reach.
    #[error("a gateway needs an address")]
    Unreachable,
    /// No roles, or one twice.
    #[error("it asks for no role, or for one twice")]
    Roles,
    /// A registry without an area.
    #[error("a registry must name the area whose residents it attests")]
    NoArea,
    /// A role that the council did not allow.
    #[error(
        "it asks for the role {0}, which must be allowed explicitly: add --allow {0} if the council decided so"
    )]
    RoleNotAllowed(Role),
    /// No key to seal to.
    #[error("it has no sealing key that is valid for another day")]
    NoSealingKey,
    /// A key of somebody else.
    #[error("its {kind} key is already {owner}'s: every node makes its own keys")]
    SharedKey {
        /// Which key.
        kind: &'static str,
        /// Whose it is.
        owner: String,
    },
    /// The member is enrolled already.
    #[error("{0} is a member already: add --replace to replace its entry (changed keys, addresses, names)")]
    Member(MemberId),
    /// The digest that was compared out of band is another.
    #[error(
        "its digest is {found}, not the one expected: do not enrol it before you have spoken to the institution"
    )]
    Digest {
        /// The digest of this request.
        found: String,
    },
}
