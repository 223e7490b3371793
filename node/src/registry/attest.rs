//! "For whom may this card act?" — asked by a gateway, answered to the terminal alone.
//!
//! The order is that of cost: who asks, which list, which times, the card, whose card it is, and only then
//! tables and signatures. Everything granted is in the ledger before the sealed answer leaves; a refusal, too,
//! once there was a card. A held child is absent, exactly as if there were no such child.

use hibiki_protocol::cbor;
use hibiki_protocol::frames::SessionOpened;
use hibiki_protocol::grant::Basis;
use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::session::{
    Attestation, AttestedSubject, BoundStatement, OpenSession, Relation, SealedAttestation, SessionRefusal,
    SessionStatement, card_message,
};
use hibiki_protocol::signing::Signed;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{Accepted, Role, Standing};

use super::Registry;
use super::card::{self, VerifiedCard};
use super::error::RegistryError;
use super::grants::{Audience, Granting};
use super::resident::Resident;
use super::residents::Stored;
use crate::institution::Means;
use crate::ledger::{DigestKind, Entry, details};
use crate::services::{self, Pending};

/// Bytes kept free in the frame around an attestation.
const FRAME_MARGIN: usize = 1024;

/// A subject to grant for.
struct Subject {
    stored: Stored,
    relation: Relation,
    basis: Basis,
}

impl services::Registry for Registry {
    fn attest<'a>(
        &'a self,
        gateway: &'a MemberId,
        open: &'a OpenSession,
        bound: &'a BoundStatement,
    ) -> Pending<'a, Result<SessionOpened, SessionRefusal>> {
        Box::pin(self.answer(gateway, open, bound.statement()))
    }
}

impl Registry {
    async fn answer(
        &self,
        gateway: &MemberId,
        open: &OpenSession,
        statement: &SessionStatement,
    ) -> Result<SessionOpened, SessionRefusal> {
        let (now, trust) = (self.means.now(), (self.means.trust)());
        check_request(gateway, open, statement, &trust)?;
        check_times(statement, &trust, self.setup.grace_millis, now)?;
        match self.judge(open, &trust, now) {
            Ok((card, holder)) => self.grant(open, statement, &trust, card, &holder, now).await,
            Err(refusal) => Err(self.log_refusal(refusal).await),
        }
    }

    /// The card, and whose it is.
    fn judge(
        &self,
        open: &OpenSession,
        trust: &Accepted,
        now: Timestamp,
    ) -> Result<(VerifiedCard, Stored), SessionRefusal> {
        let card = card::verify(
            &open.certificate,
            &card_message(&open.statement),
            &open.card_signature,
            &trust.list().card_authorities,
            self.setup.revocations.as_ref(),
            now,
        )?;
        let holder = self.card_holder(&card.key).map_err(|error| unreadable(&error))?;
        holder.map(|holder| (card, holder)).ok_or(SessionRefusal::NotEnrolled)
    }

    async fn grant(
        &self,
        open: &OpenSession,
        statement: &SessionStatement,
        trust: &Accepted,
        card: VerifiedCard,
        holder: &Stored,
        now: Timestamp,
    ) -> Result<SessionOpened, SessionRefusal> {
        let expires = statement.not_after.min(now.plus(limits::SESSION_MILLIS_MAX));
        let Means { own, keys, .. } = &self.means;
        let granting = Granting {
            registry: own,
            signing: keys.signing(),
            list: trust.list(),
            master: &self.setup.master,
            open,
            holder: &holder.value.number,
            holder_index: holder.key(),
            issued: now,
            expires,
            simulated: card.simulated,
        };
        let audiences = granting.audiences();
        let subjects = self.subjects(holder).map_err(|error| unreadable(&error))?;
        let mut entries = vec![session_entry(open, holder, "begun", expires, card.simulated, now)?];
        let mut attested = Vec::with_capacity(subjects.len());
        for subject in subjects {
            attested.push(self.attested(&granting, &audiences, subject, &mut entries)?);
            // A head of a facility has many children: let others have a turn.
            tokio::task::yield_now().await;
        }
        let attestation = Attestation {
            registry: own.clone(),
            statement: Digest::of(&[&open.statement]),
            subjects: attested,
            issued: now,
            expires,
            simulated: card.simulated,
        };
        let sealed = seal(&attestation, statement, keys.signing())?;
        // All of it is durable before anybody can use any of it.
        self.means.log_all(entries).await.map_err(|error| {
            tracing::error!(%error, "a session is refused: its grants could not be logged");
            SessionRefusal::NotLogged
        })?;
        Ok(SessionOpened { attestation: sealed, not_after: expires })
    }

    /// The holder herself, and each child in her care that is not held from her.
    fn subjects(&self, holder: &Stored) -> Result<Vec<Subject>, RegistryError> {
        let oneself = Subject { stored: holder.clone(), relation: Relation::Oneself, basis: Basis::Oneself };
        let mut subjects = vec![oneself];
        for (child, guardianship) in self.children_of(holder, &self.means.today())? {
            if subjects.len() >= limits::SUBJECTS_PER_CARD_MAX {
                tracing::warn!("a card acts for more children than a session carries; the rest is left out");
                break;
            }
            if !self.is_held(&child, &holder.value.number)? {
                subjects.push(Subject {
                    stored: child,
                    relation: Relation::Child,
                    basis: guardianship.basis,
                });
            }
        }
        Ok(subjects)
    }

