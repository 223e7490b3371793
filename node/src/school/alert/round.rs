//! One round of the evening job: who is to be told of which lunch, written into the outbox.
//!
//! A letter and the note that it was told are one atomic change: after a crash at any instant either both are there or
//! neither, and the next round, which asks the same questions anew, does what is left. Nothing is remembered between
//! rounds but what is on the disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use hibiki_protocol::ids::{GuardianAlias, Pseudonym};
use hibiki_records::date::CalendarDate;
use hibiki_records::lunch::{LunchDay, Registration, judge};

use super::hours::{Table, in_japan, open_lunches};
use super::letter::{self, About};
use super::saying::{Outlook, Saying, Told, next};
use super::{AlertError, Alerts};
use crate::keyring::{KeyError, KeyId};
use crate::mail::{Letter, LetterId, LetterKind};
use crate::recordbook::SubjectId;
use crate::school::hearing::is_held;
use crate::school::registrations::{Party, Registered, join};
use crate::school::roster::Pupil;
use crate::store::Keyspace;
use crate::vault::{Row, VaultError};

/// Letters in one commit.
const LETTERS_AT_ONCE: usize = 256;

/// Children judged before others have a turn.
const TURN: usize = 64;

/// What one round did and saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Children for whom something is registered.
    pub children: usize,
    /// Child and lunch, looked at.
    pub judged: usize,
    /// Letters put into the outbox.
    pub letters: usize,
    /// Children with something to be told, and nobody to tell it to: their keys.
    pub unreachable: Vec<[u8; 16]>,
}

/// A child, what is registered for her, and whom to tell.
pub(super) struct Child<'a> {
    pub(super) pupil: &'a Pupil,
    pub(super) registration: Registration,
    /// Guardians with their aliases and confirmed addresses.
    pub(super) guardians: Vec<Guardian<'a>>,
}

/// A guardian who can be written to.
pub(super) struct Guardian<'a> {
    pub(super) alias: GuardianAlias,
    pub(super) pseudonym: Pseudonym,
    pub(super) address: &'a str,
}

/// The lunches of one round, read once each.
#[derive(Default)]
pub(super) struct Lunches(BTreeMap<(String, CalendarDate), Option<Arc<LunchDay>>>);

impl Lunches {
    /// The accepted menu of a kitchen for a day.
    pub(super) fn of(
        &mut self,
        alerts: &Alerts,
        kitchen: &str,
        day: CalendarDate,
    ) -> Result<Option<Arc<LunchDay>>, AlertError> {
        let key = (kitchen.to_owned(), day);
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        let found = alerts.menus.accepted(kitchen, day)?.map(Arc::new);
        self.0.insert(key, found.clone());
        Ok(found)
    }
}

impl Alerts {
    /// Tells everybody of whatever is open at `now`. Repeating it changes nothing.
    ///
    /// # Errors
    /// The books cannot be read or written; what was committed until then stays.
    pub(super) async fn tell(&self, now: u64) -> Result<Round, AlertError> {
        let calendar = self.days.calendar()?;
        let pupils = self.roster.pupils()?;
        let registered = self.registrations.all()?;
        let children = children(&pupils, &registered);
        let mut round = Round { children: children.len(), ..Round::default() };
        let mut open: BTreeMap<(&str, &str), Vec<CalendarDate>> = BTreeMap::new();
        let mut lunches = Lunches::default();
        let mut batch = Vec::new();
        for (done, child) in children.iter().enumerate() {
            if done % TURN == TURN - 1 {
                // Guardians who ask meanwhile are not kept waiting.
                tokio::task::yield_now().await;
            }
            let table = Table { kitchen: &child.pupil.kitchen, class: &child.pupil.class };
            let days = open
                .entry((table.kitchen, table.class))
                .or_insert_with(|| open_lunches(&calendar, table, now, self.hours.alert, self.hours));
            for day in days.iter().copied() {
                round.judged += 1;
                let lunch = lunches.of(self, table.kitchen, day)?;
                self.tell_of(child, day, lunch.as_deref(), now, &mut batch, &mut round)?;
            }
            if batch.len() >= LETTERS_AT_ONCE {
                round.letters += self.commit(std::mem::take(&mut batch)).await?;
            }
        }
        round.letters += self.commit(batch).await?;
        if round.letters > 0 {
            self.outbox.wake();
        }
        Ok(round)
    }

