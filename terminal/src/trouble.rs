//! What can go wrong before a view begins. Each has words for the person: [`crate::words`].

use std::path::PathBuf;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::query::Refusal;
use hibiki_protocol::session::SessionRefusal;
use hibiki_protocol::trust::Refused;

use crate::card::CardFault;

/// Why there is no session or no view. Never carries personal data.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A file of this terminal is missing or unreadable.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The trust list is not acceptable.
    #[error("the trust list is not acceptable: {0}")]
    TrustList(#[from] Refused),
    /// The gateway named is not a gateway of the federation.
    #[error("{0} is not a gateway of this federation")]
    NotAGateway(MemberId),
    /// The gateway cannot be reached.
    #[error("the gateway {gateway} cannot be reached: {reason}")]
    GatewayUnreachable {
        /// The gateway.
        gateway: MemberId,
        /// What the network said.
        reason: String,
    },
    /// The gateway's answer is not what the protocol allows.
    #[error("the gateway answered outside the protocol: {0}")]
    Protocol(&'static str),
    /// The clocks differ too much.
    #[error("this terminal's clock and the gateway's differ by {seconds} s")]
    Clock {
        /// The difference in seconds.
        seconds: u64,
    },
    /// The card.
    #[error(transparent)]
    Card(#[from] CardFault),
    /// The session was refused.
    #[error("the session was refused: {0}")]
    Session(SessionRefusal),
    /// The view was refused as a whole.
    #[error("the view was refused: {0}")]
    View(Refusal),
    /// The registry's attestation does not verify.
    #[error("the registry's attestation does not verify")]
    Attestation,
    /// The card acts for nobody.
    #[error("the registry knows nobody this card may act for")]
    Nobody,
    /// The person asked for is not among those the card may act for.
    #[error("the card may act for {known} persons; choose one with --subject 1 to {known}")]
    UnknownSubject {
        /// How many there are.
        known: usize,
    },
    /// A choice was not confirmed; why was said before.
    #[error("the choice was not confirmed")]
    NotChosen,
    /// No institution of this name is asked.
    #[error("{0} is no institution of this federation that answers")]
    NoSuchInstitution(MemberId),
    /// A folder without receipts.
    #[error("{0} holds no receipts")]
    NoReceipts(PathBuf),
    /// Randomness, sealing: the machine itself.
    #[error("this machine cannot do it: {0}")]
    Machine(String),
}
