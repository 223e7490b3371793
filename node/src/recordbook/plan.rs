//! From entries to one batch: reads what is there, decides each outcome, writes nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use hibiki_records::{
    category::Category, fhir::reference::Subject, ingest::IngestRecord, person::PatientFacts,
};

use super::{
    BookError, CONTENT_BYTES_MAX, Entry, NAME_BYTES_MAX, PutOutcome, RecordBook, Refusal, Result,
    codec::{Person, Sealed},
    layout::{self, Counter, Kind},
};
use crate::{
    keyring::{KeyId, KeyRing},
    store::{Batch, Keyspace, SCAN_ROWS_MAX, Snapshot},
};

/// What to commit, and what to tell when it is committed.
pub(super) struct Plan {
    pub(super) batch: Batch,
    pub(super) outcomes: Vec<PutOutcome>,
    /// Keys of persons and groups that the batch enters.
    pub(super) used_keys: BTreeSet<KeyId>,
}

/// The state after the entries planned so far, as far as they touch it.
pub(super) struct Planner<'a> {
    keys: &'a KeyRing,
    view: &'a dyn Snapshot,
    batch: Batch,
    owners: BTreeMap<(Kind, String), KeyId>,
    persons: BTreeMap<KeyId, Person>,
    changed_persons: BTreeSet<KeyId>,
    members: BTreeMap<KeyId, BTreeSet<KeyId>>,
    records: BTreeMap<Vec<u8>, Sealed>,
    added: BTreeMap<Counter, u64>,
    used_keys: BTreeSet<KeyId>,
}

impl<'a> Planner<'a> {
    /// Plans `entries`. Keys for persons and groups not known yet are taken from `spare`, which is filled
    /// up in one go and durably before anything is sealed under them.
    pub(super) fn plan(book: &'a RecordBook, entries: &[Entry], spare: &mut Vec<KeyId>) -> Result<Plan> {
        let view = book.store.snapshot()?;
        let mut planner = Planner {
            keys: &book.keys,
            view: &*view,
            batch: Batch::new(),
            owners: BTreeMap::new(),
            persons: BTreeMap::new(),
            changed_persons: BTreeSet::new(),
            members: BTreeMap::new(),
            records: BTreeMap::new(),
            added: BTreeMap::new(),
            used_keys: BTreeSet::new(),
        };
        planner.resolve(entries, spare)?;
        let outcomes = entries.iter().map(|entry| planner.entry(entry)).collect::<Result<_>>()?;
        planner.seal_persons()?;
        planner.count()?;
        Ok(Plan { batch: planner.batch, outcomes, used_keys: planner.used_keys })
    }

    /// Finds, or enters, everybody the entries name.
    fn resolve(&mut self, entries: &[Entry], spare: &mut Vec<KeyId>) -> Result<()> {
        let mut unknown = BTreeMap::new();
        for name in entries.iter().filter(|entry| refusal(entry).is_none()).flat_map(names) {
            if self.owners.contains_key(&name) || unknown.contains_key(&name) {
                continue;
            }
            let digest = name.0.digest(self.keys, &name.1);
            match self.view.get(name.0.keyspace(), &Kind::lookup(&digest))? {
                Some(id) => _ = self.owners.insert(name, layout::last_id(&id, "the index of names")?),
                None => _ = unknown.insert(name, digest),
            }
        }
        spare.extend(self.keys.create_many(unknown.len().saturating_sub(spare.len()))?);
        for ((name, digest), id) in unknown.into_iter().zip(spare.iter().copied()) {
            self.enter(name, &digest, id)?;
        }
        Ok(())
    }

    fn enter(&mut self, (kind, name): (Kind, String), digest: &[u8; 32], id: KeyId) -> Result<()> {
        let lookup = Kind::lookup(digest);
        self.batch.require(kind.keyspace(), lookup.clone(), None);
        self.batch.put(kind.keyspace(), lookup, *id.as_bytes());
        match kind {
            Kind::Person => {
                self.persons.insert(id, Person { local_number: name.clone(), facts: None });
                self.changed_persons.insert(id);
            }
            Kind::Group => {
                let row = kind.row(id);
                let sealed = self.keys.seal(id, &layout::aad(kind.keyspace(), &row), name.as_bytes())?;
                self.batch.put(kind.keyspace(), row, layout::make_row(digest, &sealed));
                self.members.insert(id, BTreeSet::new());
            }
        }
        *self.added.entry(kind.counter()).or_default() += 1;
        self.used_keys.insert(id);
        self.owners.insert((kind, name), id);
        Ok(())
    }