    fn tell_of(
        &self,
        child: &Child<'_>,
        day: CalendarDate,
        lunch: Option<&LunchDay>,
        now: u64,
        batch: &mut Vec<Ready>,
        round: &mut Round,
    ) -> Result<(), AlertError> {
        let outlook = outlook(lunch, child);
        let mut reached = false;
        for guardian in &child.guardians {
            if self.is_held(guardian)? {
                continue;
            }
            reached = true;
            let place = told_place(&child.pupil.key, day, &guardian.alias.0);
            let told: Option<Row<Told>> = self.means.vault.get(Keyspace::School, &place)?;
            let Some(saying) = next(told.as_ref().map(|row| &row.value), outlook.clone()) else { continue };
            let letter = self.letter(child, guardian, &saying, day, lunch, now)?;
            batch.push(Ready { key: KeyId::from_bytes(child.pupil.key), place, told: saying.told, letter });
        }
        if !reached && next(None, outlook).is_some() {
            round.unreachable.push(child.pupil.key);
        }
        Ok(())
    }

    /// Whether a hold keeps this guardian from hearing anything of this child.
    pub(super) fn is_held(&self, guardian: &Guardian<'_>) -> Result<bool, AlertError> {
        Ok(is_held(&self.holds, &guardian.pseudonym, &guardian.alias)?)
    }

    fn letter(
        &self,
        child: &Child<'_>,
        guardian: &Guardian<'_>,
        saying: &Saying,
        day: CalendarDate,
        lunch: Option<&LunchDay>,
        now: u64,
    ) -> Result<Letter, AlertError> {
        let facts = self.book.facts(SubjectId::from_bytes(child.pupil.key))?;
        let about = About {
            name: facts.as_ref().map(|facts| facts.name.as_str()),
            class: &child.pupil.class,
            school: &self.school,
        };
        let today = CalendarDate::in_japan(now).unwrap_or(day);
        let texts = letter::write(saying, about, day, lunch.map(|lunch| &lunch.menu), today);
        Ok(Letter {
            id: self.letter_id(&child.pupil.key, &guardian.alias.0, day, saying.told.n),
            subject_key: Some(child.pupil.key),
            guardian: Some(guardian.alias),
            kind: LetterKind::Allergy,
            lunch: Some(day),
            to: guardian.address.to_owned(),
            title: texts.title,
            text: texts.text,
            html: texts.html,
            send_by: Some(in_japan(day, self.hours.lunch)),
        })
    }

    /// The same for the same saying to the same guardian, for ever: a letter sent twice is seen as one.
    fn letter_id(&self, child: &[u8; 16], guardian: &[u8; 16], day: CalendarDate, n: u32) -> LetterId {
        let name = [child.as_slice(), guardian, day.to_string().as_bytes(), &n.to_be_bytes()].concat();
        LetterId::new(&self.means.vault, "lunch alert", &name)
    }

    /// Writes letters and the notes of them in one go. A child who was erased meanwhile gets none.
    async fn commit(&self, batch: Vec<Ready>) -> Result<usize, AlertError> {
        if batch.is_empty() {
            return Ok(0);
        }
        let mut change = self.means.vault.change();
        // It protects somebody: a disk that is nearly full is no reason to say nothing.
        change.urgent();
        let mut letters = 0;
        for ready in &batch {
            match change.put_under(ready.key, Keyspace::School, &ready.place, &ready.told) {
                Err(VaultError::Key(KeyError::NoSuchKey)) => continue,
                other => other?,
            }
            self.outbox.put(&mut change, &ready.letter)?;
            letters += 1;
        }
        change.commit().await?;
        Ok(letters)
    }
}

/// A letter and the note that it was told.
struct Ready {
    key: KeyId,
    place: Vec<u8>,
    told: Told,
    letter: Letter,
}

/// What is known of a lunch for a child.
pub(super) fn outlook(lunch: Option<&LunchDay>, child: &Child<'_>) -> Outlook {
    match lunch {
        None => Outlook::NoMenu,
        Some(lunch) => Outlook::Judged(judge(&lunch.survey, &child.registration)),
    }
}

/// `t ‖ day ‖ child ‖ guardian`: by day, so that old ones are swept without opening any.
pub(super) fn told_place(child: &[u8; 16], day: CalendarDate, guardian: &[u8; 16]) -> Vec<u8> {
    [b"t".as_slice(), day.to_string().as_bytes(), child, guardian].concat()
}

/// The children of the roster for whom anybody registered anything, with what all of them together registered:
/// nobody's list can silence another's.
pub(super) fn children<'a>(pupils: &'a [Pupil], registered: &'a [Registered]) -> Vec<Child<'a>> {
    let mut by_child: BTreeMap<[u8; 16], (Registration, Vec<Guardian<'_>>)> = BTreeMap::new();
    for one in registered {
        let (registration, guardians) = by_child.entry(one.subject).or_default();
        join(registration, &one.allergens);
        if let (Party::Guardian(alias, pseudonym), Some(address)) = (one.party, &one.address) {
            guardians.push(Guardian { alias, pseudonym, address });
        }
    }
    pupils
        .iter()
        .filter_map(|pupil| {
            let (registration, guardians) = by_child.remove(&pupil.key)?;
            (!registration.is_empty()).then_some(Child { pupil, registration, guardians })
        })
        .collect()
}
