//! Reading: the records for an answer, and subjects for linking.

use std::collections::BTreeMap;
use std::fmt;

use hibiki_records::{category::Category, date::CalendarDate, person::PatientFacts};

use super::{
    BookError, RecordBook, Result, SubjectId,
    codec::{Person, Sealed},
    layout::{self, Kind},
    plan::read_person,
};
use crate::{
    keyring::{KeyId, KeyRing},
    store::{Keyspace, SCAN_ROWS_MAX, Snapshot},
};

/// Rows opened at a time while reading.
const PAGE_ROWS: usize = 256;

/// Most groups of one person that are looked at; a pupil is in a handful.
const GROUPS_MAX: usize = 64;

/// A record as it was put. `Debug` shows category and size only.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// What it is.
    pub category: Category,
    /// The source's id, unique within person (or group) and category.
    pub id: String,
    /// Effective day in Japan.
    pub date: CalendarDate,
    /// When the source last changed it, in milliseconds since 1970, if it says so.
    pub updated_at: Option<u64>,
    /// Media type of the content.
    pub media_type: String,
    /// The bytes as they came.
    pub content: Vec<u8>,
    /// It is addressed to a group the subject belongs to, not to the subject alone.
    pub from_group: bool,
}

impl fmt::Debug for StoredRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRecord")
            .field("category", &self.category)
            .field("content_bytes", &self.content.len())
            .finish_non_exhaustive()
    }
}

/// How much one reading may return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimit {
    /// Most records.
    pub records: usize,
    /// Most content bytes together.
    pub bytes: usize,
}

impl Default for ReadLimit {
    /// 5,000 records, 16 MiB: a childhood fits many times.
    fn default() -> Self {
        Self { records: 5_000, bytes: 16 << 20 }
    }
}

/// Records of one subject, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The records.
    pub records: Vec<StoredRecord>,
    /// There are more, older ones than the limit let through. An answer made of this must say so.
    pub truncated: bool,
}

impl RecordBook {
    /// The subject's records of these categories from `since` on, newest first, those of its groups
    /// included. A subject that does not exist has no records.
    ///
    /// # Errors
    /// [`BookError::Store`], [`BookError::Keys`] when a row does not open, [`BookError::Row`].
    pub fn read(
        &self,
        subject: SubjectId,
        categories: &[Category],
        since: Option<CalendarDate>,
        limit: ReadLimit,
    ) -> Result<Reading> {
        let view = self.store.snapshot()?;
        if is_half_erased(&self.keys, &*view, subject)? {
            return Ok(Reading::default());
        }
        let mut gathered = Gathered { reading: Reading::default(), limit };
        let groups = groups_of(&*view, subject.key())?;
        for category in categories {
            self.gather(&*view, subject.key(), *category, since, false, &mut gathered)?;
            if category.may_address_group() {
                for group in &groups {
                    self.gather(&*view, *group, *category, since, true, &mut gathered)?;
                }
            }
        }
        Ok(gathered.finish())
    }

