//! Real files that nobody of this project wrote, where they are at hand.
//!
//! They lie beside the repository (`../shared`), not in it; without them these tests say loudly that they
//! were skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use hibiki_records::category::Category;
use hibiki_records::date::{CalendarDate, age, school, wareki};
use hibiki_records::fhir::codes;
use hibiki_records::immunization::{self, RecognisedBy, Status};
use hibiki_records::ingest::{Format, Item, Rejected, Skip, Subject, read};
use hibiki_records::person::Sex;
use hibiki_records::schedule;
use hibiki_records::words;

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

fn items(path: &Path, format: Format) -> Vec<Result<Item, Rejected>> {
    read(BufReader::new(File::open(path).unwrap()), format).collect()
}

#[test]
fn every_line_of_the_101_children_is_taken() {
    let Some(folder) = shared("data/synthea-r4-smart/children-ndjson") else { return };
    let mut people = BTreeSet::new();
    for (file, category, count) in [
        ("Patient", Category::Patient, 101),
        ("Immunization", Category::Immunization, 2265),
        ("Observation-growth", Category::Growth, 2362),
        ("AllergyIntolerance", Category::Allergy, 166),
    ] {
        let path = folder.join(format!("{file}.ndjson"));
        let text = fs::read_to_string(&path).unwrap();
        let mut keys = BTreeSet::new();
        let mut taken = 0;
        for (item, line) in items(&path, Format::Auto).into_iter().zip(text.lines()) {
            let item = item.unwrap_or_else(|rejected| panic!("{file}: {rejected}"));
            let record = item.record().unwrap();
            assert_eq!(record.category, category);
            assert_eq!(record.content, line.as_bytes(), "content is verbatim");
            let Subject::Person(number) = &record.subject else { panic!("a person expected") };
            if let Item::Patient { facts, .. } = &item {
                assert_eq!(&facts.local_number, number);
                assert!(!facts.matching_name.is_empty());
                people.insert(number.clone());
            }
            assert!(people.contains(number), "each type file leads to the same local numbers");
            keys.insert(record.id.clone());
            taken += 1;
        }
        assert_eq!((taken, keys.len()), (count, count), "{file}");
    }
}

#[test]
fn the_days_are_japanese_days() {
    let Some(folder) = shared("data/synthea-r4-smart/children-ndjson") else { return };
    let path = folder.join("Immunization.ndjson");
    let text = fs::read_to_string(&path).unwrap();
    let mut moved = 0;
    for (item, line) in items(&path, Format::FhirNdjson).into_iter().zip(text.lines()) {
        let item = item.unwrap();
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let time = value["occurrenceDateTime"].as_str().unwrap();
        let reference: jiff::Timestamp = time.parse().unwrap();
        let day = reference.to_zoned(jiff::tz::TimeZone::get("Asia/Tokyo").unwrap()).date().to_string();
        assert_eq!(item.record().unwrap().date.to_string(), day);
        moved += usize::from(!time.starts_with(&day));
    }
    assert!(moved > 100, "the file has hundreds of evenings in UTC, found {moved}");
}

#[test]
fn bundles_and_their_extracts_agree() {
    let Some(folder) = shared("data/synthea-r4-smart") else { return };
    let extract = |file: &str| -> BTreeMap<String, (Subject, CalendarDate, Category)> {
        items(&folder.join("children-ndjson").join(file), Format::Auto)
            .into_iter()
            .map(|item| item.unwrap().record().unwrap().clone())
            .map(|record| (record.id, (record.subject, record.date, record.category)))
            .collect()
    };
    let mut known = extract("Immunization.ndjson");
    known.extend(extract("Observation-growth.ndjson"));
    known.extend(extract("AllergyIntolerance.ndjson"));
    known.extend(extract("Patient.ndjson"));

    let mut bundles = 0;
    for entry in fs::read_dir(folder.join("full-bundles")).unwrap() {
        let path = entry.unwrap().path();
        let document: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let total = document["entry"].as_array().unwrap().len();
        let items = items(&path, Format::Auto);
        assert_eq!(items.len(), total, "every entry is a record, a skip or a refusal");
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut agreeing = 0;
        for item in items {
            match item.unwrap_or_else(|rejected| panic!("{rejected}")) {
                Item::Skipped { kind } => *counts.entry(kind.to_string()).or_default() += 1,
                Item::Group { .. } => panic!("there is no class in these files"),
                Item::Record(record) | Item::Patient { record, .. } => {
                    *counts.entry(record.category.to_string()).or_default() += 1;
                    if let Some((subject, date, category)) = known.get(&record.id) {
                        assert_eq!(
                            (&record.subject, record.date, record.category),
                            (subject, *date, *category)
                        );
                        agreeing += 1;
                    } else {
                        let extracted =
                            [Category::Patient, Category::Immunization, Category::Growth, Category::Allergy];
                        assert!(
                            !extracted.contains(&record.category),
                            "{} is in no extract",
                            record.category
                        );
                    }
                }
            }
        }
        eprintln!("{counts:?}");
        assert_eq!(counts["patient"], 1);
        assert!(agreeing > 20 && counts["health_exam"] > 0);
        bundles += 1;
    }
    assert_eq!(bundles, 4);
}

