//! What the guardian's page has to show of the family, read by the readers it uses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::LazyLock;

use hibiki_records::allergy::{Allergy, most_important_first};
use hibiki_records::checkup::{Occasion, OccasionKind, Reading, occasions};
use hibiki_records::growth::{Kind, Measurement};
use hibiki_records::immunization::{self, Vaccination};
use hibiki_records::ingest::{Format, read};
use hibiki_records::medicine::{Medicine, newest_first};
use hibiki_records::rubella::{Evidence, Immunity, When, find};
use hibiki_records::schedule::{self, SeriesPlan, Timing};

use super::*;

/// The town on days of all seasons, of both sides of 1 April, and on a leap day.
static TOWNS: LazyLock<[Town; 6]> = LazyLock::new(|| {
    [(2026, 11, 26), (2027, 4, 1), (2027, 3, 31), (2027, 8, 10), (2028, 2, 29), (2029, 1, 3)]
        .map(|(year, month, day)| Town::on(CalendarDate::new(year, month, day).unwrap()))
});

type Records = Vec<(Category, Vec<u8>)>;

/// The town of a day, its records read once.
struct Town {
    today: CalendarDate,
    population: Population,
    family: Family,
    read: BTreeMap<(House, String), (Category, Vec<u8>)>,
}

impl Town {
    fn on(today: CalendarDate) -> Self {
        let (population, family) = found(3, today);
        let mut all = BTreeMap::new();
        for (house, archive) in &population.archives {
            for item in read(Cursor::new(archive.ndjson.clone().into_bytes()), Format::Auto) {
                let item = item.unwrap_or_else(|rejected| panic!("{house}: {rejected}"));
                all.extend(
                    item.record().map(|record| {
                        ((*house, record.id.clone()), (record.category, record.content.to_vec()))
                    }),
                );
            }
        }
        Self { today, population, family, read: all }
    }

    /// Category and content of everything a person's view shows.
    fn records(&self, person: &str) -> Records {
        let keys = self.population.expected(person).into_iter();
        let keys = keys.flat_map(|(house, keys)| keys.into_iter().map(move |key| (house, key)));
        keys.map(|key| self.read[&key].clone()).collect()
    }

    fn birth(&self, person: &str) -> CalendarDate {
        self.population.resident(person).unwrap().birth
    }
}

fn of(records: &Records, wanted: Category) -> impl Iterator<Item = &[u8]> {
    records.iter().filter(move |(category, _)| *category == wanted).map(|(_, content)| content.as_slice())
}

fn checkups(records: &Records, birth: CalendarDate) -> Vec<Occasion> {
    let readings: Vec<Reading> =
        records.iter().filter_map(|(category, content)| Reading::read(*category, content).ok()).collect();
    occasions(&readings, Some(birth))
}

#[test]
fn the_baby_has_a_dose_overdue_and_one_due_and_nobody_was_vaccinated_too_early() {
    for town in &*TOWNS {
        let Town { today, population, family, .. } = town;
        let today = *today;
        for child in population.guardianships.iter().map(|care| &care.child) {
            let child = population.resident(child).unwrap();
            let records = town.records(&child.number);
            let given: Vec<Vaccination> =
                of(&records, Category::Immunization).map(immunization::read).collect();
            let plan = schedule::plan(child.birth, child.sex, &given, today);
            assert!(plan.other.is_empty(), "{today}");
            let noted = plan.series.iter().flat_map(SeriesPlan::received).filter(|it| !it.notes.is_empty());
            assert_eq!(noted.count(), 0, "{today}: every dose in its time");
            let next = schedule::next(&plan, today);
            let at = |series: &str| {
                let step = next.iter().find(|step| step.series == series);
                step.map(|step| (step.dose, step.timing))
            };
            if child.number == family.baby {
                assert_eq!(at("hbv"), Some(("3", Timing::Late)), "{today}");
                assert_eq!(at("dpt_ipv_hib"), Some(("b", Timing::Now)), "{today}");
                assert_eq!(next[0].timing, Timing::Late);
            }
            if child.number == family.third_grader {
                let nine = age::attained_age(child.birth, today).unwrap() >= 9;
                let second = if nine { Timing::Now } else { Timing::Later };
                assert_eq!(at("je"), Some(("2", second)), "{today}");
            }
        }
    }
}