    /// What is known of a subject; `None` when it does not exist or no facts were put yet.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn facts(&self, subject: SubjectId) -> Result<Option<PatientFacts>> {
        let view = self.store.snapshot()?;
        if is_half_erased(&self.keys, &*view, subject)? {
            return Ok(None);
        }
        Ok(read_person(&self.keys, &*view, subject.key())?.and_then(|person| person.facts))
    }

    /// The institution's own number of a subject.
    ///
    /// # Errors
    /// As [`Self::read`]; [`BookError::NoSuchSubject`].
    pub fn local_number(&self, subject: SubjectId) -> Result<String> {
        let view = self.store.snapshot()?;
        if is_half_erased(&self.keys, &*view, subject)? {
            return Err(BookError::NoSuchSubject);
        }
        let person = read_person(&self.keys, &*view, subject.key())?;
        person.map(|person| person.local_number).ok_or(BookError::NoSuchSubject)
    }

    /// The subject with this local number.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn find_by_local_number(&self, number: &str) -> Result<Option<SubjectId>> {
        let lookup = Kind::lookup(&Kind::Person.digest(&self.keys, number));
        let id = self.store.snapshot()?.get(Keyspace::Subjects, &lookup)?;
        id.map(|id| layout::last_id(&id, "the index of names").map(SubjectId)).transpose()
    }

    /// Up to `limit` subjects after `after`, in the order of their ids, with what is known of them. Fewer
    /// than `min(limit, SCAN_ROWS_MAX)` means: that was the end.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn all_subjects(
        &self,
        after: Option<SubjectId>,
        limit: usize,
    ) -> Result<Vec<(SubjectId, Option<PatientFacts>)>> {
        let view = self.store.snapshot()?;
        let after = after.map(|after| Kind::Person.row(after.key()));
        let rows = view.scan(Keyspace::Subjects, layout::SUBJECT_ROWS, after.as_deref(), limit)?;
        let mut subjects = Vec::with_capacity(rows.len());
        for (key, _) in rows {
            let id = layout::last_id(&key, "a subject")?;
            // A subject whose erasure has begun has a row but no key.
            let person = if self.keys.contains(id) { read_person(&self.keys, &*view, id)? } else { None };
            subjects.push((SubjectId(id), person.and_then(|person| person.facts)));
        }
        Ok(subjects)
    }

    /// The institution's own number of every subject, in one scan.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn local_numbers(&self) -> Result<BTreeMap<SubjectId, String>> {
        let view = self.store.snapshot()?;
        let mut numbers = BTreeMap::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page =
                view.scan(Keyspace::Subjects, layout::SUBJECT_ROWS, after.as_deref(), SCAN_ROWS_MAX)?;
            for (key, row) in &page {
                let id = layout::last_id(key, "a subject")?;
                // A subject whose erasure has begun has a row but no key.
                if self.keys.contains(id) {
                    let (_, sealed) = layout::parse_row(row, "a subject")?;
                    let opened = self.keys.open_sealed(id, &layout::aad(Keyspace::Subjects, key), sealed)?;
                    numbers.insert(SubjectId(id), Person::decode(&opened)?.local_number);
                }
            }
            match page.last() {
                Some((last, _)) if page.len() == SCAN_ROWS_MAX => after = Some(last.clone()),
                _ => return Ok(numbers),
            }
        }
    }

    /// Members of every group, by the group's id.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn groups(&self) -> Result<BTreeMap<String, Vec<SubjectId>>> {
        let view = self.store.snapshot()?;
        let mut groups = BTreeMap::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = view.scan(Keyspace::Groups, layout::GROUP_ROWS, after.as_deref(), SCAN_ROWS_MAX)?;
            for (key, row) in &page {
                let id = layout::last_id(key, "a group")?;
                groups.insert(self.group_name(id, key, row)?, self.members(&*view, id)?);
            }
            match page.last() {
                Some((last, _)) if page.len() == SCAN_ROWS_MAX => after = Some(last.clone()),
                _ => return Ok(groups),
            }
        }
    }

    /// The ids of the groups a subject is in.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn groups_of(&self, subject: SubjectId) -> Result<Vec<String>> {
        let view = self.store.snapshot()?;
        let mut names = Vec::new();
        for id in groups_of(&*view, subject.key())? {
            let place = Kind::Group.row(id);
            let Some(row) = view.get(Keyspace::Groups, &place)? else { continue };
            names.push(self.group_name(id, &place, &row)?);
        }
        Ok(names)
    }

    fn group_name(&self, id: KeyId, place: &[u8], row: &[u8]) -> Result<String> {
        let (_, sealed) = layout::parse_row(row, "a group")?;
        let name = self.keys.open_sealed(id, &layout::aad(Keyspace::Groups, place), sealed)?;
        String::from_utf8(name.to_vec()).map_err(|_| BookError::Row { what: "a group" })
    }

    /// The members of a group that are not being erased.
    fn members(&self, view: &dyn Snapshot, group: KeyId) -> Result<Vec<SubjectId>> {
        let prefix = layout::member_prefix(group);
        let mut members = Vec::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = view.scan(Keyspace::Groups, &prefix, after.as_deref(), SCAN_ROWS_MAX)?;
            for (key, _) in &page {
                let id = layout::last_id(key, "a member of a group")?;
                if self.keys.contains(id) {
                    members.push(SubjectId(id));
                }
            }
            match page.last() {
                Some((last, _)) if page.len() == SCAN_ROWS_MAX => after = Some(last.clone()),
                _ => return Ok(members),
            }
        }
    }

    fn gather(
        &self,
        view: &dyn Snapshot,
        owner: KeyId,
        category: Category,
        since: Option<CalendarDate>,
        from_group: bool,
        gathered: &mut Gathered,
    ) -> Result<()> {
        let prefix = layout::records_prefix(owner, category);
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = view.scan(Keyspace::Records, &prefix, after.as_deref(), PAGE_ROWS)?;
            for (key, sealed) in &page {
                let opened = self.keys.open_sealed(owner, &layout::aad(Keyspace::Records, key), sealed)?;
                let Sealed { id, date, updated_at, media_type, content } = Sealed::decode(&opened)?;
                if since.is_none_or(|since| date >= since) {
                    gathered.take(StoredRecord {
                        category,
                        id,
                        date,
                        updated_at,
                        media_type,
                        content,
                        from_group,
                    });
                }
            }
            match page.last() {
                Some((last, _)) if page.len() == PAGE_ROWS => after = Some(last.clone()),
                _ => return Ok(()),
            }
        }
    }
}

/// Keeps the newest records within a limit, never holding much more than that.
struct Gathered {
    reading: Reading,
    limit: ReadLimit,
}

impl Gathered {
    fn take(&mut self, record: StoredRecord) {
        self.reading.records.push(record);
        let held = self.reading.records.len();
        if held > self.limit.records.saturating_mul(2).max(PAGE_ROWS) {
            self.trim();
        }
    }

    fn finish(mut self) -> Reading {
        self.trim();
        self.reading
    }

    fn trim(&mut self) {
        let records = &mut self.reading.records;
        // Newest first; the rest of the order only makes it the same every time.
        records
            .sort_by(|a, b| b.date.cmp(&a.date).then_with(|| (a.category, &a.id).cmp(&(b.category, &b.id))));
        let mut bytes = 0_usize;
        let fits = records.iter().take(self.limit.records).take_while(|record| {
            bytes = bytes.saturating_add(record.content.len());
            bytes <= self.limit.bytes
        });
        let fits = fits.count();
        if fits < records.len() {
            records.truncate(fits);
            self.reading.truncated = true;
        }
    }
}

/// Whether the subject's key was destroyed and its rows are still there. A key that is missing for any
/// other reason is an error where it is needed, not an empty record.
fn is_half_erased(keys: &KeyRing, view: &dyn Snapshot, subject: SubjectId) -> Result<bool> {
    let erasing = layout::erasing(subject.key());
    Ok(!keys.contains(subject.key()) && view.get(Keyspace::Meta, &erasing)?.is_some())
}

fn groups_of(view: &dyn Snapshot, subject: KeyId) -> Result<Vec<KeyId>> {
    let prefix = layout::membership_prefix(subject);
    let rows = view.scan(Keyspace::Groups, &prefix, None, GROUPS_MAX.min(SCAN_ROWS_MAX))?;
    rows.iter().map(|(key, _)| layout::last_id(key, "a subject's groups")).collect()
}
