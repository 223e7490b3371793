//! Whose records are exported: the family of the town, and people of files nobody here wrote.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use hibiki_records::category::Category;
use hibiki_records::ingest::{Format, Item, Subject, read};
use hibiki_tests::family;
use hibiki_tests::house::House;
use hibiki_tests::skip::skipped;

/// A record as a view has it.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) category: Category,
    pub(crate) media_type: &'static str,
    pub(crate) content: Vec<u8>,
}

/// A person and what each institution holds of them.
pub(crate) struct Person {
    pub(crate) subject: hibiki_records::ips::Subject,
    pub(crate) held: BTreeMap<House, Vec<Held>>,
}

/// Mother, third-grader and baby.
pub(crate) fn family() -> Vec<Person> {
    let (population, family) = family::found(11, "2026-11-22".parse().unwrap());
    [&family.mother, &family.third_grader, &family.baby]
        .into_iter()
        .map(|number| {
            let resident = population.resident(number).unwrap();
            let held = population.expected(number).into_iter().map(|(house, keys)| {
                let text = population.archives[&house].ndjson.clone();
                let items = read(Cursor::new(text.into_bytes()), Format::Auto).map(Result::unwrap);
                let records = items.filter_map(|item| item.record().cloned());
                let held = records.filter(|record| keys.contains(&record.id)).map(|record| Held {
                    category: record.category,
                    media_type: record.media_type,
                    content: record.content,
                });
                (house, held.collect())
            });
            let subject = hibiki_records::ips::Subject {
                name: resident.name.clone(),
                kana: Some(resident.kana.clone()),
                birth: resident.birth,
                sex: resident.sex,
            };
            Person { subject, held: held.collect() }
        })
        .collect()
}

/// The children and pregnant women of Synthea, each kind of record at another house; empty, said aloud, where the
/// files are not beside the repository.
pub(crate) fn synthea(test: &str) -> Vec<Person> {
    let Some(folder) = shared(test, "data/synthea-r4-smart") else { return Vec::new() };
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    for (file, house) in [
        ("children-ndjson/Patient", House::CityHall),
        ("children-ndjson/Immunization", House::Clinic),
        ("children-ndjson/Observation-growth", House::HealthCentre),
        ("children-ndjson/AllergyIntolerance", House::School),
        ("pregnancy-ndjson/Patient", House::CityHall),
        ("pregnancy-ndjson/Immunization", House::Clinic),
        ("pregnancy-ndjson/Encounter", House::Hospital),
        ("pregnancy-ndjson/Procedure", House::Hospital),
    ] {
        let content = fs::read(folder.join(format!("{file}.ndjson"))).unwrap();
        for item in read(Cursor::new(content), Format::FhirNdjson).map(Result::unwrap) {
            let Some(record) = item.record() else { continue };
            let Subject::Person(number) = &record.subject else { continue };
            if let Item::Patient { facts, .. } = &item {
                let subject = hibiki_records::ips::Subject {
                    name: facts.name.clone(),
                    kana: facts.kana.clone(),
                    birth: facts.birth_date,
                    sex: facts.sex,
                };
                people.entry(number.clone()).or_insert_with(|| Person { subject, held: BTreeMap::new() });
            }
            let held = people.get_mut(number).unwrap().held.entry(house).or_default();
            held.push(Held {
                category: record.category,
                media_type: record.media_type,
                content: record.content.clone(),
            });
        }
    }
    assert!(people.len() > 100);
    people.into_values().collect()
}

/// A path beside the repository, or nothing, said aloud.
pub(crate) fn shared(test: &str, path: &str) -> Option<PathBuf> {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(path);
    if !full.exists() {
        skipped(test, &format!("../shared/{path} is not beside the repository"));
        return None;
    }
    Some(full)
}
