#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use hibiki_records::ingest::{Format, Item, read};
use hibiki_records::words;

use super::*;

fn today() -> CalendarDate {
    CalendarDate::new(2026, 11, 22).unwrap()
}

/// What each house's own reader makes of its file: categories by record key.
fn read_back(population: &Population, house: House) -> BTreeMap<String, Category> {
    let text = population.archives[&house].ndjson.clone();
    let items = read(Cursor::new(text.into_bytes()), Format::Auto);
    let mut found = BTreeMap::new();
    for item in items {
        let item = item.unwrap_or_else(|rejected| panic!("{house}: {rejected}"));
        assert!(!matches!(item, Item::Skipped { .. }), "{house}");
        if let Some(record) = item.record() {
            let line = words::summary(record.category, &record.content);
            assert_ne!(line.ja, record.category.label().ja, "{house} {}", record.id);
            assert!(found.insert(record.id.clone(), record.category).is_none(), "{house} {}", record.id);
        }
    }
    found
}

#[test]
fn every_record_is_read_and_shown_to_somebody() {
    let (population, _) = found(1, today());
    for house in House::ALL {
        let read: BTreeSet<String> = read_back(&population, house).into_keys().collect();
        let shown: BTreeSet<String> = population.archives[&house].shown.values().flatten().cloned().collect();
        assert_eq!(read, shown, "{house}");
        assert!(read.len() > 10, "{house} {}", read.len());
    }
}

#[test]
fn the_family_has_something_of_every_category() {
    let (population, family) = found(1, today());
    let mut seen = BTreeSet::new();
    for person in [&family.mother, &family.third_grader, &family.baby] {
        for (house, keys) in population.expected(person) {
            let read = read_back(&population, house);
            seen.extend(keys.iter().map(|key| read[key]));
        }
    }
    assert_eq!(seen, Category::ALL.into_iter().collect());
    assert_eq!(population.expected(&family.third_grader).len(), 6);
    let of_baby: BTreeSet<House> = population.expected(&family.baby).into_keys().collect();
    assert!(!of_baby.contains(&House::School) && of_baby.len() == 5);
}

#[test]
fn no_number_is_common_to_two_houses() {
    let (population, _) = found(1, today());
    let mut numbers: Vec<&String> =
        population.archives.values().flat_map(|archive| archive.numbers.values()).collect();
    numbers.extend(population.residents.iter().map(|resident| &resident.number));
    let distinct: BTreeSet<&String> = numbers.iter().copied().collect();
    assert_eq!(distinct.len(), numbers.len());
    let ids: Vec<&String> = population
        .archives
        .values()
        .flat_map(|a| a.shown.values().flatten().collect::<BTreeSet<_>>())
        .collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

#[test]
fn a_seed_makes_the_same_town_on_any_day() {
    for day in [today(), CalendarDate::new(2027, 4, 1).unwrap(), CalendarDate::new(2028, 2, 29).unwrap()] {
        let (one, _) = found(7, day);
        let (two, _) = found(7, day);
        assert_eq!(one.residents_csv(), two.residents_csv());
        for house in House::ALL {
            assert_eq!(one.archives[&house].ndjson, two.archives[&house].ndjson);
            read_back(&one, house);
        }
    }
}

#[test]
fn vaccinations_follow_the_schedule_of_the_birth_date() {
    let (population, family) = found(1, today());
    let doses = |person: &str, cvx: &str| -> usize {
        let needle = format!("\"code\":\"{cvx}\",\"display\"");
        population
            .archives
            .values()
            .filter_map(|archive| Some((archive, archive.numbers.get(person)?)))
            .flat_map(|(archive, number)| {
                let number = format!("\"Patient/{number}\"");
                archive.ndjson.lines().filter(move |line| line.contains(&number))
            })
            .filter(|line| line.contains("/sid/cvx") && line.contains(&needle))
            .count()
    };
    let (elder, baby) = (&family.third_grader, &family.baby);
    assert_eq!((doses(elder, "130"), doses(elder, "120"), doses(elder, "119")), (4, 0, 0));
    assert_eq!((doses(baby, "130"), doses(baby, "120"), doses(baby, "119")), (0, 3, 2));
    assert_eq!((doses(elder, "04"), doses(baby, "04")), (2, 0), "MR comes at one year and before school");
    assert_eq!((doses(elder, "19"), doses(baby, "19")), (1, 1));
}

#[test]
fn growth_stays_within_the_national_range() {
    for sex in [Sex::Male, Sex::Female] {
        let mut before = (0.0, 0.0);
        for months in 0..140 {
            let (height, weight) = growth::at(sex, f64::from(months), 0.0);
            assert!(height >= before.0 && weight >= before.1);
            before = (height, weight);
        }
        let (height, weight) = growth::at(sex, 12.0, 0.0);
        assert!((71.0..76.0).contains(&height) && (8.3..9.7).contains(&weight));
    }
}

#[test]
fn the_rubella_look_up_knows_every_house_and_finds_the_third_grader_s_doses() {
    use hibiki_records::rubella::{HolderKind, Outcome, Person, Reply, Sheet, Source};
    let (population, family) = found(1, today());
    let ask = |number: &str, silent: Option<House>| {
        let resident = population.resident(number).unwrap();
        let shown = population.expected(number);
        let sources = House::ALL.into_iter().map(|house| {
            let items =
                read(Cursor::new(population.archives[&house].ndjson.clone().into_bytes()), Format::Auto);
            let records: Vec<_> = items.filter_map(|item| item.unwrap().record().cloned()).collect();
            let keys = shown.get(&house);
            let own = records.iter().filter(|record| keys.is_some_and(|keys| keys.contains(&record.id)));
            let reply = match silent {
                Some(silent) if silent == house => Reply::Silent,
                _ => Reply::answered(own.map(|record| record.content.as_slice()), None),
            };
            let (ja, en) = house.names();
            // Configurations write a hyphen where the wire has an underscore.
            let kind = HolderKind::named(&house.kind().replace('-', "_"));
            assert_ne!(kind, HolderKind::Other, "{house}");
            Source { name: (ja.into(), en.into()), kind, reply }
        });
        Sheet::new(Person { birth: resident.birth, sex: resident.sex }, sources.collect(), 0, today())
    };
    let child = ask(&family.third_grader, None);
    assert_eq!(child.outcome, Outcome::RecordFound);
    let found: Vec<_> = child.rows.iter().map(|row| row.evidence.len()).collect();
    assert_eq!(found, [2, 0, 0, 0, 0, 0], "both doses are in the city's ledger");
    assert_eq!(child.rows[0].evidence[1].words().ja, "麻しん風しん混合(MR)ワクチン 第2期");
    let mother = ask(&family.mother, None);
    assert_eq!(mother.outcome, Outcome::NoneThoughProgramme);
    assert_eq!(ask(&family.mother, Some(House::Pharmacy)).outcome, Outcome::NoneThoughProgramme);
    assert_eq!(ask(&family.mother, Some(House::Clinic)).outcome, Outcome::DidNotAnswer);
}