#[test]
fn growth_has_many_ages_and_no_doubtful_value() {
    let town = &TOWNS[0];
    let family = &town.family;
    let measured = |person: &str, kind: Kind| {
        let records = town.records(person);
        let all = of(&records, Category::Growth).map(|content| Measurement::read(content).unwrap());
        let all: Vec<Measurement> = all.filter(|it| it.kind == kind).collect();
        assert!(all.iter().all(|it| it.value.is_some() && it.doubt.is_none()));
        let mut days: Vec<CalendarDate> = all.iter().map(|it| it.date).collect();
        days.sort_unstable();
        days.dedup();
        (days.len(), all.iter().filter(|it| it.at_birth).count())
    };
    for (person, kind, at_least) in [
        (&family.baby, Kind::Weight, 8),
        (&family.baby, Kind::Height, 8),
        (&family.baby, Kind::HeadCircumference, 8),
        (&family.third_grader, Kind::Weight, 20),
        (&family.third_grader, Kind::Height, 20),
        (&family.third_grader, Kind::HeadCircumference, 10),
    ] {
        let (ages, births) = measured(person, kind);
        assert!(ages >= at_least, "{kind:?}: {ages}");
        assert_eq!(births, usize::from(kind == Kind::Weight));
    }
}

#[test]
fn check_ups_follow_each_other_with_the_result_before() {
    for town in &*TOWNS {
        let Town { today, family, .. } = town;
        let today = *today;
        let of = |person: &str| {
            let birth = town.birth(person);
            (checkups(&town.records(person), birth), birth)
        };
        let (baby, _) = of(&family.baby);
        let held = baby.iter().filter(|it| matches!(it.kind, OccasionKind::Childhood(_))).count();
        assert_eq!((held, baby.len()), (4, 4), "{today}: nothing stands by itself");
        let feeding = baby[0].outcomes.iter().find(|it| it.item.label.ja == "栄養法").unwrap();
        assert!(feeding.previous.is_some());

        let (elder, birth) = of(&family.third_grader);
        let school = elder.iter().filter(|it| matches!(it.kind, OccasionKind::School { .. })).count();
        let years = hibiki_records::date::school::school_year(today)
            - hibiki_records::date::school::entry_year(birth).unwrap();
        // In April the examination of the year is still to come.
        assert!([years, years + 1].contains(&(school as i16)), "{today}: {school}");
        assert!(elder.iter().any(|it| it.label.ja == "就学時健診"));
        let last = elder.iter().find(|it| matches!(it.kind, OccasionKind::School { .. })).unwrap();
        let before = |item: &str| {
            let outcome = last.outcomes.iter().find(|it| it.item.label.ja == item);
            outcome.unwrap_or_else(|| panic!("{today}: {item}")).previous.clone().unwrap()
        };
        assert!(before("身長").change.is_some_and(|it| it.value > 2.0), "{today}");
        for item in ["視力(右)", "視力(左)", "歯・口腔", "尿蛋白", "皮膚"] {
            assert!(!before(item).value.ja.is_empty());
        }

        let (mother, _) = of(&family.mother);
        let visits: Vec<u8> = mother
            .iter()
            .rev()
            .filter(|it| it.kind == OccasionKind::Prenatal)
            .map(|it| it.visit.unwrap())
            .collect();
        assert_eq!(visits, (1..=14).collect::<Vec<u8>>(), "{today}");
        for (place, occasion) in mother.iter().rev().enumerate() {
            let has = |item: &str| occasion.outcomes.iter().find(|it| it.item.label.ja == item);
            for item in ["体重", "収縮期血圧", "拡張期血圧", "尿蛋白", "尿糖", "浮腫"] {
                let outcome = has(item).unwrap_or_else(|| panic!("{today}: {item}"));
                assert_eq!(outcome.previous.is_some(), place > 0, "{today}: {item}");
            }
            assert!(occasion.gestation.is_some() && (has("子宮底長").is_some() == (place > 1)), "{today}");
        }
    }
}

