//! The answer's last steps: ledger entry durable, then signed, padded, sealed.

use hibiki_protocol::answer::{Answer, Receipt, Record, SealedAnswer};
use hibiki_protocol::frames::Declined;
use hibiki_protocol::ids::{Category, Digest, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::policy::Withheld;
use hibiki_protocol::query::{Refusal, ReplyTo, VerifiedQuery};
use hibiki_protocol::signing::Signed;

use super::InstitutionResponder;
use crate::ledger::details::{Refusal as RefusalEntry, Release};
use crate::ledger::{DigestKind, Entry, NotLogged};

/// What the ledger says of a query whose session has ended.
const SESSION_ENDED: &str = "session_ended";

/// What was found for a verified query.
pub(super) struct Finding<'a> {
    /// The query.
    pub(super) query: &'a VerifiedQuery,
    /// Whose records, where that is known: whose key seals the ledger entry.
    pub(super) subject: Option<[u8; 16]>,
    /// The records, or what withholds them.
    pub(super) found: Result<Vec<Record>, Withheld>,
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
        let entry = match &finding.found {
            Ok(records) => self.release(&finding, records),
            Err(why) => self.refusal(finding.query, finding.subject, why.as_str()),
        };
        let receipt = match self.log(entry).await {
            Ok(receipt) => receipt,
            Err(fault) => {
                tracing::warn!(%fault, "an answer was not released");
                return self.seal(Outcome::NotLogged, Vec::new(), None, Some(Refusal::NotLogged));
            }
        };
        let records = finding.found.unwrap_or_default();
        let outcome = if records.is_empty() { Outcome::NothingToShow } else { Outcome::Data };
        self.seal_as(finding.query.grant().grant().simulated, outcome, records, Some(receipt), None)
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
            Ok(receipt) => self.seal(Outcome::from(refusal), Vec::new(), Some(receipt), Some(refusal)),
            Err(_) => self.seal(Outcome::NotLogged, Vec::new(), None, Some(Refusal::NotLogged)),
        }
    }

    fn release(&self, finding: &Finding<'_>, records: &[Record]) -> Result<Entry, NotLogged> {
        let grant = finding.query.grant().grant();
        let mut categories: Vec<&Category> = records.iter().map(|record| &record.category).collect();
        categories.sort_unstable();
        categories.dedup();
        let details = Release {
            guardian: hex::encode(grant.guardian.0),
            purpose: finding.query.query().purpose.as_str().to_owned(),
            categories: categories.into_iter().map(ToString::to_string).collect(),
            records: records.len() as u64,
            via: self.gateway.to_string(),
            basis: grant.basis.as_str().to_owned(),
            simulated_card: grant.simulated,
        };
        self.entry(finding.query, Entry::new(self.responder.base.env.now(), finding.subject, &details))
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
        };
        self.entry(query, Entry::new(self.responder.base.env.now(), subject, &details))
    }

    fn entry(&self, query: &VerifiedQuery, entry: Result<Entry, NotLogged>) -> Result<Entry, NotLogged> {
        let grant = super::digest_of(&query.query().grant);
        entry.map(|entry| entry.with_digest(DigestKind::Grant, grant))
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

    fn seal(
        &self,
        outcome: Outcome,
        records: Vec<Record>,
        receipt: Option<Receipt>,
        refusal: Option<Refusal>,
    ) -> Result<SealedAnswer, Declined> {
        self.seal_as(false, outcome, records, receipt, refusal)
    }

    fn seal_as(
        &self,
        simulated: bool,
        outcome: Outcome,
        records: Vec<Record>,
        receipt: Option<Receipt>,
        refusal: Option<Refusal>,
    ) -> Result<SealedAnswer, Declined> {
        let base = &self.responder.base;
        let answer = Answer {
            version: limits::VERSION_MAX,
            query_id: self.to.id,
            query_digest: self.to.digest,
            institution: base.own.clone(),
            outcome,
            retry_after_millis: (outcome == Outcome::Busy).then_some(super::RETRY_AFTER_MILLIS),
            records,
            as_of: self.responder.now(),
            policy_version: base.policy.version,
            receipt,
            simulated,
            refusal,
            kept_since: None,
            history: None,
            consent: None,
        };
        let signed = Signed::sign(&answer, base.keys.signing());
        SealedAnswer::seal(&signed, &base.own, &self.to).map_err(|fault| {
            tracing::error!(%fault, "an answer could not be sealed");
            Declined { refusal: Refusal::Fault, retry_after_millis: None }
        })
    }
}
