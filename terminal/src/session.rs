//! One touch, one PIN: fresh keys for every institution, the card's signature over them, and the
//! registry's word on whom the card may act for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hibiki_protocol::cbor;
use hibiki_protocol::frames::{CloseSession, FetchChallenge, LeaveSessionEnds, Reply, Request};
use hibiki_protocol::grant::VerifiedGrant;
use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::query::Refusal;
use hibiki_protocol::sealing::SealingSecret;
use hibiki_protocol::session::{
    self, Attestation, AttestedSubject, AudienceSessionKey, EXPORTER_LABEL, OpenSession, Purpose,
    SealedAttestation, SessionRefusal, SessionStatement,
};
use hibiki_protocol::session_end::SealedSessionEnd;
use hibiki_protocol::signing::SigningKey;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::Role;
use tokio::time::Instant;

use crate::card::{Card, Pin, Proof};
use crate::connection::Connection;
use crate::federation::Federation;
use crate::receipts::kept::KeptReceipt;
use crate::trouble::Trouble;

/// An open session. It ends with the connection, with [`Session::close`], or at its time; in the first two
/// cases its gateway tells every institution, with the ends that were left there.
pub struct Session {
    connection: Connection,
    keys: BTreeMap<MemberId, SigningKey>,
    attestation: Attestation,
    tries_left: u8,
    proving: Duration,
    /// Receipts of the answers that came, where they are to be kept.
    receipts: Mutex<Option<Vec<KeptReceipt>>>,
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
    /// Nobody has stirred for a while.
    Idle,
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
            Self::Idle => "idle",
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
        let touched = Instant::now();
        let Proof { certificate, signature: card_signature, tries_left } =
            card.prove(pin, &session::card_message(&statement)).await?;
        let proving = touched.elapsed();
        let digest = Digest::of(&[&statement]);
        let open = OpenSession { statement, card_signature, certificate, keys: public };
        let opened = match connection.call(Request::OpenSession(open)).await? {
            Reply::SessionOpened(opened) => opened,
            Reply::SessionRefused(refused) => return Err(Trouble::Session(refused.refusal)),
            _ => return Err(Trouble::Protocol("a session request was answered by something else")),
        };
        let attestation = verified(&opened.attestation, &digest, &reply, federation, now)?;
        leave_ends(&connection, &keys, federation, attestation.expires, now).await?;
        Ok(Self { connection, keys, attestation, tries_left, proving, receipts: Mutex::new(None) })
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

    /// How long the card took to check the PIN and to sign.
    pub fn proving(&self) -> Duration {
        self.proving
    }

    /// When the session ends.
    pub fn not_after(&self) -> Timestamp {
        self.attestation.expires
    }

    /// The connection it lives on.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// From now on keeps the receipt of every answer, for [`Session::take_receipts`].
    pub fn keep_receipts(&self) {
        self.kept().get_or_insert_default();
    }

    /// The receipts since the last time; none if they are not kept.
    pub fn take_receipts(&self) -> Vec<KeptReceipt> {
        self.kept().as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn keep_receipt(&self, receipt: impl FnOnce() -> Option<KeptReceipt>) {
        if let Some(kept) = self.kept().as_mut() {
            kept.extend(receipt());
        }
    }

    fn kept(&self) -> MutexGuard<'_, Option<Vec<KeptReceipt>>> {
        // A panic while the lock was held leaves a whole list behind.
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn key(&self, audience: &MemberId) -> Option<&SigningKey> {
        self.keys.get(audience)
    }

    /// Ends the session at the gateway and, through it, at every institution. Answered within half a second:
    /// the gateway goes on telling those that have not confirmed by then.
    ///
    /// # Errors
    /// The gateway could not be told; the session then ends with the connection.
    pub async fn close(self) -> Result<Closed, Trouble> {
        match self.connection.call(CloseSession { version: limits::VERSION_MAX }.into()).await? {
            Reply::SessionClosed(closed) => Ok(Closed {
                confirmed: closed.confirmed.unwrap_or(0),
                outstanding: closed.outstanding.unwrap_or(0),
            }),
            _ => Err(Trouble::Protocol("the end of a session was answered by something else")),
        }
    }
}

/// How far the end of a session got before it was reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    /// Institutions that have confirmed, durably, that they answer nothing more under this session.
    pub confirmed: u64,
    /// Institutions that have not yet; the gateway goes on telling them until the session's own time is over.
    pub outstanding: u64,
}

/// Leaves the sealed ends of the session with the gateway, which delivers them when the session ends, also
/// when this terminal can say nothing any more. Without them a session could not be ended everywhere, so
/// there is none.
async fn leave_ends(
    connection: &Connection,
    keys: &BTreeMap<MemberId, SigningKey>,
    federation: &Federation,
    not_after: Timestamp,
    now: Timestamp,
) -> Result<(), Trouble> {
    let list = federation.accepted().list();
    let to = |audience: &MemberId| list.member(audience)?.sealing_key_at(now);
    let sealed = keys.iter().filter_map(|(audience, key)| {
        let sealed = SealedSessionEnd::seal(key, not_after, audience, to(audience)?);
        Some(sealed.map_err(|error| Trouble::Machine(error.to_string())))
    });
    let ends = sealed.collect::<Result<Vec<_>, _>>()?;
    match connection.call(LeaveSessionEnds { ends }.into()).await? {
        Reply::SessionEndsKept(_) => Ok(()),
        Reply::Declined(declined) if declined.refusal == Refusal::Busy => {
            Err(Trouble::Session(SessionRefusal::Busy))
        }
        _ => Err(Trouble::Protocol("the gateway does not keep the ends of the session")),
    }
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
