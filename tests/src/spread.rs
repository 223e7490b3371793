//! Somebody else's FHIR R4 files, spread over the six institutions as life would spread them.
//!
//! Reads every `.json` (Bundle or single resource) and `.ndjson` file of a folder, picks people by birth
//! date, and gives every resource to exactly one institution:
//!
//! | resource | institution |
//! |---|---|
//! | Immunization before the 6th birthday | city hall, clinic or hospital, by a hash of its id |
//! | Immunization later | school |
//! | body measurement before the 6th birthday | health centre |
//! | body measurement later | school |
//! | AllergyIntolerance | clinic or hospital, by a hash of its id |
//! | medicines | pharmacy |
//! | infant check-up | health centre |
//! | prenatal check-up | hospital |
//! | any other health examination | school from the 6th birthday, clinic before |
//!
//! The Patient goes to each institution that holds something. Only the patient's id and the references to it
//! are rewritten, to that institution's own number; everything else stays byte for byte (line breaks between
//! elements become spaces). Notices are not invented. Must not know processes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use hibiki_records::category::Category;
use hibiki_records::date::{CalendarDate, age};
use hibiki_records::ingest::{Format, Item, Subject, read};
use hibiki_records::person::{PatientFacts, Sex};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chance::Chance;
use crate::house::House;
use crate::population::{Guardianship, Population, Resident};

/// Children one invented guardian cares for at most: a class, and less than a card may act for.
pub const CHILDREN_PER_GUARDIAN: usize = 20;

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpreadError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is no FHIR.
    #[error("{path}: neither a FHIR resource, a Bundle nor NDJSON")]
    NotFhir {
        /// The file.
        path: PathBuf,
    },
    /// Nobody fits.
    #[error(
        "{path}: there is no Patient born on {from} or later with any record; give a folder of FHIR R4 bundles or NDJSON files with children"
    )]
    Nobody {
        /// The folder.
        path: PathBuf,
        /// The earliest birth date that was looked for.
        from: CalendarDate,
    },
}

/// Whom to take.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The day it is.
    pub today: CalendarDate,
    /// Born on this day or later.
    pub born_from: CalendarDate,
    /// No more than this many.
    pub most: usize,
}

/// The people of a folder, in the order of their ids.
pub struct Spread {
    /// The town they make: minors with invented guardians, adults with a card of their own.
    pub population: Population,
    /// Resident numbers of the people taken, by their id in the files.
    pub people: BTreeMap<String, String>,
    /// Resources that are no record here, or that could not be read.
    pub left_out: usize,
}

/// A person of the files.
struct Person {
    facts: PatientFacts,
    line: String,
    records: Vec<Found>,
}

/// A record of the files.
struct Found {
    category: Category,
    date: CalendarDate,
    key: String,
    line: String,
}

/// Reads a folder and spreads it.
///
/// # Errors
/// A file cannot be read, or nobody fits.
pub fn spread(folder: &Path, wanted: Wanted) -> Result<Spread, SpreadError> {
    let (people, left_out) = gather(folder)?;
    let nobody = || SpreadError::Nobody { path: folder.to_owned(), from: wanted.born_from };
    let taken = people
        .into_iter()
        .filter(|(_, person)| person.facts.birth_date >= wanted.born_from && !person.records.is_empty())
        .take(wanted.most);
    let mut spread = Spread { population: Population::default(), people: BTreeMap::new(), left_out };
    let mut chance = Chance::new(0x5EED_0F70);
    let mut minors = Vec::new();
    for (id, person) in taken {
        let number = settle(&mut spread.population, &id, &person, &mut chance);
        if age::attained_age(person.facts.birth_date, wanted.today).is_some_and(|years| years >= 18) {
            spread.population.card_holders.push(number.clone());
        } else {
            minors.push(number.clone());
        }
        spread.people.insert(id, number);
    }
    for (place, children) in minors.chunks(CHILDREN_PER_GUARDIAN).enumerate() {
        guardian(&mut spread.population, place, children, wanted.today);
    }
    if spread.people.is_empty() { Err(nobody()) } else { Ok(spread) }
}

