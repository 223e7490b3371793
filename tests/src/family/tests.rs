#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use hibiki_records::ingest::{Format, Item, read};
use hibiki_records::{allergy, checkup, growth as growth_facts, medicine, school as school_facts, words};

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

/// All records of one person at every house, as they are stored.
fn stored(population: &Population, person: &str) -> Vec<(Category, Vec<u8>)> {
    let mut found = Vec::new();
    for (house, keys) in population.expected(person) {
        let text = population.archives[&house].ndjson.clone();
        for item in read(Cursor::new(text.into_bytes()), Format::Auto) {
            let item = item.unwrap();
            let Some(record) = item.record() else { continue };
            if keys.contains(&record.id) {
                found.push((record.category, record.content.clone()));
            }
        }
    }
    found
}

#[test]
fn every_record_of_the_family_becomes_a_typed_fact() {
    let (population, family) = found(1, today());
    for person in [&family.mother, &family.third_grader, &family.baby] {
        for (category, content) in stored(&population, person) {
            let read = match category {
                Category::Growth => growth_facts::Measurement::read(&content).map(|it| {
                    assert!(it.value.is_some() && it.doubt.is_none() && it.exact_day);
                }),
                Category::PrenatalCheckup | Category::InfantCheckup | Category::HealthExam => {
                    checkup::Reading::read(category, &content).map(|it| assert!(!it.items.is_empty()))
                }
                Category::Allergy => allergy::Allergy::read(&content)
                    .map(|it| assert!(it.code.is_some() && !it.reactions.is_empty())),
                Category::Prescription => medicine::Medicine::read(&content)
                    .map(|it| assert!(it.dosage.is_some() && it.amount.is_some())),
                Category::SchoolNotice | Category::SchoolEvent => {
                    school_facts::read(category, &content).map(|it| assert_eq!(it.len(), 1))
                }
                Category::Patient | Category::Immunization => Ok(()),
                Category::SchoolMenu | Category::SchoolGate => {
                    Err(hibiki_records::fhir::Reason::ConflictingCategory)
                }
            };
            assert!(read.is_ok(), "{category}: {}", String::from_utf8_lossy(&content));
        }
    }
}

#[test]
fn the_familys_check_ups_are_gathered() {
    let (population, family) = found(1, today());
    let gathered = |person: &str| {
        let resident = population.resident(person).unwrap();
        let readings: Vec<checkup::Reading> = stored(&population, person)
            .iter()
            .filter_map(|(category, content)| checkup::Reading::read(*category, content).ok())
            .collect();
        checkup::occasions(&readings, Some(resident.birth))
    };
    let visits = gathered(&family.mother);
    let prenatal: Vec<_> = visits.iter().filter(|it| it.kind == checkup::OccasionKind::Prenatal).collect();
    let numbers: Vec<_> = prenatal.iter().rev().filter_map(|it| it.visit).collect();
    assert_eq!(numbers, (1..=14).collect::<Vec<u8>>());
    assert!(prenatal.iter().all(|it| it.gestation.is_some()));
    let last = prenatal[0];
    let weight = last.outcomes.iter().find(|it| it.item.label.ja == "体重").unwrap();
    assert!(weight.previous.as_ref().unwrap().change.is_some());

    let child = gathered(&family.third_grader);
    let kinds: Vec<_> = child.iter().rev().map(|it| it.kind).collect();
    let year = hibiki_records::date::school::school_year(today());
    let grade = hibiki_records::date::school::Grade::Elementary;
    use checkup::ChildCheckup::{
        EighteenMonths, NineToTenMonths, OneMonth, Preschool, SixToSevenMonths, ThreeToFourMonths, ThreeYears,
    };
    use checkup::OccasionKind::{Childhood, School};
    assert_eq!(
        kinds,
        [
            Childhood(OneMonth),
            Childhood(ThreeToFourMonths),
            Childhood(SixToSevenMonths),
            Childhood(NineToTenMonths),
            Childhood(EighteenMonths),
            Childhood(ThreeYears),
            Childhood(Preschool),
            School { year: year - 2, grade: grade(1) },
            School { year: year - 1, grade: grade(2) },
            School { year, grade: grade(3) },
        ]
    );
    for exam in &child[..2] {
        assert!(
            exam.outcomes.iter().all(|it| it.previous.is_some()),
            "every result has one of the year before"
        );
    }
    let baby = gathered(&family.baby);
    assert_eq!(baby.len(), 4);
    let birth = population.resident(&family.baby).unwrap().birth;
    let due = checkup::childhood::due(birth, today(), &baby);
    let shown: Vec<&str> = due.iter().map(|it| it.progress.label().ja).collect();
    assert_eq!(
        shown,
        ["記録あり", "記録あり", "記録あり", "記録あり", "これから", "これから", "これから", "これから"]
    );
}

#[test]
fn the_familys_growth_lies_within_the_survey() {
    let (population, family) = found(1, today());
    for person in [&family.third_grader, &family.baby] {
        let resident = population.resident(person).unwrap();
        let child = growth_facts::Child {
            birth: resident.birth,
            sex: resident.sex,
            ages: growth_facts::Ages::FromBirth,
        };
        let measured: Vec<growth_facts::Measurement> = stored(&population, person)
            .iter()
            .filter(|(category, _)| *category == Category::Growth)
            .map(|(_, content)| growth_facts::Measurement::read(content).unwrap())
            .collect();
        for kind in [growth_facts::Kind::Height, growth_facts::Kind::Weight] {
            let series =
                growth_facts::Series::new(kind, &measured, &child, growth_facts::Reference::Japan2023);
            assert!(series.points().count() > 3);
            for (entry, _) in series.points() {
                assert!(entry.doubt.is_none());
                let young = entry.age.is_some_and(|age| (2..78).contains(&age.months));
                assert!(!young || entry.placement.is_some());
            }
        }
        let days = growth_facts::obesity::days(&measured, &child);
        assert!(days.iter().all(|day| day.obesity.percent.abs() < 40.0));
        assert_eq!(days.is_empty(), person == &family.baby);
    }
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
    // Menus, arrival and leaving are no FHIR: a school's own node makes them.
    assert_eq!(seen, Category::ALL.into_iter().filter(|category| category.is_held_as_fhir()).collect());
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
    assert_eq!(mother.outcome, Outcome::RecordFound);
    let found: Vec<_> = mother.rows.iter().map(|row| row.evidence.len()).collect();
    assert_eq!(
        found,
        [1, 0, 1, 1, 0, 0],
        "a dose in the ledger, the titre of the pregnancy, a dose at the clinic"
    );
    let father = ask(&family.father, None);
    assert_eq!(father.outcome, Outcome::NoneThoughProgramme);
    assert_eq!(ask(&family.father, Some(House::Pharmacy)).outcome, Outcome::NoneThoughProgramme);
    assert_eq!(ask(&family.father, Some(House::Clinic)).outcome, Outcome::DidNotAnswer);
}
