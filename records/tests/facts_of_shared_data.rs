//! Typed facts from files that nobody of this project wrote, and the reference tables against their sources.
//!
//! They lie beside the repository (`../shared`), not in it; without them these tests say loudly that they
//! were skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use hibiki_records::allergy::{Allergy, SubstanceKind};
use hibiki_records::category::Category;
use hibiki_records::checkup::{self, ChildCheckup, OccasionKind, Reading};
use hibiki_records::date::CalendarDate;
use hibiki_records::growth::{self, Ages, Band, Child, Kind, Measurement, Reference, Series};
use hibiki_records::ingest::{Format, IngestRecord, Item, Subject, read};
use hibiki_records::person::Sex;
use hibiki_records::school;

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(SHARED).join(path);
    if !path.exists() {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: ../shared not present beside the workspace ({})\n", path.display()),
        );
        return None;
    }
    Some(path)
}

fn records(path: &Path) -> Vec<IngestRecord> {
    let items = read(BufReader::new(File::open(path).unwrap()), Format::Auto);
    items.filter_map(|item| item.unwrap().record().cloned()).collect()
}

fn csv(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let heading = lines.next().unwrap();
    lines.map(|row| heading.iter().cloned().zip(row).collect()).collect()
}

/// The children: local number to birth date and sex.
fn children(folder: &Path) -> BTreeMap<String, Child> {
    let items = read(BufReader::new(File::open(folder.join("Patient.ndjson")).unwrap()), Format::Auto);
    let facts = items.filter_map(|item| match item.unwrap() {
        Item::Patient { facts, .. } => Some(facts),
        _ => None,
    });
    facts
        .map(|facts| {
            (
                facts.local_number.clone(),
                Child { birth: facts.birth_date, sex: facts.sex, ages: Ages::FromBirth },
            )
        })
        .collect()
}

fn of_person(record: &IngestRecord) -> String {
    match &record.subject {
        Subject::Person(number) => number.clone(),
        Subject::Group(_) => panic!("a person expected"),
    }
}

fn kind(name: &str) -> Kind {
    match name {
        "weight" => Kind::Weight,
        "height" | "length_height" => Kind::Height,
        "head_circumference" => Kind::HeadCircumference,
        other => panic!("{other}"),
    }
}

fn measured(kind: Kind, on: CalendarDate, value: f64) -> Measurement {
    let code = match kind {
        Kind::Weight => "29463-7",
        Kind::Height => "8302-2",
        _ => "9843-4",
    };
    let unit = kind.unit();
    let content = format!(
        r#"{{"resourceType":"Observation","status":"final","effectiveDateTime":"{on}","code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},"valueQuantity":{{"value":{value},"unit":"{unit}"}}}}"#
    );
    Measurement::read(content.as_bytes()).unwrap()
}

fn child(sex: &str) -> Child {
    Child { birth: "2020-01-01".parse().unwrap(), sex: Sex::from_fhir(sex).unwrap(), ages: Ages::FromBirth }
}

#[test]
fn every_height_and_weight_of_the_children_is_a_number_of_its_day() {
    let Some(folder) = shared("data/synthea-r4-smart/children-ndjson") else { return };
    let children = children(&folder);
    assert_eq!(children.len(), 101);
    let mut by_child: BTreeMap<String, Vec<Measurement>> = BTreeMap::new();
    let mut count = 0;
    for record in records(&folder.join("Observation-growth.ndjson")) {
        let read = Measurement::read(&record.content).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&record.content).unwrap();
        let written = json["valueQuantity"]["value"].as_f64().unwrap();
        assert!((read.value.unwrap() - written).abs() < 1e-9);
        assert_eq!(read.date, record.date);
        assert!(read.exact_day && read.doubt.is_none() && matches!(read.kind, Kind::Height | Kind::Weight));
        by_child.entry(of_person(&record)).or_default().push(read);
        count += 1;
    }
    assert_eq!(count, 2362);
    let (mut placed, mut scored, mut compared) = (0, 0, 0);
    for (number, measurements) in &by_child {
        let child = &children[number];
        for kind in [Kind::Height, Kind::Weight] {
            let japan = Series::new(kind, measurements, child, Reference::Japan2023);
            let who = Series::new(kind, measurements, child, Reference::Who2006);
            assert_eq!(japan.points().count(), japan.entries.len(), "everything is drawn");
            placed += japan.entries.iter().filter(|entry| entry.placement.is_some()).count();
            scored +=
                who.entries.iter().filter_map(|entry| entry.placement?.z).filter(|z| z.abs() < 6.0).count();
        }
        compared += growth::obesity::days(measurements, child).len();
    }
    assert!(placed > 900 && scored > 800 && compared > 500, "{placed} {scored} {compared}");
}

