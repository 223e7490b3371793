//! From an opened part to a sealed answer.

use hibiki_protocol::answer::SealedAnswer;
use hibiki_protocol::frames::Declined;
use hibiki_protocol::ids::{Digest, Pseudonym};
use hibiki_protocol::limits;
use hibiki_protocol::policy::{self, Circumstances, ReadPermit, Withheld};
use hibiki_protocol::query::{OpenedPart, Refusal, VerifiedQuery};
use hibiki_protocol::replay::Seen;
use hibiki_protocol::time::Day;
use hibiki_records::date::CalendarDate;

use super::InstitutionResponder;
use super::local::{LocalFault, LocalSubject};
use super::reply::{Finding, Found, Reply};

/// What was found, or why nothing is shown; and whose, where that is known.
pub(super) struct Looked {
    pub(super) subject: Option<LocalSubject>,
    pub(super) found: Result<Found, Withheld>,
}

impl Looked {
    pub(super) fn withheld(subject: Option<LocalSubject>, why: Withheld) -> Self {
        Self { subject, found: Err(why) }
    }
}

/// Why a query that may be worked on is not answered.
pub(super) enum LookFault {
    /// The books cannot be read.
    Local(LocalFault),
    /// It is refused.
    Refused(Refusal),
}

impl From<LocalFault> for LookFault {
    fn from(fault: LocalFault) -> Self {
        Self::Local(fault)
    }
}

/// A sealed answer; with the query while it may still be held back: not where it refuses already.
pub(super) struct Worked {
    pub(super) answer: SealedAnswer,
    pub(super) query: Option<VerifiedQuery>,
}

impl InstitutionResponder {
    /// Works on an opened part. Everything from here on is answered inside the seal.
    pub(super) async fn work(&self, reply: &Reply<'_>, opened: OpenedPart) -> Result<Worked, Declined> {
        let refused = |answer| Ok(Worked { answer, query: None });
        let query = match self.verified(opened, &reply.part) {
            Err(refusal) => return refused(reply.refuse(refusal).await?),
            Ok(query) if self.has_ended(&query) => return refused(reply.refuse_ended(&query).await?),
            Ok(query) => query,
        };
        let looked = match &query.query().act {
            None => self.look(&query).map_err(LookFault::from),
            Some(act) => self.act(reply, &query, act).await,
        };
        let looked = match looked {
            Err(LookFault::Local(fault)) => {
                tracing::error!(%fault, "a query could not be answered");
                return refused(reply.refuse(Refusal::Fault).await?);
            }
            Err(LookFault::Refused(refusal)) => return refused(reply.refuse(refusal).await?),
            // The card was taken away while the records were looked for.
            Ok(_) if self.has_ended(&query) => return refused(reply.refuse_ended(&query).await?),
            Ok(looked) => looked,
        };
        let subject = looked.subject.map(|subject| subject.key);
        let answer = reply.finish(Finding { query: &query, subject, found: looked.found }).await?;
        Ok(Worked { answer, query: Some(query) })
    }

    /// Grant, holder's proof, times, epoch; then: is it the first time?
    fn verified(&self, opened: OpenedPart, part: &Digest) -> Result<VerifiedQuery, Refusal> {
        let trust = (self.base.trust)();
        let (list, digest) = (trust.list(), trust.digest());
        let grant = opened.grant().clone();
        let known = Self::locked(&self.grants).get(digest, &grant);
        let query = opened.verify(&self.base.own, known, list, &digest, self.now())?;
        Self::locked(&self.grants).note(digest, &grant, query.grant());
        if self.base.ledger.answered_in_a_former_run(&part.0) {
            return Err(Refusal::Replayed);
        }
        match Self::locked(&self.replay).note(query.replay_key(), self.uptime_millis()) {
            Seen::New => Ok(query),
            Seen::Replayed => Err(Refusal::Replayed),
            Seen::Full => Err(Refusal::Busy),
        }
    }

    /// The person a query is about, as the institution knows her.
    pub(super) fn subject(
        &self,
        query: &VerifiedQuery,
    ) -> Result<Result<(LocalSubject, Pseudonym), Withheld>, LocalFault> {
        let (base, grant) = (&self.base, query.grant().grant());
        let Some(secret) = base.keys.sealing(grant.token_key) else { return Ok(Err(Withheld::NotLinked)) };
        let Ok(token) = grant.token.open(&grant.registry, &base.own, secret) else {
            return Ok(Err(Withheld::NotLinked));
        };
        let found = base.local.resolve(&grant.registry, &token)?;
        Ok(found.map(|subject| (subject, token.pseudonym)))
    }

    /// Has something decided in the circumstances of a person.
    pub(super) fn decide(
        &self,
        subject: &LocalSubject,
        pseudonym: Pseudonym,
        decision: impl FnOnce(Circumstances<'_>) -> Result<ReadPermit, Withheld>,
    ) -> Result<Result<ReadPermit, Withheld>, LocalFault> {
        let base = &self.base;
        let (holds, consents) = (base.local.holds(&pseudonym)?, base.local.consents(&pseudonym)?);
        let today = today(base.env.now())?;
        Ok(decision(Circumstances {
            birth_date: &subject.birth_date,
            today: &today,
            holds: &holds,
            consents: &consents,
            ages: &base.policy.ages,
        }))
    }

    /// The institution's own decision, and the records if it permits.
    fn look(&self, query: &VerifiedQuery) -> Result<Looked, LocalFault> {
        let (subject, pseudonym) = match self.subject(query)? {
            Ok(found) => found,
            Err(why) => return Ok(Looked::withheld(None, why)),
        };
        let decided =
            self.decide(&subject, pseudonym, |circumstances| policy::decide(query, pseudonym, circumstances));
        let permit = match decided? {
            Ok(permit) => permit,
            Err(why) => return Ok(Looked::withheld(Some(subject), why)),
        };
        let mut records = self.base.local.read(&subject, &permit)?;
        records.retain(|record| permit.allows(&record.category));
        if records.len() > limits::ANSWER_RECORDS_MAX {
            return Err(LocalFault(format!(
                "more than {} records for one answer",
                limits::ANSWER_RECORDS_MAX
            )));
        }
        let found = if records.is_empty() { Err(Withheld::Empty) } else { Ok(Found::Records(records)) };
        Ok(Looked { subject: Some(subject), found })
    }
}

/// The calendar day in Japan.
fn today(now_millis: u64) -> Result<Day, LocalFault> {
    let day = CalendarDate::in_japan(now_millis).and_then(|day| Day::new(&day.to_string()));
    day.ok_or_else(|| LocalFault("the clock shows no calendar day".to_owned()))
}