/// Everybody in the folder with the records about them, each record once.
fn gather(folder: &Path) -> Result<(BTreeMap<String, Person>, usize), SpreadError> {
    let (mut people, mut records) = (BTreeMap::new(), BTreeMap::new());
    let mut left_out = 0;
    for path in files(folder)? {
        for line in lines(&path)? {
            let item = read(Cursor::new(line.clone().into_bytes()), Format::FhirNdjson).next();
            match item {
                Some(Ok(Item::Patient { facts, .. })) => {
                    let id = facts.local_number.clone();
                    people.entry(id).or_insert(Person { facts, line, records: Vec::new() });
                }
                Some(Ok(Item::Record(record))) => {
                    let Subject::Person(subject) = record.subject else { continue };
                    let (key, found) = (record.id.clone(), (record.category, record.date, line));
                    records.entry(key).or_insert((subject, found));
                }
                Some(_) => left_out += 1,
                None => {}
            }
        }
    }
    for (key, (subject, (category, date, line))) in records {
        if let Some(person) = people.get_mut(&subject) {
            person.records.push(Found { category, date, key, line });
        }
    }
    Ok((people, left_out))
}

fn files(folder: &Path) -> Result<BTreeSet<PathBuf>, SpreadError> {
    let fail = |source| SpreadError::File { path: folder.to_owned(), source };
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if matches!(extension, "json" | "ndjson") {
            found.insert(path);
        }
    }
    Ok(found)
}

/// The resources of a file, one line each.
fn lines(path: &Path) -> Result<Vec<String>, SpreadError> {
    #[derive(Deserialize)]
    struct Bundle<'a> {
        #[serde(borrow)]
        entry: Option<Vec<Entry<'a>>>,
    }
    #[derive(Deserialize)]
    struct Entry<'a> {
        #[serde(borrow)]
        resource: Option<&'a RawValue>,
    }
    let text =
        fs::read_to_string(path).map_err(|source| SpreadError::File { path: path.to_owned(), source })?;
    if path.extension().is_some_and(|extension| extension == "ndjson") {
        return Ok(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect());
    }
    let bundle: Bundle<'_> =
        serde_json::from_str(&text).map_err(|_| SpreadError::NotFhir { path: path.to_owned() })?;
    let one_line = |text: &str| text.replace(['\n', '\r'], " ");
    Ok(match bundle.entry {
        Some(entries) => {
            entries.iter().filter_map(|entry| entry.resource).map(|raw| one_line(raw.get())).collect()
        }
        None => vec![one_line(&text)],
    })
}

/// Registers a person and hands each record to its institution.
fn settle(population: &mut Population, id: &str, person: &Person, chance: &mut Chance) -> String {
    let facts = &person.facts;
    let number = format!("{:010}", 2_000_000_000 + chance.below(7_999_999_999));
    let kana = facts.kana.clone().unwrap_or_else(|| facts.name.clone());
    population.residents.push(Resident {
        number: number.clone(),
        name: facts.name.clone(),
        kana,
        birth: facts.birth_date,
        sex: facts.sex,
    });
    for record in &person.records {
        let house = house_of(record, facts.birth_date);
        let (local, new) = population.number_at(house, &number, chance);
        if new {
            population.add(
                house,
                &rewritten(&person.line, id, &local),
                &format!("Patient/{local}"),
                &[&number],
            );
        }
        population.add(house, &rewritten(&record.line, id, &local), &record.key, &[&number]);
    }
    number
}

fn rewritten(line: &str, id: &str, local: &str) -> String {
    line.replace(&format!("urn:uuid:{id}"), &format!("Patient/{local}")).replace(id, local)
}

/// The rule of the module's table.
fn house_of(record: &Found, birth: CalendarDate) -> House {
    let six = age::years_attained_on(birth, 6).is_some_and(|day| record.date >= day);
    let draw = record.key.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    match (record.category, six) {
        (Category::Immunization, false) => match (draw >> 7) % 3 {
            0 => House::CityHall,
            1 => House::Clinic,
            _ => House::Hospital,
        },
        (Category::Growth, false) | (Category::InfantCheckup, _) => House::HealthCentre,
        (Category::Allergy, _) if (draw >> 7) % 2 == 0 => House::Clinic,
        (Category::Allergy | Category::PrenatalCheckup, _) => House::Hospital,
        (Category::Prescription, _) => House::Pharmacy,
        (_, true) => House::School,
        (_, false) => House::Clinic,
    }
}