#[test]
fn the_thinned_who_table_scores_as_the_daily_one() {
    let Some(path) = shared("domain/growth_who_lms_daily.csv") else { return };
    let mut worst = 0.0_f64;
    let rows = csv(&path);
    for row in &rows {
        let number = |name: &str| row[name].parse::<f64>().unwrap();
        let (l, m, s) = (number("L"), number("M"), number("S"));
        let child = child(&row["sex"]);
        let on = child.birth.plus_days(row["age_days"].parse().unwrap()).unwrap();
        for z in [-2.5, -1.0, 0.0, 1.0, 2.5] {
            let value = m * (1.0 + l * s * z).powf(1.0 / l);
            let measured = measured(kind(&row["measure"]), on, value);
            let found = growth::place(&measured, &child, Reference::Who2006).unwrap().z.unwrap();
            worst = worst.max((found - z).abs());
        }
    }
    assert_eq!(rows.len(), 11_142);
    assert!(worst < 0.005, "{worst}");
}

#[test]
fn who_curves_are_the_percentiles_of_the_monthly_table() {
    let Some(path) = shared("domain/growth_who_monthly.csv") else { return };
    let mut checked = 0;
    for row in csv(&path) {
        let child = child(&row["sex"]);
        let on = child.birth.plus_days(row["age_days"].parse().unwrap()).unwrap();
        for (name, from) in [("p3", 3), ("p15", 15), ("p50", 50), ("p85", 85), ("p97", 97)] {
            // The table is rounded to two decimals, and the thinned one differs by up to 0.004 deviations.
            let value: f64 = row[name].parse().unwrap();
            let band = |value: f64| {
                growth::place(&measured(kind(&row["measure"]), on, value), &child, Reference::Who2006)
                    .unwrap()
                    .band
            };
            let slack = value * 0.002;
            assert_eq!(band(value + slack).from, Some(from), "{row:?}");
            assert_eq!(band(value - slack).to, Some(from), "{row:?}");
            checked += 1;
        }
    }
    assert!(checked > 1_500, "{checked}");
}

#[test]
fn the_survey_is_as_published() {
    let Some(path) = shared("domain/growth_jp_2023.csv") else { return };
    let rows = csv(&path);
    assert_eq!(rows.len(), 130);
    for row in rows {
        let child = child(&row["sex"]);
        let days: i32 = match row["age_days_exact"].parse() {
            Ok(day) => day,
            Err(_) => {
                let months: u32 = row["age_months_from"].parse().unwrap();
                let attained = hibiki_records::date::age::months_attained_on(child.birth, months).unwrap();
                attained.days_since(child.birth) + 2
            }
        };
        let on = child.birth.plus_days(days).unwrap();
        let percentiles = Reference::Japan2023.percentiles();
        for (place, percentile) in percentiles.iter().enumerate() {
            let value: f64 = row[&format!("p{percentile}")].parse().unwrap();
            let found =
                growth::place(&measured(kind(&row["measure"]), on, value), &child, Reference::Japan2023)
                    .unwrap();
            let band = Band { from: Some(*percentile), to: percentiles.get(place + 1).copied() };
            assert_eq!((found.band, found.interval), (band, Some(row["band_ja"].as_str())));
        }
    }
}

#[test]
fn golden_percentile_bands() {
    let Some(path) = shared("domain/golden_cases.json") else { return };
    let golden: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let cases = golden["growth_2023"].as_array().unwrap();
    for case in cases {
        let child = child(case["sex"].as_str().unwrap());
        let months = u32::try_from(case["age_months"].as_u64().unwrap()).unwrap();
        let on =
            hibiki_records::date::age::months_attained_on(child.birth, months).unwrap().plus_days(1).unwrap();
        let measured = measured(kind(case["measure"].as_str().unwrap()), on, case["value"].as_f64().unwrap());
        let band = growth::place(&measured, &child, Reference::Japan2023).unwrap().band;
        let bound =
            |place: usize| case["between_percentiles"][place].as_u64().map(|p| u8::try_from(p).unwrap());
        assert_eq!(band, Band { from: bound(0), to: bound(1) });
    }
    assert!(cases.len() >= 2);
}

