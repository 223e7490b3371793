//! The answer's last steps: ledger entry durable, then signed, padded, sealed.

use hibiki_protocol::act::ConsentState;
use hibiki_protocol::answer::{Answer, Record, SealedAnswer};
use hibiki_protocol::frames::Declined;
use hibiki_protocol::history::{Event, HistoryPage};
use hibiki_protocol::ids::{Category, Digest, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::policy::Withheld;
use hibiki_protocol::query::{Refusal, ReplyTo, VerifiedQuery};
use hibiki_protocol::receipt::{Promise, ProofPage, Receipt};
use hibiki_protocol::registration::RegistrationState;
use hibiki_protocol::signing::Signed;

use super::InstitutionResponder;
use crate::ledger::details::{Refusal as RefusalEntry, Release};
use crate::ledger::{DigestKind, Entry, NotLogged, telling};

/// What the ledger says of a query whose session has ended.
const SESSION_ENDED: &str = "session_ended";

/// What may be told.
pub(super) enum Found {
    /// Records.
    Records(Vec<Record>),
    /// A page of the history of accesses.
    History(HistoryPage),
    /// A guardian's choices; with the ledger entry of a change that was just carried out.
    Consent { state: Box<ConsentState>, logged: Option<Receipt> },
    /// What is registered; with the ledger entry of a change that was just carried out.
    Registration { state: Box<RegistrationState>, logged: Option<Receipt> },
    /// Proofs of receipts.
    Proofs(ProofPage),
}

/// What was found for a verified query.
pub(super) struct Finding<'a> {
    /// The query.
    pub(super) query: &'a VerifiedQuery,
    /// Whose records, where that is known: whose key seals the ledger entry.
    pub(super) subject: Option<[u8; 16]>,
    /// What was found, or what withholds it.
    pub(super) found: Result<Found, Withheld>,
}

/// What an answer carries.
#[derive(Default)]
struct Content {
    records: Vec<Record>,
    history: Option<HistoryPage>,
    consent: Option<ConsentState>,
    registration: Option<RegistrationState>,
    proofs: Option<ProofPage>,
}

impl From<Found> for Content {
    fn from(found: Found) -> Self {
        match found {
            Found::Records(records) => Self { records, ..Self::default() },
            Found::History(page) => Self { history: Some(page), ..Self::default() },
            Found::Consent { state, .. } => Self { consent: Some(*state), ..Self::default() },
            Found::Registration { state, .. } => Self { registration: Some(*state), ..Self::default() },
            Found::Proofs(page) => Self { proofs: Some(page), ..Self::default() },
        }
    }
}

/// One answer in the making.
pub(super) struct Reply<'a> {
    pub(super) responder: &'a InstitutionResponder,
    pub(super) to: ReplyTo,
    pub(super) gateway: &'a MemberId,
    pub(super) part: Digest,
}