#[test]
fn the_pregnant_women_have_their_check_ups() {
    let Some(folder) = shared("data/synthea-r4-smart/pregnancy-ndjson") else { return };
    let categories = |file: &str| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for item in items(&folder.join(file), Format::Auto) {
            let name = match item.unwrap() {
                Item::Skipped { kind: Skip::NoCategory(_) } => "no category",
                Item::Skipped { kind: Skip::NotARecordType(_) } => "not a record",
                other => other.record().unwrap().category.wire_name(),
            };
            *counts.entry(name).or_default() += 1;
        }
        counts
    };
    assert_eq!(categories("Patient.ndjson"), BTreeMap::from([("patient", 15)]));
    assert_eq!(categories("Immunization.ndjson"), BTreeMap::from([("immunization", 161)]));
    assert_eq!(
        categories("Encounter.ndjson"),
        BTreeMap::from([("prenatal_checkup", 225), ("no category", 23)])
    );
    // 217 fundal heights, 217 fetal hearts, 29 and 25 ultrasounds, 25 rubella screenings; nothing else.
    assert_eq!(
        categories("Procedure.ndjson"),
        BTreeMap::from([("prenatal_checkup", 513), ("no category", 601)])
    );
    assert_eq!(categories("Condition.ndjson"), BTreeMap::from([("not a record", 34)]));
}

#[test]
fn the_antenatal_examples_are_survived_and_the_virus_tests_stay_home() {
    let Some(folder) = shared("data/who-smart-anc/examples") else { return };
    let (mut files, mut records) = (0, 0);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let items = items(&path, Format::Auto);
        assert_eq!(items.len(), 1, "one resource per file");
        files += 1;
        for record in items.iter().flatten().filter_map(Item::record) {
            records += 1;
            let text = String::from_utf8_lossy(&record.content);
            assert!(!text.contains("HIV") && !text.contains("yphilis"), "{}", record.id);
        }
    }
    assert!(files > 250 && records > 10, "{files} files, {records} records");
}

#[test]
fn eras_are_those_of_the_table() {
    let Some(path) = shared("domain/wareki.csv") else { return };
    let text = fs::read_to_string(path).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), wareki::ERAS.len());
    for (row, era) in rows.iter().zip(wareki::ERAS) {
        let (year, month, day) = era.start;
        assert_eq!((row[0], row[1]), (era.name, era.letter.to_string().as_str()));
        assert_eq!(row[2].parse(), CalendarDate::new(year, month, day));
        if let Ok(last) = row[3].parse::<CalendarDate>() {
            assert_eq!(wareki::era_of(last).unwrap().0.name, era.name);
            assert_ne!(wareki::era_of(last.plus_days(1).unwrap()).unwrap().0.name, era.name);
        }
    }
}

#[test]
fn legal_windows_are_those_computed_by_hand() {
    let Some(path) = shared("domain/golden_cases.json") else { return };
    let golden: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let day = |value: &serde_json::Value| value.as_str().unwrap().parse::<CalendarDate>().unwrap();
    let cases = golden["vaccine_windows"].as_array().unwrap();
    for case in cases {
        let birth = day(&case["birth"]);
        let months = |months| age::months_attained_on(birth, months).unwrap();
        let window = |name: &str| (day(&case[name][0]), day(&case[name][1]));
        assert_eq!(window("hbv"), (birth, months(12)));
        assert_eq!(window("dpt_ipv_hib"), (months(2), months(90)));
        assert_eq!(window("pcv"), (months(2), months(60)));
        assert_eq!(window("mr1"), (months(12), months(24)));
        assert_eq!(window("varicella"), (months(12), months(36)));
        assert_eq!(window("je1"), (months(6), months(90)));
        assert_eq!(window("je2"), (months(9 * 12), months(13 * 12)));
        assert_eq!(window("dt"), (months(11 * 12), months(13 * 12)));
        assert_eq!(window("rv1"), (birth.plus_days(42).unwrap(), birth.plus_days(168).unwrap()));
        let entry = school::entry_year(birth).unwrap();
        assert_eq!(window("mr2"), school::school_year_days(entry - 1).unwrap());
        let first = school::school_year(age::years_attained_on(birth, 12).unwrap());
        let last = school::school_year(age::years_attained_on(birth, 16).unwrap());
        let (from, _) = school::school_year_days(first).unwrap();
        let (_, to) = school::school_year_days(last).unwrap();
        assert_eq!(window("hpv_if_female"), (from, to));
    }
    assert!(cases.len() >= 2);
}

