//! A session: one touch, one PIN, one card signature over fresh keys.
//!
//! The terminal makes a key for every institution (a common one would be a common identifier), and
//! the card signs a statement that binds them to the gateway, to this very TLS connection and to
//! the trust list in force. The registry verifies the card; institutions see only their own key,
//! inside their own grant.

use crate::cbor::{self, wire_code, wire_struct};
use crate::grant::Grant;
use crate::ids::{Digest, FederationId, MemberId};
use crate::limits;
use crate::sealing::{self, SealError, Sealed, SealingPublic, SealingSecret};
use crate::signing::{self, Signable, Signed, VerifyingKey};
use crate::time::{Day, Timestamp};
use crate::tlog::Frontier;

/// Label of the TLS exporter (RFC 8446 section 7.5, RFC 9266) a session is bound to.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-hibiki-1-session";
/// Label of the card's signature.
pub const STATEMENT_LABEL: &str = "hibiki/1/session-statement";

wire_code! {
    /// Why a guardian asks (HL7 v3 PurposeOfUse, narrowed).
    pub enum Purpose {
        /// A guardian looks at a child's records (FAMRQT).
        1 => FamilyRequest = "family_request",
        /// A person looks at her own records (PATRQT).
        2 => OwnRequest = "own_request",
        /// Who looked, when and why.
        3 => AccessHistory = "access_history",
    }
}

wire_struct! {
    /// The session key made for one institution.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct AudienceSessionKey {
        /// The institution.
        1 => pub audience: MemberId,
        /// The key that will sign queries to it.
        3 => pub key: VerifyingKey,
    }
}

wire_struct! {
    /// What the card signs.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SessionStatement {
        /// Protocol version.
        1 => pub version: u64,
        /// The federation.
        3 => pub federation: FederationId,
        /// The gateway the session is opened at.
        5 => pub gateway: MemberId,
        /// Epoch of the trust list the terminal uses.
        7 => pub epoch: u64,
        /// Digest of that list.
        9 => pub list_digest: Digest,
        /// The gateway's one-use challenge.
        11 => pub challenge: [u8; 32],
        /// TLS exporter of the connection, with the challenge as context.
        13 => pub exporter: [u8; 32],
        /// Root over the session keys, see [`session_keys_root`].
        15 => pub session_keys_root: Digest,
        /// Why the session is opened.
        17 => pub purpose: Purpose,
        /// Where the registry's answer is sealed to.
        19 => pub reply_key: SealingPublic,
        /// When the statement was made.
        21 => pub issued: Timestamp,
        /// When the session ends, at most [`limits::SESSION_MILLIS_MAX`] later.
        23 => pub not_after: Timestamp,
    }
}

/// The message the card signs (RSASSA-PKCS1-v1_5 or ECDSA, as its certificate says).
pub fn card_message(statement: &[u8]) -> Vec<u8> {
    signing::labelled(STATEMENT_LABEL, statement)
}

/// RFC 6962 Merkle tree root over the encoded session keys, sorted by institution: one institution's
/// key can later be proved to belong to a session without naming the others.
pub fn session_keys_root(keys: &[AudienceSessionKey]) -> Digest {
    let mut sorted: Vec<_> = keys.iter().collect();
    sorted.sort_by(|a, b| a.audience.cmp(&b.audience));
    let mut tree = Frontier::new();
    for key in sorted {
        tree.append(&cbor::encode(key));
    }
    Digest(tree.root().0)
}

wire_struct! {
    /// The terminal's request to open a session.
    #[derive(Clone, PartialEq, Eq)]
    pub struct OpenSession {
        /// The encoded [`SessionStatement`].
        1 => pub statement: Vec<u8>,
        /// The card's signature over [`card_message`].
        3 => pub card_signature: Vec<u8>,
        /// The card's user-authentication certificate, DER.
        5 => pub certificate: Vec<u8>,
        /// The session keys the statement commits to.
        7 => pub keys: Vec<AudienceSessionKey>,
    }
}

