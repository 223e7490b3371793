//! Things to hand in: asked of a class or of some pupils, and who has handed in.
//!
//! A pupil who joins the class later owes it, too: what is owed is worked out when it is looked at.
//!
//! ```text
//! School  h ‖ asked (u64 BE) ‖ id            what is wanted, sealed under the node's key
//!         i ‖ asked ‖ id ‖ pupil             how it stands for her, sealed under her key
//! ```

pub mod commands;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hibiki_protocol::registration::MailKind;
use hibiki_records::category::{Category, FHIR_JSON};
use hibiki_records::date::CalendarDate;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::announce::{Announcer, News};
use super::notices::SendError;
use super::roster::{Pupil, Roster, RosterError};
use crate::institution::Means;
use crate::keyring::KeyId;
use crate::recordbook::StoredRecord;
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, sealed};
use crate::vault::{Row, VaultError};

const TABLE: Keyspace = Keyspace::School;

/// The forms of its rows.
pub(super) const FORMS: &[Form] = &[
    sealed::<HandIn>("thing to hand in", TABLE, b"h", &[Part::Bytes(12)]),
    sealed::<StateRow>("hand-in of a pupil", TABLE, b"i", &[Part::Of(TABLE, b"h", 12), Part::Subject]),
];

/// Days for which guardians are shown what was wanted.
const SHOWN_DAYS: i32 = 400;

/// What is wanted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandIn {
    /// What.
    pub title: String,
    /// What else is said of it.
    pub note: Option<String>,
    /// The last day.
    pub due: CalendarDate,
    /// The class it is wanted of; absent: of the pupils below.
    pub class: Option<String>,
    /// Keys of the pupils.
    pupils: Vec<[u8; 16]>,
    /// Who asked.
    pub by: String,
    /// When, in milliseconds since the Unix epoch.
    pub asked: u64,
}

/// How it stands for one pupil.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Wanted.
    Open,
    /// Handed in.
    Done,
    /// Not wanted of her any more.
    Dropped,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StateRow {
    state: State,
    by: String,
    at: u64,
}

/// A pupil and how it stands for her.
pub struct Line {
    /// Her number.
    pub local: String,
    /// Her name.
    pub name: String,
    /// How it stands.
    pub state: State,
}

/// The things to hand in. Shared behind an [`Arc`].
pub struct HandIns {
    pub(super) means: Means,
    pub(super) roster: Arc<Roster>,
    pub(super) announcer: Arc<Announcer>,
}

impl HandIns {
    /// Asks for something; its name.
    ///
    /// # Errors
    /// There is no such class or pupil, or it could not be logged or stored.
    pub async fn add(
        &self,
        wanted: (String, Option<String>, CalendarDate),
        class: Option<String>,
        numbers: &[String],
        staff: &str,
    ) -> Result<String, SendError> {
        let (title, note, due) = wanted;
        if let Some(class) = &class
            && !self.roster.has_class(class)?
        {
            return Err(RosterError::NoSuchClass.into());
        }
        let pupils: Result<Vec<[u8; 16]>, RosterError> =
            numbers.iter().map(|number| self.roster.key(number)).collect();
        let pupils = pupils?;
        super::log(&self.means, commands::ADD, staff, None).await?;
        let asked = self.means.now().0;
        let hand_in = HandIn { title, note, due, class, pupils, by: staff.to_owned(), asked };
        let name = [asked.to_be_bytes().as_slice(), &self.means.env.random::<4>()].concat();
        let children: BTreeSet<[u8; 16]> = self.owing(&hand_in)?.into_iter().collect();
        let mut change = self.means.vault.change();
        change.put(TABLE, &[b"h", name.as_slice()].concat(), &hand_in)?;
        let news = News {
            kind: MailKind::HandIn,
            name: &name,
            title: format!("提出物のお願い: {}", hand_in.title),
            text: format!(
                "提出物があります。\n「{}」 {} まで\n\nSomething is to be handed in by {}.",
                hand_in.title, hand_in.due, hand_in.due
            ),
        };
        self.announcer.tell(&mut change, &children, &news)?;
        change.commit().await?;
        self.announcer.outbox.wake();
        Ok(hex::encode(name))
    }