#[test]
fn every_vaccination_measurement_and_allergy_of_the_children_has_words() {
    let Some(folder) = shared("data/synthea-r4-smart/children-ndjson") else { return };
    for file in ["Immunization", "Observation-growth", "AllergyIntolerance"] {
        for item in items(&folder.join(format!("{file}.ndjson")), Format::Auto) {
            let item = item.unwrap();
            let record = item.record().unwrap();
            let line = words::summary(record.category, &record.content);
            let japanese = line.ja.chars().any(|c| c >= 'ぁ') || line.ja.starts_with("BCG");
            assert!(japanese && line.ja != record.category.label().ja, "{file} {}", line.ja);
            assert!(line.en.is_ascii() && line.en != record.category.label().en, "{file} {}", line.en);
        }
    }
}

#[test]
fn every_vaccination_of_the_101_children_finds_its_place() {
    let Some(folder) = shared("data/synthea-r4-smart/children-ndjson") else { return };
    let mut children = BTreeMap::new();
    for item in items(&folder.join("Patient.ndjson"), Format::Auto) {
        let Item::Patient { facts, .. } = item.unwrap() else { panic!("a person expected") };
        children.insert(facts.local_number.clone(), (facts.birth_date, facts.sex, Vec::new()));
    }
    for item in items(&folder.join("Immunization.ndjson"), Format::Auto) {
        let item = item.unwrap();
        let record = item.record().unwrap();
        let Subject::Person(number) = &record.subject else { panic!("a person expected") };
        let it = immunization::read(&record.content);
        assert_eq!((it.status, it.day.unwrap().day), (Status::Given, record.date));
        assert_eq!(it.recognised_by, Some(RecognisedBy::Code));
        children.get_mut(number).unwrap().2.push(it);
    }
    let today: CalendarDate = "2026-11-22".parse().unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (birth, sex, vaccinations) in children.values() {
        let plan = schedule::plan(*birth, *sex, vaccinations, today);
        let mut found: BTreeSet<usize> = BTreeSet::new();
        for series in &plan.series {
            for received in series.received() {
                found.extend(&received.sources);
                *counts.entry(series.id.to_owned()).or_default() += 1;
                // Nobody takes a dose of the programme before birth or of the wrong vaccine.
                for source in &received.sources {
                    assert_eq!(vaccinations[*source].day, Some(received.day));
                }
            }
        }
        for other in &plan.other {
            found.extend(&other.sources);
            *counts.entry(format!("{:?}", other.why)).or_default() += other.sources.len();
        }
        assert_eq!(found.len(), vaccinations.len(), "nothing is lost");
        assert!(schedule::next(&plan, today).iter().all(|step| step.from >= today));
    }
    eprintln!("{counts:?}");
    // Children of America: three-in-one and polio apart, MMR for MR, influenza every year, no BCG.
    assert_eq!(children.len(), 101);
    assert_eq!(counts["pcv"], 223);
    assert_eq!(counts["varicella"], 86);
    assert_eq!(counts["mr"], 86);
    assert_eq!(counts["rota"], 85);
    assert_eq!((counts["dpt"], counts["ipv"], counts["hib"], counts["hpv"]), (217, 172, 129, 150));
    // No vaccine of these counts for two series, so the sum is that of the records.
    assert_eq!(counts.values().sum::<usize>(), 2265);
    assert!(!counts.contains_key("bcg") && !counts.contains_key("Unknown") && !counts.contains_key("NoDay"));
}

#[test]
fn vaccinations_of_other_countries_are_read_without_loss() {
    let Some(folder) = shared("data/who-smart-anc/examples") else { return };
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let content = fs::read(path).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&content).unwrap();
        if value["resourceType"] != "Immunization" {
            continue;
        }
        let it = immunization::read(&content);
        assert!(!it.name.ja.is_empty());
        let plan = schedule::plan(
            "1995-05-05".parse().unwrap(),
            Sex::Female,
            std::slice::from_ref(&it),
            "2026-11-22".parse().unwrap(),
        );
        let placed = plan.series.iter().map(|series| series.received().count()).sum::<usize>();
        assert_eq!(placed > 0 || plan.other.len() == 1, it.status == Status::Given);
        read += 1;
    }
    assert!(read >= 15, "{read}");
}