#[test]
fn the_mother_finds_her_rubella_records_and_the_father_finds_none() {
    for town in &*TOWNS {
        let Town { today, family, .. } = town;
        let today = *today;
        let evidence = |person: &str| -> Vec<Evidence> {
            town.records(person).iter().flat_map(|(_, content)| find(content)).collect()
        };
        let hers = evidence(&family.mother);
        assert_eq!(hers.iter().filter(|it| it.vaccination().is_some()).count(), 2, "{today}");
        let titres: Vec<Immunity> = hers.iter().filter_map(|it| Some(it.antibody()?.immunity)).collect();
        assert_eq!(titres, [Immunity::Enough], "{today}");
        let born = town.birth(&family.mother);
        assert!(hers.iter().all(|it| it.when.as_ref().and_then(When::day).is_some_and(|day| day > born)));
        assert!(evidence(&family.father).is_empty());
    }
}

#[test]
fn medicines_say_how_they_are_taken_and_allergies_what_to_heed() {
    let town = &TOWNS[0];
    let Town { today, family, .. } = town;
    let today = *today;
    let records = town.records(&family.third_grader);
    let medicines: Vec<Medicine> =
        of(&records, Category::Prescription).map(|content| Medicine::read(content).unwrap()).collect();
    assert!(medicines.len() >= 12 && medicines.iter().all(|it| it.dosage.is_some() && it.amount.is_some()));
    let newest = &medicines[newest_first(&medicines)[0]];
    assert!(today.days_since(newest.date) < 14);
    assert!(medicines.iter().any(|it| it.covers(today) == Some(true)), "something is being taken now");
    assert!(medicines.iter().any(|it| it.covers(today) == Some(false)));

    let allergies: Vec<Allergy> =
        of(&records, Category::Allergy).map(|content| Allergy::read(content).unwrap()).collect();
    let order = most_important_first(&allergies);
    assert_eq!(allergies[order[0]].substance.ja, "卵");
    let current: Vec<bool> = order.iter().map(|place| allergies[*place].is_current()).collect();
    assert_eq!(current, [true, true, false]);
}

#[test]
fn the_school_has_things_to_hand_in_and_events_of_hours_and_of_days() {
    for town in &*TOWNS {
        let Town { today, family, .. } = town;
        let today = *today;
        let records = town.records(&family.third_grader);
        let json = |category| {
            of(&records, category)
                .map(|content| serde_json::from_slice::<Value>(content).unwrap())
                .collect::<Vec<Value>>()
        };
        let notices = json(Category::SchoolNotice);
        let due: Vec<CalendarDate> = notices
            .iter()
            .filter(|it| it["resourceType"] == "Task" && it["status"] == "requested")
            .map(|it| it.pointer("/restriction/period/end").unwrap().as_str().unwrap().parse().unwrap())
            .collect();
        assert!(due.iter().filter(|day| **day >= today).count() >= 3, "{today}");
        let letters = notices.iter().filter(|it| it["resourceType"] == "Communication");
        let sent: Vec<String> = letters.map(|it| it["sent"].as_str().unwrap()[..10].to_owned()).collect();
        assert!(sent.len() >= 8 && sent.iter().all(|day| *day <= today.to_string()), "{today}: {sent:?}");

        let mut whole = 0;
        for event in json(Category::SchoolEvent) {
            let [start, end] = ["start", "end"].map(|name| event[name].as_str().unwrap().to_owned());
            assert!(start < end, "{event}");
            let held: CalendarDate = start[..10].parse().unwrap();
            let idle = event["description"].as_str().unwrap().ends_with("休み") || school_days::is_open(held);
            assert!(idle, "{today}: {event}");
            whole += usize::from(start.contains("T00:00") && end.contains("T00:00"));
        }
        assert_eq!(whole, 3, "{today}");
    }
}