fn guardian(population: &mut Population, place: usize, children: &[String], today: CalendarDate) {
    let number = format!("{:010}", 1_000_000_000 + place);
    let birth = today.plus_days(-40 * 365 - place as i32).unwrap_or(today);
    let letter = char::from(b'A' + (place % 26) as u8);
    let name = format!("Guardian {letter}{place}");
    population.residents.push(Resident {
        number: number.clone(),
        kana: name.clone(),
        name,
        birth,
        sex: Sex::Female,
    });
    for child in children {
        population.guardianships.push(Guardianship { guardian: number.clone(), child: child.clone() });
    }
    population.card_holders.push(number);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const PATIENT: &str = r#"{"resourceType":"Patient","id":"aaaa-1","name":[{"family":"Alpha","given":["Bo"]}],"birthDate":"2015-05-06"}"#;

    fn dose(id: &str, day: &str) -> String {
        format!(
            r#"{{"resourceType":"Immunization","id":"{id}","status":"completed","vaccineCode":{{"text":"BCG"}},"patient":{{"reference":"urn:uuid:aaaa-1"}},"occurrenceDateTime":"{day}","x":1.50}}"#
        )
    }

    fn wanted() -> Wanted {
        let day = |text: &str| text.parse().unwrap();
        Wanted { today: day("2026-11-22"), born_from: day("2008-11-23"), most: 64 }
    }

    #[test]
    fn every_record_goes_to_one_house_with_nothing_but_the_patient_renamed() {
        let folder = tempfile::tempdir().unwrap();
        let doses: Vec<String> = (0..40).map(|n| dose(&format!("d{n}"), "2016-01-01")).collect();
        fs::write(
            folder.path().join("one.ndjson"),
            format!("{PATIENT}\n{}\n{}\n", doses.join("\n"), dose("late", "2024-01-01")),
        )
        .unwrap();
        // The same records again, as a bundle over several lines.
        let entries: Vec<String> = doses.iter().map(|line| format!("{{\n\"resource\":\n{line}}}")).collect();
        let bundle = format!("{{\"resourceType\":\"Bundle\",\"entry\":[{}]}}", entries.join(","));
        fs::write(folder.path().join("two.json"), bundle).unwrap();

        let Spread { population, people, left_out } = spread(folder.path(), wanted()).unwrap();
        let number = &people["aaaa-1"];
        let expected = population.expected(number);
        let houses: Vec<House> = expected.keys().copied().collect();
        assert_eq!(houses, [House::CityHall, House::Hospital, House::Clinic, House::School]);
        assert_eq!(left_out, 0);
        let records: Vec<&String> =
            expected.values().flatten().filter(|key| !key.starts_with("Patient/")).collect();
        assert_eq!(records.len(), 41, "{records:?}");
        assert_eq!(records.iter().collect::<BTreeSet<_>>().len(), 41);
        for (house, archive) in &population.archives {
            let local = &archive.numbers[number];
            assert!(!archive.ndjson.contains("aaaa-1"), "{house}");
            assert!(archive.ndjson.contains(&format!("{{\"reference\":\"Patient/{local}\"}}")));
            assert!(archive.ndjson.contains("\"x\":1.50}"), "numbers keep their digits");
        }
        assert!(expected[&House::School].contains("Immunization/late"));
        assert_eq!(population.children_of(&population.card_holders[0]).count(), 1);
    }

    #[test]
    fn adults_hold_their_own_card_and_nobody_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.ndjson"), format!("{PATIENT}\n{}\n", dose("d", "2016-01-01")))
            .unwrap();
        let later = Wanted { today: "2033-05-06".parse().unwrap(), ..wanted() };
        let adult = spread(folder.path(), later).unwrap();
        assert_eq!(adult.population.card_holders, [adult.people["aaaa-1"].clone()]);
        assert!(adult.population.guardianships.is_empty());
        let nobody = Wanted { born_from: "2016-01-01".parse().unwrap(), ..wanted() };
        assert!(matches!(spread(folder.path(), nobody), Err(SpreadError::Nobody { .. })));
    }
}
