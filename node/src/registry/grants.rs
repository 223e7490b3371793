//! Makes grants: per subject and institution one short-lived, signed permission.

use hibiki_protocol::grant::{Basis, Grant};
use hibiki_protocol::ids::{Digest, GrantId, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::sealing::SealError;
use hibiki_protocol::session::{AudienceSessionKey, OpenSession};
use hibiki_protocol::signing::{Signed, SigningKey};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::token::AudienceKey;
use hibiki_protocol::trust::{Role, SealingKey, TrustList};

use super::resident::{Resident, ResidentNumber};
use crate::env::Env;
use crate::ledger::details;

/// Everything that is the same for all grants of one session.
pub(super) struct Granting<'a> {
    pub(super) registry: &'a MemberId,
    pub(super) signing: &'a SigningKey,
    pub(super) list: &'a TrustList,
    pub(super) master: &'a [u8; 32],
    pub(super) open: &'a OpenSession,
    /// The card holder.
    pub(super) holder: &'a ResidentNumber,
    /// The same by this registry's own keyed digest, for its ledger.
    pub(super) holder_index: &'a [u8],
    pub(super) issued: Timestamp,
    pub(super) expires: Timestamp,
    pub(super) simulated: bool,
}

/// One institution that is granted for: it answers queries and the terminal has a key for it.
pub(super) struct Audience<'a> {
    session: &'a AudienceSessionKey,
    key: AudienceKey,
    sealing: &'a SealingKey,
}

/// A grant and what the ledger says of it.
pub(super) struct Granted {
    pub(super) grant: Signed<Grant>,
    pub(super) details: details::Grant,
}

impl<'a> Granting<'a> {
    /// The institutions among the session keys. Unknown ones, and members that answer no queries, are passed
    /// over: nobody learns anything from a grant they cannot use.
    pub(super) fn audiences(&self) -> Vec<Audience<'a>> {
        let audience = |session: &'a AudienceSessionKey| {
            let member = self.list.member(&session.audience)?;
            let sealing = member.sealing_key_at(self.issued).filter(|_| member.has_role(Role::Responder))?;
            Some(Audience { session, key: AudienceKey::derive(self.master, &member.id), sealing })
        };
        self.open.keys.iter().filter_map(audience).collect()
    }

    /// The grant for one subject at one institution.
    ///
    /// # Errors
    /// The institution's sealing key is not valid.
    pub(super) fn grant(
        &self,
        audience: &Audience<'_>,
        subject: &Resident,
        basis: Basis,
        env: &Env,
    ) -> Result<Granted, SealError> {
        let id = &audience.session.audience;
        let salt = env.random::<32>();
        let number = subject.number.as_str();
        let token =
            audience.key.token(self.registry, id, &audience.sealing.public, number, &subject.facts())?;
        let grant = Grant {
            version: limits::VERSION_MAX,
            id: GrantId(env.random()),
            registry: self.registry.clone(),
            audience: id.clone(),
            session_key: audience.session.key,
            guardian: audience.key.alias(self.holder.as_str()),
            token_key: audience.sealing.public.id(),
            token,
            basis,
            categories: Vec::new(),
            issued: self.issued,
            expires: self.expires,
            evidence: evidence(&salt, self.open),
            epoch: self.list.epoch,
            simulated: self.simulated,
        };
        let details = details::Grant {
            audience: id.as_str().to_owned(),
            holder: hex::encode(self.holder_index),
            outcome: "granted".to_owned(),
            basis: basis.as_str().to_owned(),
            categories: Vec::new(),
            expires: self.expires.0,
            simulated_card: self.simulated,
            evidence_salt: hex::encode(salt),
        };
        Ok(Granted { grant: Signed::sign(&grant, self.signing), details })
    }
}

/// The salted digest of everything the card said. Whoever is shown a grant can demand salt, certificate,
/// statement and signature from the registry, and see that a card was there; each part stands with its length.
pub(super) fn evidence(salt: &[u8; 32], open: &OpenSession) -> Digest {
    let mut bytes = b"hibiki/1/card-evidence\0".to_vec();
    for part in [salt.as_slice(), &open.certificate, &open.statement, &open.card_signature] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    Digest::of(&[&bytes])
}
