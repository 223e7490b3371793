//! The institution's books as the responder asks them: links, holds, consents, records.

use std::sync::Arc;

use hibiki_protocol::answer::Record;
use hibiki_protocol::ids::{Category, MemberId, Pseudonym};
use hibiki_protocol::policy::{Consent, Hold, ReadPermit, Withheld};
use hibiki_protocol::time::{Day, Timestamp};
use hibiki_protocol::token::PairwiseToken;
use hibiki_records::category::Category as Kind;
use hibiki_records::date::CalendarDate;

use crate::consent::Consents;
use crate::holds::Holds;
use crate::linkage::Linkage;
use crate::recordbook::{ReadLimit, RecordBook, StoredRecord, SubjectId};
use crate::responder::{Local, LocalFault, LocalSubject};

/// All books of the institution.
pub(super) struct Books {
    pub(super) linkage: Arc<Linkage>,
    pub(super) holds: Arc<Holds>,
    pub(super) consents: Arc<Consents>,
    pub(super) records: Arc<RecordBook>,
}

fn fault(error: impl std::fmt::Display) -> LocalFault {
    LocalFault(error.to_string())
}

impl Local for Books {
    fn resolve(
        &self,
        registry: &MemberId,
        token: &PairwiseToken,
    ) -> Result<Result<LocalSubject, Withheld>, LocalFault> {
        self.linkage.resolve(registry, token).map_err(fault)
    }

    fn holds(&self, pseudonym: &Pseudonym) -> Result<Vec<Hold>, LocalFault> {
        self.holds.for_subject(pseudonym).map_err(fault)
    }

    fn consents(&self, pseudonym: &Pseudonym) -> Result<Vec<Consent>, LocalFault> {
        self.consents.for_subject(pseudonym).map_err(fault)
    }

    fn has_any(&self, subject: &LocalSubject, permit: &ReadPermit) -> Result<bool, LocalFault> {
        let subject = SubjectId::from_bytes(subject.key);
        let one = ReadLimit { records: 1, ..ReadLimit::default() };
        for kind in permitted(permit) {
            if !self.records.read(subject, &[kind], None, one).map_err(fault)?.records.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read(&self, subject: &LocalSubject, permit: &ReadPermit) -> Result<Vec<Record>, LocalFault> {
        let kinds: Vec<Kind> = permitted(permit).collect();
        let since = permit.since().and_then(|day| day.as_str().parse::<CalendarDate>().ok());
        let subject = SubjectId::from_bytes(subject.key);
        let reading = self.records.read(subject, &kinds, since, ReadLimit::default()).map_err(fault)?;
        if reading.truncated {
            return Err(LocalFault(
                "there are more records than one answer can carry; ask for fewer categories".into(),
            ));
        }
        reading.records.into_iter().map(released).collect()
    }
}

/// The categories a permit covers.
fn permitted(permit: &ReadPermit) -> impl Iterator<Item = Kind> {
    let allows = |kind: &Kind| Category::new(kind.wire_name()).is_some_and(|name| permit.allows(&name));
    Kind::ALL.into_iter().filter(allows)
}

/// A stored record as it goes into an answer.
fn released(record: StoredRecord) -> Result<Record, LocalFault> {
    let category = Category::new(record.category.wire_name());
    let date = Day::new(&record.date.to_string());
    let (Some(category), Some(date)) = (category, date) else {
        return Err(LocalFault("a stored record has no valid category or day".into()));
    };
    Ok(Record {
        category,
        date,
        updated_at: Timestamp(record.updated_at.unwrap_or(0)),
        media_type: record.media_type,
        content: record.content,
    })
}