    fn entry(&mut self, entry: &Entry) -> Result<PutOutcome> {
        if let Some(refusal) = refusal(entry) {
            return Ok(PutOutcome::Refused(refusal));
        }
        match entry {
            Entry::Person(facts) => self.person(facts),
            Entry::Group { id, members } => self.group(id, members),
            Entry::Record(record) => self.record(record),
        }
    }

    fn person(&mut self, facts: &PatientFacts) -> Result<PutOutcome> {
        let id = self.owner(Kind::Person, &facts.local_number)?;
        let mut person = match self.persons.remove(&id) {
            Some(person) => person,
            None => {
                read_person(self.keys, self.view, id)?.ok_or(BookError::Row { what: "the index of names" })?
            }
        };
        let outcome = match &person.facts {
            None => PutOutcome::Added,
            Some(present) if present == facts => PutOutcome::Unchanged,
            Some(_) => PutOutcome::Replaced,
        };
        if outcome != PutOutcome::Unchanged {
            person.facts = Some(facts.clone());
            self.changed_persons.insert(id);
        }
        self.persons.insert(id, person);
        Ok(outcome)
    }

    fn group(&mut self, name: &str, members: &[String]) -> Result<PutOutcome> {
        let group = self.owner(Kind::Group, name)?;
        let is_new = self.used_keys.contains(&group);
        let present = match self.members.remove(&group) {
            Some(present) => present,
            None => read_members(self.view, group)?,
        };
        let wanted =
            members.iter().map(|number| self.owner(Kind::Person, number)).collect::<Result<BTreeSet<_>>>()?;
        for left in present.difference(&wanted) {
            self.batch.delete(Keyspace::Groups, layout::member(group, *left));
            self.batch.delete(Keyspace::Groups, layout::membership(*left, group));
        }
        for joined in wanted.difference(&present) {
            self.batch.put(Keyspace::Groups, layout::member(group, *joined), []);
            self.batch.put(Keyspace::Groups, layout::membership(*joined, group), []);
        }
        let outcome = match present == wanted {
            true if is_new => PutOutcome::Added,
            true => PutOutcome::Unchanged,
            false if present.is_empty() => PutOutcome::Added,
            false => PutOutcome::Replaced,
        };
        self.members.insert(group, wanted);
        Ok(outcome)
    }

    fn record(&mut self, record: &IngestRecord) -> Result<PutOutcome> {
        let owner = match &record.subject {
            Subject::Person(number) => self.owner(Kind::Person, number)?,
            Subject::Group(id) => self.owner(Kind::Group, id)?,
        };
        let key = layout::record(self.keys, owner, record.category, &record.id);
        let present = match self.records.remove(&key) {
            Some(present) => Some(present),
            None => read_record(self.keys, self.view, owner, &key)?,
        };
        let new = Sealed {
            id: record.id.clone(),
            date: record.date,
            updated_at: record.updated_at,
            media_type: record.media_type.to_owned(),
            content: record.content.clone(),
        };
        let outcome = match &present {
            None => PutOutcome::Added,
            Some(present) if is_same(present, &new) => PutOutcome::Unchanged,
            Some(present) if new.updated_at < present.updated_at && new.updated_at.is_some() => {
                PutOutcome::Older
            }
            Some(_) => PutOutcome::Replaced,
        };
        let kept = match (outcome, present) {
            (PutOutcome::Unchanged | PutOutcome::Older, Some(present)) => present,
            _ => {
                let aad = layout::aad(Keyspace::Records, &key);
                self.batch.put(Keyspace::Records, key.clone(), self.keys.seal(owner, &aad, &new.encode())?);
                new
            }
        };
        if outcome == PutOutcome::Added {
            *self.added.entry(Counter::Records(record.category)).or_default() += 1;
        }
        self.records.insert(key, kept);
        Ok(outcome)
    }

    /// Writes the rows of new and changed persons, once each.
    fn seal_persons(&mut self) -> Result<()> {
        for id in &self.changed_persons {
            let Some(person) = self.persons.get(id) else { continue };
            let row = Kind::Person.row(*id);
            let digest = Kind::Person.digest(self.keys, &person.local_number);
            let aad = layout::aad(Keyspace::Subjects, &row);
            let sealed = self.keys.seal(*id, &aad, &person.encode())?;
            self.batch.put(Keyspace::Subjects, row, layout::make_row(&digest, &sealed));
        }
        Ok(())
    }