impl Reply<'_> {
    /// Logs and seals what was found. If it cannot be logged, nothing is released.
    pub(super) async fn finish(&self, finding: Finding<'_>) -> Result<SealedAnswer, Declined> {
        let Finding { query, subject, found } = finding;
        let logged = match &found {
            // A change was logged before it was in force.
            Ok(
                Found::Consent { logged: Some(receipt), .. }
                | Found::Registration { logged: Some(receipt), .. },
            ) => Ok(receipt.clone()),
            Ok(found) => self.log(self.release(query, subject, found)).await,
            Err(why) => self.log(self.refusal(query, subject, why.as_str())).await,
        };
        let receipt = match logged {
            Ok(receipt) => receipt,
            Err(fault) => {
                tracing::warn!(%fault, "an answer was not released");
                return self.not_logged();
            }
        };
        let outcome = if found.is_ok() { Outcome::Data } else { Outcome::NothingToShow };
        let content = found.map(Content::from).unwrap_or_default();
        let simulated = query.grant().grant().simulated;
        self.seal_answer(&self.answer(simulated, outcome, content, Some(receipt), None))
    }

    /// The newest entries of the page that fit the common frame, so that its size tells nothing.
    pub(super) fn fitting(&self, query: &VerifiedQuery, mut page: HistoryPage) -> HistoryPage {
        while page.entries.len() > 1 {
            let content = Content { history: Some(page.clone()), ..Content::default() };
            if self.fits(query, content) {
                break;
            }
            page.entries.pop();
            page.older = page.entries.last().map(|entry| entry.index);
        }
        page
    }

    /// The first of the proofs that fit the common frame. Those left out can be asked for again.
    pub(super) fn fitting_proofs(&self, query: &VerifiedQuery, mut page: ProofPage) -> ProofPage {
        while page.proofs.len() > 1
            && !self.fits(query, Content { proofs: Some(page.clone()), ..Content::default() })
        {
            page.proofs.pop();
        }
        page
    }

    fn fits(&self, query: &VerifiedQuery, content: Content) -> bool {
        // The ledger entry of this look is not written yet; no real receipt takes more room than this one.
        let base = &self.responder.base;
        let leaf_hash = Digest::of(&[b"a receipt's place"]);
        let receipt = Receipt { origin: base.ledger.origin().to_owned(), index: u64::MAX, leaf_hash };
        let simulated = query.grant().grant().simulated;
        let draft = self.answer(simulated, Outcome::Data, content, Some(receipt), None);
        Answer::fits_the_common_frame(&Signed::sign(&draft, base.keys.signing()))
    }

    /// Logs and seals the refusal of a query whose session has ended. Its true reason is in the ledger only.
    pub(super) async fn refuse_ended(&self, query: &VerifiedQuery) -> Result<SealedAnswer, Declined> {
        let entry = self.refusal(query, None, SESSION_ENDED);
        self.refuse_as(Refusal::Expired, entry).await
    }

    /// Logs and seals a refusal of a query that opened but is not accepted.
    pub(super) async fn refuse(&self, refusal: Refusal) -> Result<SealedAnswer, Declined> {
        let details = RefusalEntry {
            reason: refusal.as_str().to_owned(),
            via: self.gateway.to_string(),
            ..RefusalEntry::default()
        };
        self.refuse_as(refusal, Entry::new(self.responder.base.env.now(), None, &details)).await
    }

    async fn refuse_as(
        &self,
        refusal: Refusal,
        entry: Result<Entry, NotLogged>,
    ) -> Result<SealedAnswer, Declined> {
        match self.log(entry).await {
            Ok(receipt) => self.seal(Outcome::from(refusal), Some(receipt), Some(refusal)),
            Err(_) => self.not_logged(),
        }
    }

    /// An answer that says nothing but that it could not be logged. Its entry is owed.
    fn not_logged(&self) -> Result<SealedAnswer, Declined> {
        let now = self.responder.base.env.now();
        if self.responder.missed.note(self.part, self.gateway, now).is_err() {
            let retry_after_millis = Some(super::RETRY_AFTER_MILLIS);
            return Err(Declined { refusal: Refusal::Busy, retry_after_millis });
        }
        self.seal(Outcome::NotLogged, None, Some(Refusal::NotLogged))
    }

    fn release(
        &self,
        query: &VerifiedQuery,
        subject: Option<[u8; 16]>,
        found: &Found,
    ) -> Result<Entry, NotLogged> {
        let (grant, purpose) = (query.grant().grant(), query.query().purpose);
        let (event, act, categories, count) = match found {
            Found::Records(records) => {
                let mut categories: Vec<Category> =
                    records.iter().map(|record| record.category.clone()).collect();
                categories.sort_unstable();
                categories.dedup();
                (Event::RecordsShown, "", categories, records.len() as u64)
            }
            Found::History(page) => (Event::HistoryShown, "history", Vec::new(), page.entries.len() as u64),
            Found::Consent { .. } => (Event::ConsentShown, "consent", Vec::new(), 0),
            Found::Registration { .. } => (Event::RegistrationShown, "registration", Vec::new(), 0),
            // Of nobody's records: without a subject, it is told to nobody.
            Found::Proofs(page) => (Event::HistoryShown, "receipts", Vec::new(), page.proofs.len() as u64),
        };
        let details = Release {
            guardian: hex::encode(grant.guardian.0),
            purpose: purpose.as_str().to_owned(),
            act: act.to_owned(),
            categories: categories.iter().map(ToString::to_string).collect(),
            records: count,
            via: self.gateway.to_string(),
            basis: grant.basis.as_str().to_owned(),
            simulated_card: grant.simulated,
        };
        let count = (!matches!(event, Event::ConsentShown | Event::RegistrationShown)).then_some(count);
        let told = telling::shown(event, grant, purpose, self.gateway, categories, count);
        let entry = Entry::new(self.responder.base.env.now(), subject, &details)?.telling(&told);
        Ok(self.beside(query, entry))
    }

    fn refusal(
        &self,
        query: &VerifiedQuery,
        subject: Option<[u8; 16]>,
        reason: &str,
    ) -> Result<Entry, NotLogged> {
        let grant = query.grant().grant();
        let details = RefusalEntry {
            reason: reason.to_owned(),
            guardian: hex::encode(grant.guardian.0),
            purpose: query.query().purpose.as_str().to_owned(),
            via: self.gateway.to_string(),
            simulated_card: grant.simulated,
            ..RefusalEntry::default()
        };
        Ok(self.beside(query, Entry::new(self.responder.base.env.now(), subject, &details)?))
    }

    /// The entry, to be laid beside the registry's.
    fn beside(&self, query: &VerifiedQuery, entry: Entry) -> Entry {
        entry.with_digest(DigestKind::Grant, super::digest_of(&query.query().grant))
    }

    async fn log(&self, entry: Result<Entry, NotLogged>) -> Result<Receipt, NotLogged> {
        // The last room belongs to holds and revocations.
        if (self.responder.base.low_space)() {
            return Err(NotLogged::NoSpace);
        }
        let entry = entry?.with_digest(DigestKind::Query, self.part.0);
        let logged = self.responder.base.ledger.append(entry).await?;
        Ok(Receipt { origin: logged.origin, index: logged.index, leaf_hash: Digest(logged.leaf_hash.0) })
    }

    /// An answer that carries nothing.
    fn seal(
        &self,
        outcome: Outcome,
        receipt: Option<Receipt>,
        refusal: Option<Refusal>,
    ) -> Result<SealedAnswer, Declined> {
        self.seal_answer(&self.answer(false, outcome, Content::default(), receipt, refusal))
    }

    fn answer(
        &self,
        simulated: bool,
        outcome: Outcome,
        content: Content,
        receipt: Option<Receipt>,
        refusal: Option<Refusal>,
    ) -> Answer {
        let policy = &self.responder.base.policy;
        // Whoever is answered is told the same.
        let told = matches!(outcome, Outcome::Data | Outcome::NothingToShow) && !policy.kept_since.is_empty();
        // Only what is durable has a receipt, and only what has a receipt is promised.
        let promise = receipt.as_ref().map(|receipt| {
            let promise =
                Promise { version: limits::VERSION_MAX, receipt: receipt.clone(), at: self.responder.now() };
            Signed::sign(&promise, self.responder.base.keys.signing())
        });
        Answer {
            version: limits::VERSION_MAX,
            query_id: self.to.id,
            query_digest: self.to.digest,
            institution: self.responder.base.own.clone(),
            outcome,
            retry_after_millis: (outcome == Outcome::Busy).then_some(super::RETRY_AFTER_MILLIS),
            records: content.records,
            as_of: self.responder.now(),
            policy_version: policy.version,
            receipt,
            simulated,
            refusal,
            kept_since: told.then(|| policy.kept_since.clone()),
            history: content.history,
            consent: content.consent,
            registration: content.registration,
            promise,
            proofs: content.proofs,
        }
    }

    fn seal_answer(&self, answer: &Answer) -> Result<SealedAnswer, Declined> {
        let base = &self.responder.base;
        let signed = Signed::sign(answer, base.keys.signing());
        SealedAnswer::seal(&signed, &base.own, &self.to).map_err(|fault| {
            tracing::error!(%fault, "an answer could not be sealed");
            Declined { refusal: Refusal::Fault, retry_after_millis: None }
        })
    }
}
