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
use crate::env::Env;
use crate::holds::Holds;
use crate::linkage::Linkage;
use crate::recordbook::{ReadLimit, RecordBook, StoredRecord, SubjectId};
use crate::responder::{Local, LocalFault, LocalSubject};
use crate::school::School;

/// All books of the institution.
pub(super) struct Books {
    pub(super) linkage: Arc<Linkage>,
    pub(super) holds: Arc<Holds>,
    pub(super) consents: Arc<Consents>,
    pub(super) records: Arc<RecordBook>,
    /// A school's own books, and the clock that says which of it is of now.
    pub(super) school: Option<(School, Env)>,
}

impl Books {
    /// What a school holds besides the record book.
    fn of_school(&self, subject: &LocalSubject, kind: Kind) -> Result<Vec<StoredRecord>, LocalFault> {
        let Some((school, env)) = &self.school else { return Ok(Vec::new()) };
        let Some(today) = CalendarDate::in_japan(env.now()) else { return Ok(Vec::new()) };
        school.records_of(&subject.key, kind, today).map_err(fault)
    }
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
        let id = SubjectId::from_bytes(subject.key);
        let one = ReadLimit { records: 1, ..ReadLimit::default() };
        for kind in permitted(permit) {
            if !self.records.read(id, &[kind], None, one).map_err(fault)?.records.is_empty()
                || !self.of_school(subject, kind)?.is_empty()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read(&self, subject: &LocalSubject, permit: &ReadPermit) -> Result<Vec<Record>, LocalFault> {
        let kinds: Vec<Kind> = permitted(permit).collect();
        let since = permit.since().and_then(|day| day.as_str().parse::<CalendarDate>().ok());
        let id = SubjectId::from_bytes(subject.key);
        let reading = self.records.read(id, &kinds, since, ReadLimit::default()).map_err(fault)?;
        if reading.truncated {
            return Err(LocalFault(
                "there are more records than one answer can carry; ask for fewer categories".into(),
            ));
        }
        let mut records = reading.records;
        for kind in kinds {
            let live = self.of_school(subject, kind)?;
            records.extend(live.into_iter().filter(|record| since.is_none_or(|since| record.date >= since)));
        }
        records.into_iter().map(released).collect()
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
