//! One touch, one PIN: fresh keys for every institution, the card's signature over them, and the
//! registry's word on whom the card may act for.

use std::collections::BTreeMap;

use hibiki_protocol::cbor;
use hibiki_protocol::frames::{CloseSession, FetchChallenge, Reply, Request};
use hibiki_protocol::grant::VerifiedGrant;
use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::sealing::SealingSecret;
use hibiki_protocol::session::{
    self, Attestation, AttestedSubject, AudienceSessionKey, EXPORTER_LABEL, OpenSession, Purpose,
    SealedAttestation, SessionStatement,
};
use hibiki_protocol::signing::SigningKey;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::Role;

use crate::card::{Card, Pin, Proof};
use crate::connection::Connection;
use crate::federation::Federation;
use crate::trouble::Trouble;

/// An open session. It ends with the connection, with [`Session::close`], or at its time.
pub struct Session {
    connection: Connection,
    keys: BTreeMap<MemberId, SigningKey>,
    attestation: Attestation,
    tries_left: u8,
}

/// Why a session that stayed open ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The card was taken away.
    CardRemoved,
    /// Its time is over.
    Expired,
    /// The person ended it.
    Asked,
    /// The gateway is gone.
    GatewayLost,
}

impl Ended {
    /// Stable name for JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CardRemoved => "card_removed",
            Self::Expired => "expired",
            Self::Asked => "asked",
            Self::GatewayLost => "gateway_lost",
        }
    }
}

impl Session {
    /// Opens a session with the card in hand.
    ///
    /// # Errors
    /// Card, PIN, gateway or registry refuse; the reason is for the person.
    pub async fn open(
        connection: Connection,
        federation: &Federation,
        card: &mut dyn Card,
        pin: &Pin,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        let epoch = federation.accepted().list().epoch;
        let Reply::Challenge(challenge) = connection.call(FetchChallenge { epoch }.into()).await? else {
            return Err(Trouble::Protocol("a fetch of a challenge was not answered by a challenge"));
        };
        let exporter = connection.link().export_key(EXPORTER_LABEL, &challenge.challenge);
        let exporter = exporter.map_err(|error| Trouble::Machine(error.to_string()))?;
        let keys = session_keys(federation)?;
        let public = public_keys(&keys);
        let reply = SealingSecret::generate();
        let statement = cbor::encode(&SessionStatement {
            version: limits::VERSION_MAX,
            federation: federation.accepted().list().federation.clone(),
            gateway: connection.gateway().clone(),
            epoch,
            list_digest: federation.accepted().digest(),
            challenge: challenge.challenge,
            exporter,
            session_keys_root: session::session_keys_root(&public),
            purpose: Purpose::FamilyRequest,
            reply_key: reply.public(),
            issued: now,
            not_after: now.plus(limits::SESSION_MILLIS_MAX),
        });
        let Proof { certificate, signature: card_signature, tries_left } =
            card.prove(pin, &session::card_message(&statement)).await?;
        let digest = Digest::of(&[&statement]);
        let open = OpenSession { statement, card_signature, certificate, keys: public };
        let opened = match connection.call(Request::OpenSession(open)).await? {
            Reply::SessionOpened(opened) => opened,
            Reply::SessionRefused(refused) => return Err(Trouble::Session(refused.refusal)),
            _ => return Err(Trouble::Protocol("a session request was answered by something else")),
        };
        let attestation = verified(&opened.attestation, &digest, &reply, federation, now)?;
        Ok(Self { connection, keys, attestation, tries_left })
    }

    /// Whom the card may act for.
    pub fn subjects(&self) -> &[AttestedSubject] {
        &self.attestation.subjects
    }

    /// Whether the card is a simulated one.
    pub fn simulated(&self) -> bool {
        self.attestation.simulated
    }

    /// Wrong PINs the card forgave after this one.
    pub fn tries_left(&self) -> u8 {
        self.tries_left
    }

    /// When the session ends.
    pub fn not_after(&self) -> Timestamp {
        self.attestation.expires
    }

    /// The connection it lives on.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn key(&self, audience: &MemberId) -> Option<&SigningKey> {
        self.keys.get(audience)
    }

    /// Ends the session at the gateway.
    ///
    /// # Errors
    /// The gateway could not be told; the session then ends with the connection.
    pub async fn close(self) -> Result<Closed, Trouble> {
        self.connection.call(CloseSession { version: 1 }.into()).await?;
        Ok(Closed { confirmed: 0, outstanding: 0 })
    }
}

/// Who knows that a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Institutions that have confirmed it.
    pub confirmed: u64,
    /// Institutions the gateway goes on telling.
    pub outstanding: u64,
}

/// A fresh key for every institution that can be asked.
fn session_keys(federation: &Federation) -> Result<BTreeMap<MemberId, SigningKey>, Trouble> {
    federation
        .responders()
        .take(limits::VIEW_PARTS_MAX)
        .map(|member| {
            let mut seed = zeroize::Zeroizing::new([0; 32]);
            getrandom::fill(seed.as_mut()).map_err(|error| Trouble::Machine(error.to_string()))?;
            Ok((member.id.clone(), SigningKey::from_seed(&seed)))
        })
        .collect()
}

fn public_keys(keys: &BTreeMap<MemberId, SigningKey>) -> Vec<AudienceSessionKey> {
    keys.iter()
        .map(|(audience, key)| AudienceSessionKey { audience: audience.clone(), key: key.verifying_key() })
        .collect()
}

/// Opens the attestation and believes it only if a registry of the federation signed it for this
/// very statement; grants that do not verify are dropped.
fn verified(
    sealed: &SealedAttestation,
    statement: &Digest,
    reply: &SealingSecret,
    federation: &Federation,
    now: Timestamp,
) -> Result<Attestation, Trouble> {
    let list = federation.accepted().list();
    let signed = sealed.open(statement, reply).map_err(|_| Trouble::Attestation)?;
    let claimed = signed.claimed().map_err(|_| Trouble::Attestation)?;
    let registry = list.member(&claimed.registry).filter(|member| member.has_role(Role::Registry));
    let key = registry.ok_or(Trouble::Attestation)?.signing_key;
    let mut attestation = signed.verify(&key).map_err(|_| Trouble::Attestation)?;
    if &attestation.statement != statement || attestation.subjects.len() > limits::SUBJECTS_PER_CARD_MAX {
        return Err(Trouble::Attestation);
    }
    for subject in &mut attestation.subjects {
        subject.grants.retain(|grant| {
            grant
                .claimed()
                .is_ok_and(|claimed| VerifiedGrant::verify(grant, &claimed.audience, list, now).is_ok())
        });
    }
    Ok(attestation)
}