#[test]
fn growth_codes_are_those_of_the_table() {
    let Some(path) = shared("domain/observation_codes.csv") else { return };
    let text = fs::read_to_string(path).unwrap();
    let wanted = ["身長", "体重", "頭囲", "胸囲", "BMI", "ローレル指数", "肥満度", "出生体重"];
    let mut checked = 0;
    for row in text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()) {
        if !wanted.contains(&row[0]) {
            continue;
        }
        let code = |c: char| !(c.is_ascii_digit() || c == '-');
        for found in
            [row[2], row[3]].into_iter().flat_map(|cell| cell.split(code)).filter(|part| part.len() > 4)
        {
            assert!(codes::GROWTH.iter().any(|known| known.code == found), "{} {found}", row[0]);
            checked += 1;
        }
    }
    assert!(checked >= 14, "{checked}");
}

#[test]
fn the_rubella_cohorts_are_those_of_the_domain_table() {
    use hibiki_records::person::Sex;
    use hibiki_records::rubella::Cohort;
    let Some(table) = shared("domain/rubella_cohorts.json") else { return };
    let table: serde_json::Value = serde_json::from_slice(&fs::read(table).unwrap()).unwrap();
    let first: CalendarDate = "1950-01-01".parse().unwrap();
    let last: CalendarDate = "2025-12-31".parse().unwrap();
    for n in 0..=last.days_since(first) {
        let birth = first.plus_days(n).unwrap();
        for (sex, name) in [(Sex::Female, "female"), (Sex::Male, "male")] {
            let expected = table["cohorts"].as_array().unwrap().iter().find(|row| {
                let bound = |end: &str| row[end].as_str().unwrap().parse::<CalendarDate>().ok();
                bound("born_from").is_none_or(|from| from <= birth)
                    && bound("born_to").is_none_or(|to| birth <= to)
                    && (row["sex"] == "any" || row["sex"] == name)
            });
            let (expected, cohort) = (expected.unwrap(), Cohort::of(birth, sex));
            assert_eq!(cohort.id, expected["id"], "{birth} {name}");
            assert_eq!(u64::from(cohort.doses_expected), expected["doses_expected"].as_u64().unwrap());
        }
    }
    let Some(golden) = shared("domain/golden_cases.json") else { return };
    let golden: serde_json::Value = serde_json::from_slice(&fs::read(golden).unwrap()).unwrap();
    for case in golden["rubella"].as_array().unwrap() {
        let birth = case["birth"].as_str().unwrap().parse().unwrap();
        let sex = Sex::from_fhir(case["sex"].as_str().unwrap()).unwrap();
        assert_eq!(Cohort::of(birth, sex).id, case["cohort"]);
    }
}

#[test]
fn rubella_evidence_is_found_in_files_of_others() {
    use hibiki_records::rubella::{Finding, find};
    let Some(folder) = shared("data/synthea-r4-smart") else { return };
    let count = |file: &str, wanted: fn(&str) -> bool| {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let expected = text.lines().filter(|line| wanted(line)).count();
        let found: Vec<_> = text.lines().flat_map(|line| find(line.as_bytes())).collect();
        assert_eq!(found.len(), expected, "{file}");
        assert!(expected > 0 && found.iter().all(|evidence| evidence.when.is_some()));
        found
    };
    // Their schedule has MMR (CVX 03) as the only vaccine with rubella.
    let doses = count("children-ndjson/Immunization.ndjson", |line| line.contains(r#""code":"03""#));
    assert!(doses.iter().all(|evidence| matches!(evidence.finding, Finding::Vaccination(_))));
    let tests = count("pregnancy-ndjson/Procedure.ndjson", |line| line.contains("169690007"));
    assert!(tests.iter().all(|evidence| matches!(evidence.finding, Finding::Antibody(_))));
}

#[test]
fn a_city_s_lunch_calendars_are_taken_and_written_again() {
    use hibiki_records::calendar::{Calendar, Foreign};
    let Some(folder) = shared("data/kobe-school-lunch/ics") else { return };
    let mut sources = Vec::new();
    let mut titles = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "ics") {
            continue;
        }
        let content = fs::read(&path).unwrap();
        let foreign = Foreign::read(&content).unwrap();
        let begun = content.windows(12).filter(|window| window == b"BEGIN:VEVENT").count();
        assert_eq!((foreign.events.len(), foreign.refused.len()), (begun, 0), "{}", path.display());
        titles.extend(foreign.events.iter().map(|event| event.summary.clone()));
        sources.push((path.file_stem().unwrap().to_string_lossy().into_owned(), foreign));
    }
    assert!(titles.len() > 1000 && titles.iter().all(|title| !title.is_empty()));
    let text = Calendar { foreign: sources, ..Calendar::default() }.write(0);
    let again = Foreign::read(text.as_bytes()).unwrap();
    let mut written: Vec<_> = again.events.into_iter().map(|event| event.summary).collect();
    titles.sort();
    written.sort();
    assert_eq!(written, titles);
}