impl std::fmt::Debug for OpenSession {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("OpenSession(***)")
    }
}

wire_code! {
    /// Why a session is refused. Said to the person at the terminal in words.
    pub enum SessionRefusal {
        /// Not a well-formed request.
        1 => Malformed = "malformed",
        /// The statement is not for this gateway, federation or connection.
        2 => WrongBinding = "wrong_binding",
        /// The challenge is unknown, used or too old.
        3 => Challenge = "challenge",
        /// The terminal uses another trust list.
        4 => TrustList = "trust_list",
        /// The statement's times are not acceptable; a clock may be wrong.
        5 => Time = "time",
        /// The card's certificate is not from an accepted authority.
        6 => ForeignCard = "foreign_card",
        /// The card's certificate has expired or is not yet valid.
        7 => CardExpired = "card_expired",
        /// The card has been revoked or suspended.
        8 => CardRevoked = "card_revoked",
        /// The revocation list is missing or too old: doubt is refused.
        9 => RevocationUnknown = "revocation_unknown",
        /// The card's signature does not verify: no PIN was entered, or another key signed.
        10 => CardSignature = "card_signature",
        /// The card is not enrolled at this registry.
        11 => NotEnrolled = "not_enrolled",
        /// The registry cannot log: nothing is granted.
        12 => NotLogged = "not_logged",
        /// Too many sessions; try again.
        13 => Busy = "busy",
        /// The registry could not be reached.
        14 => RegistryUnreachable = "registry_unreachable",
        /// The trust list has expired beyond its grace: no new sessions.
        15 => MembershipExpired = "membership_expired",
        /// This member admits no terminals.
        16 => NotAGateway = "not_a_gateway",
    }
}

/// A statement with everything checked that does not need the card's certificate.
#[derive(Clone, Debug)]
pub struct BoundStatement {
    statement: SessionStatement,
    ends: Timestamp,
}

/// What a gateway knows about the connection a session is opened on.
#[derive(Clone, Debug)]
pub struct Binding<'a> {
    /// The federation.
    pub federation: &'a FederationId,
    /// The gateway itself.
    pub gateway: &'a MemberId,
    /// Epoch in force.
    pub epoch: u64,
    /// Digest of the list in force.
    pub list_digest: Digest,
    /// The challenge it gave, taken out of its table: used once.
    pub challenge: [u8; 32],
    /// TLS exporter of the connection with that challenge.
    pub exporter: [u8; 32],
}

impl OpenSession {
    /// Checks the statement against the connection it came on.
    ///
    /// # Errors
    /// The reason, for the person at the terminal.
    pub fn bind(&self, binding: &Binding<'_>, now: Timestamp) -> Result<BoundStatement, SessionRefusal> {
        let statement: SessionStatement =
            cbor::decode(&self.statement).map_err(|_| SessionRefusal::Malformed)?;
        let mut audiences: Vec<_> = self.keys.iter().map(|key| &key.audience).collect();
        audiences.sort_unstable();
        audiences.dedup();
        // One key for two institutions would be a common identifier.
        let mut keys: Vec<_> = self.keys.iter().map(|key| key.key).collect();
        keys.sort_unstable();
        keys.dedup();
        if statement.version != limits::VERSION_MAX
            || self.keys.len() > limits::VIEW_PARTS_MAX
            || audiences.len() != self.keys.len()
            || keys.len() != self.keys.len()
            || session_keys_root(&self.keys) != statement.session_keys_root
        {
            return Err(SessionRefusal::Malformed);
        }
        if &statement.federation != binding.federation
            || &statement.gateway != binding.gateway
            || statement.exporter != binding.exporter
        {
            return Err(SessionRefusal::WrongBinding);
        }
        if statement.challenge != binding.challenge {
            return Err(SessionRefusal::Challenge);
        }
        if statement.epoch != binding.epoch || statement.list_digest != binding.list_digest {
            return Err(SessionRefusal::TrustList);
        }
        let lifetime = statement.not_after.since(statement.issued);
        if lifetime == 0
            || lifetime > limits::SESSION_MILLIS_MAX
            || statement.issued > now.plus(limits::CLOCK_SKEW_MILLIS)
            || statement.not_after <= now
        {
            return Err(SessionRefusal::Time);
        }
        let ends = statement.not_after.min(now.plus(limits::SESSION_MILLIS_MAX));
        Ok(BoundStatement { statement, ends })
    }
}

