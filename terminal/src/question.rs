//! A question to every institution: one sealed part each, and the secrets that open the answers.

use std::collections::BTreeMap;

use hibiki_protocol::act::Act;
use hibiki_protocol::answer::{Answer, AnswerFault, SealedAnswer};
use hibiki_protocol::grant::Grant;
use hibiki_protocol::ids::{Category, Digest, MemberId, QueryId};
use hibiki_protocol::limits;
use hibiki_protocol::outcome::{Observation, Outcome};
use hibiki_protocol::query::{Part, Query, ReplyTo};
use hibiki_protocol::sealing::SealingSecret;
use hibiki_protocol::session::{AttestedSubject, Purpose, Relation};
use hibiki_protocol::signing::{Signed, VerifyingKey};
use hibiki_protocol::time::{Day, Timestamp};
use hibiki_protocol::trust::Member;

use crate::federation::Federation;
use crate::session::Session;
use crate::trouble::Trouble;

/// What the guardian wants to see.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Categories; none named means all.
    pub categories: Vec<Category>,
    /// Only records of this day or later.
    pub since: Option<Day>,
    /// Milliseconds until the view must be complete.
    pub deadline_millis: Option<u64>,
}

/// Why an institution was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAsked {
    /// The registry gave no grant for it.
    NoGrant,
    /// The trust list names no key one could seal to today.
    NoSealingKey,
    /// More institutions than one view may ask.
    TooMany,
}

impl NotAsked {
    /// Stable name for JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoGrant => "no_grant",
            Self::NoSealingKey => "no_sealing_key",
            Self::TooMany => "too_many",
        }
    }
}

/// An answer awaited from one institution.
pub struct Awaited {
    signing_key: VerifyingKey,
    reply_to: ReplyTo,
    secret: SealingSecret,
    part: Digest,
    act: Option<Act>,
}

impl Awaited {
    /// Opens and verifies the institution's answer.
    ///
    /// # Errors
    /// It is not that institution's answer to this very query, or answers something else than was asked.
    pub fn open(&self, institution: &MemberId, sealed: &SealedAnswer) -> Result<Answer, AnswerFault> {
        let answer = sealed.open(institution, &self.signing_key, &self.reply_to, &self.secret)?;
        answer.answers(self.act.as_ref()).then_some(answer).ok_or(AnswerFault::Contradiction)
    }

    /// The gateway's observation, if it is signed by `gateway` and about this very part, and states
    /// what a gateway can observe.
    pub fn observe(
        &self,
        institution: &MemberId,
        gateway: &Member,
        observation: &Signed<Observation>,
    ) -> Option<Observation> {
        let observed = observation.verify(&gateway.signing_key).ok()?;
        let about_this =
            &observed.audience == institution && observed.part == self.part && observed.gateway == gateway.id;
        let observable = !matches!(observed.outcome, Outcome::Data | Outcome::NothingToShow);
        (about_this && observable).then_some(observed)
    }
}

/// The parts to send, the answers to await, and whom not to ask.
pub struct Question {
    /// Parts, one for each institution that is asked.
    pub parts: Vec<Part>,
    /// What opens each answer.
    pub awaited: BTreeMap<MemberId, Awaited>,
    /// Institutions that are not asked, and why.
    pub not_asked: BTreeMap<MemberId, NotAsked>,
}

/// What one institution is asked.
#[derive(Clone, Default)]
struct Inquiry {
    categories: Vec<Category>,
    since: Option<Day>,
    act: Option<Act>,
}

impl Question {
    /// Prepares the question about `subject`'s records to every institution of the federation.
    ///
    /// # Errors
    /// This machine cannot seal.
    pub fn prepare(
        session: &Session,
        federation: &Federation,
        subject: &AttestedSubject,
        wish: &Wish,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        let inquiry = Inquiry { categories: wish.categories.clone(), since: wish.since.clone(), act: None };
        Self::prepare_all(session, federation, subject, &|_| inquiry.clone(), now)
    }

    /// Prepares an act about `subject` for every institution: `act` says which for each.
    ///
    /// # Errors
    /// This machine cannot seal.
    pub fn prepare_acts(
        session: &Session,
        federation: &Federation,
        subject: &AttestedSubject,
        act: &dyn Fn(&MemberId) -> Act,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        let inquiry = |id: &MemberId| Inquiry { act: Some(act(id)), ..Inquiry::default() };
        Self::prepare_all(session, federation, subject, &inquiry, now)
    }

    fn prepare_all(
        session: &Session,
        federation: &Federation,
        subject: &AttestedSubject,
        inquiry: &dyn Fn(&MemberId) -> Inquiry,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        let mut grants: BTreeMap<MemberId, Signed<Grant>> = BTreeMap::new();
        for grant in &subject.grants {
            if let Ok(claimed) = grant.claimed() {
                grants.insert(claimed.audience, grant.clone());
            }
        }
        let mut question = Self { parts: Vec::new(), awaited: BTreeMap::new(), not_asked: BTreeMap::new() };
        for member in federation.responders() {
            let sealing_key = member.sealing_key_at(now);
            let reason = match (sealing_key, grants.get(&member.id), session.key(&member.id)) {
                _ if question.parts.len() >= limits::VIEW_PARTS_MAX => NotAsked::TooMany,
                (None, _, _) => NotAsked::NoSealingKey,
                (_, None, _) | (_, _, None) => NotAsked::NoGrant,
                (Some(sealing_key), Some(grant), Some(session_key)) => {
                    let (secret, inquiry) = (SealingSecret::generate(), inquiry(&member.id));
                    let act = inquiry.act.clone();
                    let query = query(member, grant, subject, inquiry, federation, &secret, now)?;
                    let (part, reply_to) = Part::seal(&query, session_key, sealing_key)
                        .map_err(|error| Trouble::Machine(error.to_string()))?;
                    let (signing_key, digest) = (member.signing_key, part.digest());
                    let awaited = Awaited { signing_key, reply_to, secret, part: digest, act };
                    question.awaited.insert(member.id.clone(), awaited);
                    question.parts.push(part);
                    continue;
                }
            };
            question.not_asked.insert(member.id.clone(), reason);
        }
        Ok(question)
    }
}

fn query(
    member: &Member,
    grant: &Signed<Grant>,
    subject: &AttestedSubject,
    inquiry: Inquiry,
    federation: &Federation,
    secret: &SealingSecret,
    now: Timestamp,
) -> Result<Query, Trouble> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| Trouble::Machine(error.to_string()))?;
    let Inquiry { categories, since, act } = inquiry;
    let purpose = match (&act, subject.relation) {
        (Some(act), _) if act.is_about_accesses() => Purpose::AccessHistory,
        (_, Relation::Oneself) => Purpose::OwnRequest,
        (_, Relation::Child) => Purpose::FamilyRequest,
    };
    Ok(Query {
        version: limits::VERSION_MAX,
        id: QueryId(id),
        audience: member.id.clone(),
        grant: grant.clone(),
        purpose,
        categories,
        since,
        answer_key: secret.public(),
        issued: now,
        expires: now.plus(limits::QUERY_MILLIS_MAX),
        epoch: federation.accepted().list().epoch,
        list_digest: federation.accepted().digest(),
        act,
    })
}