#[test]
fn every_allergy_of_the_children_is_a_fact_and_26_have_one_to_food() {
    let Some(folder) = shared("data/synthea-r4-smart/children-ndjson") else { return };
    let (mut count, mut current) = (0, 0);
    let mut to_food = BTreeSet::new();
    for record in records(&folder.join("AllergyIntolerance.ndjson")) {
        let allergy = Allergy::read(&record.content).unwrap();
        assert!(
            allergy.kind != SubstanceKind::Unknown
                && allergy.code.is_some()
                && allergy.date == Some(record.date)
        );
        assert!(allergy.substance.ja.chars().any(|c| c >= 'ぁ'), "every code has Japanese words");
        if allergy.kind == SubstanceKind::Food {
            to_food.insert(of_person(&record));
        }
        count += 1;
        current += usize::from(allergy.is_current());
    }
    assert_eq!((count, current, to_food.len()), (166, 157, 26));
}

#[test]
fn the_foods_of_the_law_are_those_of_the_table() {
    let Some(path) = shared("domain/allergens_jp.csv") else { return };
    let mut checked = 0;
    for row in csv(&path) {
        let code = &row["jfagy_code"];
        let content = format!(
            r#"{{"resourceType":"AllergyIntolerance","code":{{"coding":[{{"system":"http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyFoodAllergen_CS","code":"{code}"}}]}}}}"#
        );
        let allergy = Allergy::read(content.as_bytes()).unwrap();
        assert_eq!(allergy.substance.ja, row["name_ja"]);
        assert!(allergy.kind == SubstanceKind::Food);
        checked += 1;
    }
    assert_eq!(checked, 30);
}

#[test]
fn the_pregnant_women_have_visits_with_their_examinations() {
    let Some(folder) = shared("data/synthea-r4-smart/pregnancy-ndjson") else { return };
    let mut by_woman: BTreeMap<String, Vec<Reading>> = BTreeMap::new();
    for file in ["Encounter.ndjson", "Procedure.ndjson"] {
        for record in records(&folder.join(file)) {
            let reading = Reading::read(record.category, &record.content).unwrap();
            assert_eq!(reading.date, record.date);
            by_woman.entry(of_person(&record)).or_default().push(reading);
        }
    }
    assert!(by_woman.len() >= 14);
    let (mut visits, mut outcomes) = (0, 0);
    for readings in by_woman.values() {
        let occasions = checkup::occasions(readings, None);
        assert!(occasions.iter().all(|it| it.kind == OccasionKind::Prenatal));
        assert_eq!(occasions.iter().map(|it| it.readings.len()).sum::<usize>(), readings.len());
        visits += occasions.len();
        outcomes += occasions.iter().map(|it| it.outcomes.len()).sum::<usize>();
    }
    assert!(visits >= 200 && outcomes == 513, "{visits} {outcomes}");
}

#[test]
fn check_ups_of_childhood_are_those_of_the_table() {
    let Some(path) = shared("domain/child_checkups.csv") else { return };
    let ids: Vec<String> = csv(&path).into_iter().map(|row| row["checkup_id"].clone()).collect();
    let ours: Vec<&str> = ChildCheckup::ALL.into_iter().map(ChildCheckup::code).collect();
    assert_eq!(ids, ours);
}

#[test]
fn real_calendars_of_a_city_are_read_to_the_last_event() {
    let Some(folder) = shared("data/kobe-school-lunch/ics") else { return };
    let (mut files, mut events) = (0, 0);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "ics") {
            continue;
        }
        let content = fs::read(&path).unwrap();
        let expected = String::from_utf8_lossy(&content).matches("BEGIN:VEVENT").count();
        let found = school::read(Category::SchoolEvent, &content).unwrap();
        assert_eq!(found.len(), expected);
        for matter in &found {
            let school::Matter::Event(event) = matter else { panic!("an event expected") };
            assert!(event.all_day && event.from.day.year() >= 2016 && !event.title.ja.contains('\\'));
            assert!(event.body.as_ref().is_some_and(|body| body.lines().count() >= 1));
        }
        files += 1;
        events += found.len();
    }
    assert!(files >= 2 && events >= 1_389, "{files} {events}");
}