    /// What was asked for, newest first: name, thing, how many owe it and how many of them have handed in.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn list(&self) -> Result<Vec<(String, HandIn, usize, usize)>, SendError> {
        let mut list = Vec::new();
        for row in self.rows()?.into_iter().rev() {
            let name = row.key().get(1..).unwrap_or_default().to_vec();
            let states = self.states(&name)?;
            let owing = self.owing(&row.value)?;
            let of = |key: &&[u8; 16], state| states.get(*key).copied().unwrap_or(State::Open) == state;
            let wanted = owing.iter().filter(|key| !of(key, State::Dropped)).count();
            let done = owing.iter().filter(|key| of(key, State::Done)).count();
            list.push((hex::encode(&name), row.value, wanted, done));
        }
        Ok(list)
    }

    /// Who has handed in, and who has not.
    ///
    /// # Errors
    /// There is no such thing, or the tables cannot be read.
    pub fn show(&self, id: &str) -> Result<(HandIn, Vec<Line>), SendError> {
        let (name, hand_in) = self.find(id)?;
        let states = self.states(&name)?;
        let mut lines = Vec::new();
        for key in self.owing(&hand_in)? {
            let Some(facts) = self.roster.facts(&key)? else { continue };
            let state = states.get(&key).copied().unwrap_or(State::Open);
            lines.push(Line { local: facts.local_number, name: facts.name, state });
        }
        lines.sort_by(|a, b| a.local.cmp(&b.local));
        Ok((hand_in, lines))
    }

    /// Notes how it stands for some pupils.
    ///
    /// # Errors
    /// There is no such thing, nobody has a number, or it could not be logged or stored.
    pub async fn mark(
        &self,
        id: &str,
        numbers: &[String],
        state: State,
        staff: &str,
    ) -> Result<(), SendError> {
        let (name, hand_in) = self.find(id)?;
        let owing = self.owing(&hand_in)?;
        let mut keys = Vec::new();
        for number in numbers {
            let key = self.roster.key(number)?;
            if !owing.contains(&key) {
                return Err(RosterError::NoSuchPupil.into());
            }
            keys.push(key);
        }
        super::log(&self.means, commands::MARK, staff, None).await?;
        let mut change = self.means.vault.change();
        for key in keys {
            let row = StateRow { state, by: staff.to_owned(), at: self.means.now().0 };
            change.put_under(KeyId::from_bytes(key), TABLE, &[b"i", name.as_slice(), &key].concat(), &row)?;
        }
        Ok(change.commit().await?)
    }

    /// What is wanted of a pupil, as records.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn records_of(&self, pupil: &Pupil, today: CalendarDate) -> Result<Vec<StoredRecord>, VaultError> {
        let mut records = Vec::new();
        for row in self.rows()? {
            let hand_in = &row.value;
            let hers = match &hand_in.class {
                Some(class) => *class == pupil.class,
                None => hand_in.pupils.contains(&pupil.key),
            };
            let Some(day) =
                CalendarDate::in_japan(hand_in.asked).filter(|day| today.days_since(*day) <= SHOWN_DAYS)
            else {
                continue;
            };
            if !hers {
                continue;
            }
            let name = row.key().get(1..).unwrap_or_default();
            let place = [b"i", name, &pupil.key].concat();
            let state: Option<Row<StateRow>> = self.means.vault.get(TABLE, &place)?;
            let at = state.as_ref().map_or(hand_in.asked, |row| row.value.at);
            let content = task(name, hand_in, day, state.map_or(State::Open, |row| row.value.state));
            records.push(StoredRecord {
                category: Category::SchoolNotice,
                id: hex::encode(name),
                date: day,
                updated_at: Some(at),
                media_type: FHIR_JSON.to_owned(),
                content: content.to_string().into_bytes(),
                from_group: false,
            });
        }
        Ok(records)
    }

    fn rows(&self) -> Result<Vec<Row<HandIn>>, VaultError> {
        self.means.vault.rows(TABLE, b"h")
    }

    fn find(&self, id: &str) -> Result<(Vec<u8>, HandIn), SendError> {
        let name = hex::decode(id.trim()).map_err(|_| SendError::NoSuchEntry)?;
        let row: Option<Row<HandIn>> = self.means.vault.get(TABLE, &[b"h", name.as_slice()].concat())?;
        row.map(|row| (name, row.value)).ok_or(SendError::NoSuchEntry)
    }

    fn states(&self, name: &[u8]) -> Result<BTreeMap<[u8; 16], State>, VaultError> {
        let rows: Vec<Row<StateRow>> = self.means.vault.rows(TABLE, &[b"i", name].concat())?;
        let of = |row: Row<StateRow>| Some((*row.key().last_chunk::<16>()?, row.value.state));
        Ok(rows.into_iter().filter_map(of).collect())
    }

    /// Who owes it now.
    fn owing(&self, hand_in: &HandIn) -> Result<Vec<[u8; 16]>, RosterError> {
        let Some(class) = &hand_in.class else { return Ok(hand_in.pupils.clone()) };
        let pupils = self.roster.pupils()?.into_iter();
        Ok(pupils.filter(|pupil| pupil.class == *class).map(|pupil| pupil.key).collect())
    }
}

fn task(name: &[u8], hand_in: &HandIn, asked: CalendarDate, state: State) -> serde_json::Value {
    let status = match state {
        State::Open => "requested",
        State::Done => "completed",
        State::Dropped => "cancelled",
    };
    let note: Vec<serde_json::Value> = hand_in.note.iter().map(|note| json!({ "text": note })).collect();
    json!({
        "resourceType": "Task",
        "id": format!("hibiki-{}", hex::encode(name)),
        "status": status,
        "intent": "order",
        "description": hand_in.title,
        "authoredOn": asked.to_string(),
        "restriction": { "period": { "end": hand_in.due.to_string() } },
        "note": note,
    })
}

impl std::fmt::Debug for HandIns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HandIns(***)")
    }
}
