//! A class list into the book: pupils first, then who is in which class.
//!
//! Whoever is in no class gets no alert. So nobody is in no class while lists change: not between two commits, not when
//! the power goes in the middle, and not because her line could not be read.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::list::ClassList;
use super::{ClassRow, Roster, RosterError, TABLE, commands};
use crate::ledger::details;
use crate::recordbook::{Entry, PUT_ENTRIES_MAX, PutOutcome};
use crate::vault::{Row, VaultError};

/// Local numbers, by class.
type Members = BTreeMap<String, BTreeSet<String>>;

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Pupils who are new.
    pub added: usize,
    /// Pupils of whom something had changed.
    pub replaced: usize,
    /// Pupils known exactly so.
    pub unchanged: usize,
    /// Pupils of these classes who are in no class any more.
    pub left: usize,
    /// Pupils of these classes who stayed although the list does not give them: a line that could not be read may be
    /// theirs.
    pub stayed: usize,
    /// The classes of the file, each with its pupils.
    pub classes: BTreeMap<String, usize>,
}

impl Roster {
    /// Enters pupils and their classes. A class of the file has afterwards the pupils the file gives it, and a pupil of
    /// the file is in no other class. Whoever was in a class of the file and is not in it any more leaves her class, but
    /// is not erased; she stays as long as a line that could not be read may be hers. `progress` hears how many are
    /// entered.
    ///
    /// # Errors
    /// A class is too large, or it could not be logged or stored. Repeating it completes it.
    pub async fn import(
        &self,
        list: &ClassList,
        staff: &str,
        mut progress: impl FnMut(usize),
    ) -> Result<Imported, RosterError> {
        let _turn = self.turn.lock().await;
        let before = self.members()?;
        let (after, mut imported) = assign(&before, list);
        if after.values().any(|members| members.len() >= PUT_ENTRIES_MAX) {
            return Err(RosterError::ClassTooLarge);
        }
        let entry = details::Staff { by: staff.to_owned(), action: commands::IMPORT.to_owned() };
        self.means.log(None, &entry).await?;
        let mut done = 0;
        // A new pupil needs a key, a row and a digest: half of what a commit takes.
        for chunk in list.pupils.chunks(PUT_ENTRIES_MAX / 2) {
            let entries = chunk.iter().map(|pupil| Entry::Person(pupil.facts.clone())).collect();
            for outcome in self.book.put_batch(entries).await? {
                match outcome {
                    PutOutcome::Added => imported.added += 1,
                    PutOutcome::Unchanged => imported.unchanged += 1,
                    _ => imported.replaced += 1,
                }
            }
            done += chunk.len();
            progress(done);
        }
        self.enter_classes(list).await?;
        self.put_classes(&before, &after).await?;
        self.changed();
        Ok(imported)
    }

    /// Local numbers of every class.
    fn members(&self) -> Result<Members, RosterError> {
        let (kitchens, numbers) = (self.kitchens()?, self.book.local_numbers()?);
        let mut classes = Members::new();
        for (class, members) in self.book.groups()? {
            if kitchens.contains_key(&class) {
                let members = members.iter().filter_map(|member| numbers.get(member).cloned()).collect();
                classes.insert(class, members);
            }
        }
        Ok(classes)
    }

    /// Makes groups of the book classes, with the kitchens the list names.
    async fn enter_classes(&self, list: &ClassList) -> Result<(), VaultError> {
        let mut kitchens: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for pupil in &list.pupils {
            let kitchen = kitchens.entry(&pupil.class).or_default();
            *kitchen = kitchen.or(pupil.kitchen.as_deref());
        }
        let mut change = self.means.vault.change();
        for (class, kitchen) in kitchens {
            let place = self.place(class);
            let known: Option<Row<ClassRow>> = self.means.vault.get(TABLE, &place)?;
            // What staff said by hand stays, unless the file says something.
            let kept = known.as_ref().and_then(|row| row.value.kitchen.clone());
            let row = ClassRow { class: class.to_owned(), kitchen: kitchen.map(str::to_owned).or(kept) };
            if known.is_none_or(|known| known.value != row) {
                change.put(TABLE, &place, &row)?;
            }
        }
        if change.is_empty() { Ok(()) } else { change.commit().await }
    }

    /// Puts the classes. Where one commit does not take all of them, everybody joins her new class before anybody leaves
    /// an old one.
    async fn put_classes(&self, before: &Members, after: &Members) -> Result<(), RosterError> {
        let packs = packs(after);
        if packs.len() > 1 {
            let mut joined = after.clone();
            for (class, members) in &mut joined {
                members.extend(before.get(class).into_iter().flatten().cloned());
            }
            for pack in self::packs(&joined) {
                self.book.put_batch(pack).await?;
            }
        }
        for pack in packs {
            self.book.put_batch(pack).await?;
        }
        Ok(())
    }
}

/// The classes as they are to be, and what is to be told of it.
fn assign(before: &Members, list: &ClassList) -> (Members, Imported) {
    let mut after = Members::new();
    for pupil in &list.pupils {
        after.entry(pupil.class.clone()).or_default().insert(pupil.facts.local_number.clone());
    }
    let placed: BTreeSet<String> = after.values().flatten().cloned().collect();
    let mut imported = Imported {
        classes: after.iter().map(|(class, members)| (class.clone(), members.len())).collect(),
        ..Imported::default()
    };
    for (class, members) in before {
        let others = members.difference(&placed);
        match after.get_mut(class) {
            Some(class) => {
                let (staying, leaving): (Vec<&String>, Vec<&String>) =
                    others.partition(|number| list.may_name(number));
                imported.left += leaving.len();
                imported.stayed += staying.len();
                class.extend(staying.into_iter().cloned());
            }
            // A list of one class says nothing of the others, but that its pupils are not there.
            None if !members.is_disjoint(&placed) => {
                let others = others.cloned().collect();
                after.insert(class.clone(), others);
            }
            None => {}
        }
    }
    (after, imported)
}

/// Groups in as few commits as take them.
fn packs(classes: &Members) -> Vec<Vec<Entry>> {
    let mut packs: Vec<Vec<Entry>> = Vec::new();
    let mut room = 0;
    for (class, members) in classes {
        let size = 1 + members.len();
        let group = Entry::Group { id: class.clone(), members: members.iter().cloned().collect() };
        match packs.last_mut() {
            Some(pack) if size <= room => {
                pack.push(group);
                room -= size;
            }
            _ => {
                packs.push(vec![group]);
                room = PUT_ENTRIES_MAX.saturating_sub(size);
            }
        }
    }
    packs
}