    fn attested(
        &self,
        granting: &Granting<'_>,
        audiences: &[Audience<'_>],
        subject: Subject,
        entries: &mut Vec<Entry>,
    ) -> Result<AttestedSubject, SessionRefusal> {
        let Resident { name, kana, birth_date, sex, .. } = &subject.stored.value;
        let key = *subject.stored.sealed_by.as_bytes();
        let mut grants = Vec::with_capacity(audiences.len());
        for audience in audiences {
            let granted = match granting.grant(
                audience,
                &subject.stored.value,
                subject.basis,
                &self.means.env,
            ) {
                Ok(granted) => granted,
                Err(error) => {
                    tracing::error!(%error, "a member's sealing key in the trust list is not valid; nothing is granted for it");
                    continue;
                }
            };
            let entry = Entry::new(granting.issued.0, Some(key), &granted.details)
                .map_err(|_| SessionRefusal::NotLogged)?
                .with_digest(DigestKind::Grant, granted.grant.digest().0);
            entries.push(entry);
            grants.push(granted.grant);
        }
        Ok(AttestedSubject {
            relation: subject.relation,
            name: name.clone(),
            kana: kana.clone(),
            birth_date: birth_date.clone(),
            sex: sex.code().to_owned(),
            grants,
        })
    }

    /// Logs a refusal; what cannot be logged is refused for that.
    async fn log_refusal(&self, refusal: SessionRefusal) -> SessionRefusal {
        if refusal == SessionRefusal::Malformed {
            return refusal;
        }
        let entry = details::Session { event: refusal.as_str().to_owned(), ..details::Session::default() };
        match self.means.log(None, &entry).await {
            Ok(_) => refusal,
            Err(error) => {
                tracing::error!(%error, "the refusal of a session could not be logged");
                SessionRefusal::NotLogged
            }
        }
    }
}

/// Whether the asker may ask, and asks about what was bound.
fn check_request(
    gateway: &MemberId,
    open: &OpenSession,
    statement: &SessionStatement,
    trust: &Accepted,
) -> Result<(), SessionRefusal> {
    if !trust.list().member(gateway).is_some_and(|member| member.has_role(Role::Gateway)) {
        return Err(SessionRefusal::NotAGateway);
    }
    let list = trust.list();
    if &statement.gateway != gateway || statement.federation != list.federation {
        return Err(SessionRefusal::WrongBinding);
    }
    if cbor::encode(statement) != open.statement {
        return Err(SessionRefusal::Malformed);
    }
    if statement.epoch != list.epoch || statement.list_digest != trust.digest() {
        return Err(SessionRefusal::TrustList);
    }
    Ok(())
}

fn check_times(
    statement: &SessionStatement,
    trust: &Accepted,
    grace_millis: u64,
    now: Timestamp,
) -> Result<(), SessionRefusal> {
    if trust.standing(now, grace_millis) == Standing::Expired {
        return Err(SessionRefusal::MembershipExpired);
    }
    let early = statement.issued > now.plus(limits::CLOCK_SKEW_MILLIS);
    if early || statement.not_after <= now { Err(SessionRefusal::Time) } else { Ok(()) }
}

/// What is kept of a session: with the salts beside its grants, the proof that a card was there.
fn session_entry(
    open: &OpenSession,
    holder: &Stored,
    event: &str,
    expires: Timestamp,
    simulated: bool,
    now: Timestamp,
) -> Result<Entry, SessionRefusal> {
    let entry = details::Session {
        event: event.to_owned(),
        expires: expires.0,
        simulated_card: simulated,
        certificate: hex::encode(&open.certificate),
        statement: hex::encode(&open.statement),
        card_signature: hex::encode(&open.card_signature),
    };
    Entry::new(now.0, Some(*holder.sealed_by.as_bytes()), &entry).map_err(|_| SessionRefusal::NotLogged)
}

fn seal(
    attestation: &Attestation,
    statement: &SessionStatement,
    key: &hibiki_protocol::signing::SigningKey,
) -> Result<SealedAttestation, SessionRefusal> {
    let signed = Signed::sign(attestation, key);
    if cbor::encode(&signed).len() > limits::CONTROL_FRAME_BYTES_MAX - FRAME_MARGIN {
        tracing::warn!(
            "a session asks for more grants than a frame carries; the terminal must ask fewer institutions"
        );
        return Err(SessionRefusal::Malformed);
    }
    SealedAttestation::seal(&signed, &attestation.statement, &statement.reply_key)
        .map_err(|_| SessionRefusal::Malformed)
}

/// The registry cannot read its own tables: said in its log, and to the guardian as "try again".
fn unreadable(error: &RegistryError) -> SessionRefusal {
    tracing::error!(%error, "a session is refused: the registry's tables cannot be read");
    SessionRefusal::Busy
}