impl BoundStatement {
    /// The statement.
    pub fn statement(&self) -> &SessionStatement {
        &self.statement
    }

    /// When the session ends by the clock of the party that bound it: as stated, but never more than
    /// [`limits::SESSION_MILLIS_MAX`] from now, however far ahead the terminal's clock is.
    pub fn ends(&self) -> Timestamp {
        self.ends
    }
}

wire_code! {
    /// What the subject is to the card holder.
    pub enum Relation {
        /// The card holder herself.
        1 => Oneself = "self",
        /// A child in the holder's care.
        2 => Child = "child",
    }
}

wire_struct! {
    /// One person the card may act for, as the registry shows her to the guardian.
    #[derive(Clone, PartialEq, Eq)]
    pub struct AttestedSubject {
        /// What she is to the holder.
        1 => pub relation: Relation,
        /// Name as registered.
        3 => pub name: String,
        /// Name in kana.
        5 => pub kana: String,
        /// Birth date.
        7 => pub birth_date: Day,
        /// Administrative gender code.
        9 => pub sex: String,
        /// One grant for every institution that has a session key.
        11 => pub grants: Vec<Signed<Grant>>,
    }
}

impl std::fmt::Debug for AttestedSubject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AttestedSubject(***)")
    }
}

wire_struct! {
    /// The registry's answer to "for whom may this card act?".
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Attestation {
        /// The registry.
        1 => pub registry: MemberId,
        /// Digest of the statement it answers.
        3 => pub statement: Digest,
        /// The persons.
        5 => pub subjects: Vec<AttestedSubject>,
        /// When it was made.
        7 => pub issued: Timestamp,
        /// When its grants end.
        9 => pub expires: Timestamp,
        /// Whether the card is a simulated one.
        11 => pub simulated: bool,
    }
}

impl Signable for Attestation {
    const LABEL: &'static str = "hibiki/1/attestation";
}

fn attestation_info(statement: &Digest) -> Vec<u8> {
    sealing::info("hibiki/1/attestation", &[&statement.0])
}

/// An attestation, signed by the registry and sealed to the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedAttestation(pub Sealed);
cbor::wire_newtype!(SealedAttestation);

impl SealedAttestation {
    /// Pads a signed attestation, so that its length counts nobody, and seals it to the statement's
    /// reply key.
    ///
    /// # Errors
    /// The reply key is not valid.
    pub fn seal(
        attestation: &Signed<Attestation>,
        statement: &Digest,
        to: &SealingPublic,
    ) -> Result<Self, SealError> {
        let bytes = cbor::encode(attestation);
        let around = limits::ATTESTATION_ENVELOPE_BYTES;
        let frame = (bytes.len() + 4 + around).max(limits::ATTESTATION_FRAME_BYTES_MIN).next_power_of_two();
        to.seal(&attestation_info(statement), &[], &sealing::pad(&bytes, frame - around)?).map(Self)
    }

    /// Opens it at the terminal; the signature is still to be verified.
    ///
    /// # Errors
    /// It was sealed to another key or for another statement.
    pub fn open(&self, statement: &Digest, secret: &SealingSecret) -> Result<Signed<Attestation>, SealError> {
        let bytes = secret.open(&attestation_info(statement), &[], &self.0)?;
        cbor::decode(sealing::unpad(&bytes)?).map_err(|_| SealError::DoesNotOpen)
    }
}
