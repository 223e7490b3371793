//! A town's people and what each institution knows of them.
//!
//! Owns the shape only: residents and guardianships as the registry is told of them, and for each
//! institution the FHIR it would export, with its own numbers. Remembers who must see what, so that a
//! view can be compared with what was loaded. Must not know where the records come from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use hibiki_records::date::CalendarDate;
use hibiki_records::person::Sex;
use serde_json::Value;

use crate::chance::Chance;
use crate::house::House;

/// Whose view must show what: keys of records by house, by kana name.
pub type Expected = BTreeMap<String, BTreeMap<House, BTreeSet<String>>>;

/// What a resource of FHIR is called: `Type/id`.
pub fn record_key(resource: &Value) -> String {
    let text = |name: &str| resource[name].as_str().unwrap_or_default();
    format!("{}/{}", text("resourceType"), text("id"))
}

/// The same of content as it travels.
pub fn content_key(content: &[u8]) -> String {
    record_key(&serde_json::from_slice(content).unwrap_or_default())
}

/// A resident, as the city registers him.
#[derive(Clone)]
pub struct Resident {
    /// The city's own number (宛名番号). It appears in no institution's records.
    pub number: String,
    /// Name as registered.
    pub name: String,
    /// Name in kana.
    pub kana: String,
    /// Birth date.
    pub birth: CalendarDate,
    /// Sex.
    pub sex: Sex,
}

/// Who cares for whom.
#[derive(Clone)]
pub struct Guardianship {
    /// Resident number of the guardian.
    pub guardian: String,
    /// Resident number of the child.
    pub child: String,
}

/// What one institution holds.
#[derive(Clone, Default)]
pub struct Archive {
    /// Its FHIR, one resource a line.
    pub ndjson: String,
    /// Its own number of each resident it knows, by resident number.
    pub numbers: BTreeMap<String, String>,
    /// Keys (`Type/id`) of the records each resident's view must show, by resident number.
    pub shown: BTreeMap<String, BTreeSet<String>>,
}

/// Everybody.
#[derive(Clone, Default)]
pub struct Population {
    /// The registry's residents.
    pub residents: Vec<Resident>,
    /// The registry's guardianships.
    pub guardianships: Vec<Guardianship>,
    /// Resident numbers of those who have a card.
    pub card_holders: Vec<String>,
    /// Each institution's records.
    pub archives: BTreeMap<House, Archive>,
}

impl Population {
    /// The residents as the CSV the registry imports.
    pub fn residents_csv(&self) -> String {
        let mut csv = "resident_number,name,kana,birth_date,sex\n".to_owned();
        for resident in &self.residents {
            let Resident { number, name, kana, birth, sex } = resident;
            let (name, kana) = (name.replace('"', "\"\""), kana.replace('"', "\"\""));
            let _ = writeln!(csv, "{number},\"{name}\",\"{kana}\",{birth},{}", sex.code());
        }
        csv
    }

    /// A resident by number.
    pub fn resident(&self, number: &str) -> Option<&Resident> {
        self.residents.iter().find(|resident| resident.number == number)
    }

    /// Resident numbers of a guardian's children.
    pub fn children_of<'a>(&'a self, guardian: &'a str) -> impl Iterator<Item = &'a Resident> {
        let ours = self.guardianships.iter().filter(move |care| care.guardian == guardian);
        ours.filter_map(|care| self.resident(&care.child))
    }

    /// Keys of all records a resident's complete view must show, by institution; institutions without
    /// any are left out.
    pub fn expected(&self, number: &str) -> BTreeMap<House, BTreeSet<String>> {
        let shown = |archive: &Archive| archive.shown.get(number).cloned().unwrap_or_default();
        let all = self.archives.iter().map(|(house, archive)| (*house, shown(archive)));
        all.filter(|(_, keys)| !keys.is_empty()).collect()
    }

    /// What the views of a guardian's children must show.
    pub fn expected_of(&self, guardian: &str) -> Expected {
        self.children_of(guardian).map(|child| (child.kana.clone(), self.expected(&child.number))).collect()
    }

    /// The archive of a house.
    pub fn archive(&mut self, house: House) -> &mut Archive {
        self.archives.entry(house).or_default()
    }

    /// The number a house knows a resident by; a new one if it did not know him.
    pub fn number_at(&mut self, house: House, resident: &str, chance: &mut Chance) -> (String, bool) {
        let archive = self.archive(house);
        if let Some(number) = archive.numbers.get(resident) {
            return (number.clone(), false);
        }
        loop {
            let number = house.local_number(chance.next());
            if archive.numbers.values().all(|taken| *taken != number) {
                archive.numbers.insert(resident.to_owned(), number.clone());
                return (number, true);
            }
        }
    }

    /// Adds a line that these residents' views must show under `key`.
    pub fn add(&mut self, house: House, line: &str, key: &str, shown_to: &[&str]) {
        let archive = self.archive(house);
        archive.ndjson.push_str(line);
        archive.ndjson.push('\n');
        for resident in shown_to {
            archive.shown.entry((*resident).to_owned()).or_default().insert(key.to_owned());
        }
    }
}