    fn count(&mut self) -> Result<()> {
        let changes: Vec<_> = self.added.iter().map(|(counter, added)| (*counter, *added)).collect();
        for (counter, added) in changes {
            add_to_count(&mut self.batch, self.view, counter, |present| present.saturating_add(added))?;
        }
        Ok(())
    }

    fn owner(&self, kind: Kind, name: &str) -> Result<KeyId> {
        // `resolve` entered everybody that an accepted entry names.
        self.owners.get(&(kind, name.to_owned())).copied().ok_or(BookError::NoSuchSubject)
    }
}

/// Changes a counter, unless another process changes it meanwhile.
pub(super) fn add_to_count(
    batch: &mut Batch,
    view: &dyn Snapshot,
    counter: Counter,
    change: impl FnOnce(u64) -> u64,
) -> Result<()> {
    let key = counter.key();
    let present = view.get(Keyspace::Meta, &key)?;
    let count = change(layout::parse_count(present.as_deref())?);
    batch.require(Keyspace::Meta, key.clone(), present).put(Keyspace::Meta, key, count.to_be_bytes());
    Ok(())
}

pub(super) fn read_person(keys: &KeyRing, view: &dyn Snapshot, id: KeyId) -> Result<Option<Person>> {
    let row = Kind::Person.row(id);
    let Some(value) = view.get(Keyspace::Subjects, &row)? else { return Ok(None) };
    let (_, sealed) = layout::parse_row(&value, "a subject")?;
    Person::decode(&keys.open_sealed(id, &layout::aad(Keyspace::Subjects, &row), sealed)?).map(Some)
}

fn read_record(keys: &KeyRing, view: &dyn Snapshot, owner: KeyId, key: &[u8]) -> Result<Option<Sealed>> {
    let Some(sealed) = view.get(Keyspace::Records, key)? else { return Ok(None) };
    Sealed::decode(&keys.open_sealed(owner, &layout::aad(Keyspace::Records, key), &sealed)?).map(Some)
}

fn read_members(view: &dyn Snapshot, group: KeyId) -> Result<BTreeSet<KeyId>> {
    let prefix = layout::member_prefix(group);
    let mut members = BTreeSet::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = view.scan(Keyspace::Groups, &prefix, after.as_deref(), SCAN_ROWS_MAX)?;
        for (key, _) in &page {
            members.insert(layout::last_id(key, "a group's members")?);
        }
        match page.last() {
            Some((last, _)) if page.len() == SCAN_ROWS_MAX => after = Some(last.clone()),
            _ => return Ok(members),
        }
    }
}

/// The same content on the same day, whatever the source says about when it was touched.
fn is_same(present: &Sealed, new: &Sealed) -> bool {
    (present.date, &present.media_type, &present.content) == (new.date, &new.media_type, &new.content)
}

fn refusal(entry: &Entry) -> Option<Refusal> {
    let (group, id, category, content): (_, _, Option<Category>, usize) = match entry {
        Entry::Person(facts) => (None, facts.local_number.as_str(), None, 0),
        Entry::Group { id, members } => {
            if members.iter().any(|member| is_bad(member)) {
                return Some(Refusal::BadId);
            }
            (None, id.as_str(), None, 0)
        }
        Entry::Record(record) => {
            let (group, owner) = match &record.subject {
                Subject::Person(number) => (None, number),
                Subject::Group(id) => (Some(id), id),
            };
            if is_bad(owner) {
                return Some(Refusal::BadId);
            }
            (group, record.id.as_str(), Some(record.category), record.content.len())
        }
    };
    if is_bad(id) {
        Some(Refusal::BadId)
    } else if group.is_some() && category.is_some_and(|category| !category.may_address_group()) {
        Some(Refusal::NotForGroups)
    } else if content > CONTENT_BYTES_MAX {
        Some(Refusal::ContentTooLarge)
    } else {
        None
    }
}

fn is_bad(id: &str) -> bool {
    id.is_empty() || id.len() > NAME_BYTES_MAX
}

/// Every person and group an entry names.
fn names(entry: &Entry) -> Vec<(Kind, String)> {
    match entry {
        Entry::Person(facts) => vec![(Kind::Person, facts.local_number.clone())],
        Entry::Group { id, members } => {
            let members = members.iter().map(|number| (Kind::Person, number.clone()));
            members.chain([(Kind::Group, id.clone())]).collect()
        }
        Entry::Record(record) => match &record.subject {
            Subject::Person(number) => vec![(Kind::Person, number.clone())],
            Subject::Group(id) => vec![(Kind::Group, id.clone())],
        },
    }
}
