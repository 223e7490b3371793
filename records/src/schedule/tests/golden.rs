//! The golden cases of the project's domain research.

use serde_json::Value;

use super::super::moment::Gap;
use super::super::rules::series;
use super::*;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden.json")).unwrap()
}

fn pair(value: &Value) -> String {
    format!("[{}..{}]", value[0].as_str().unwrap(), value[1].as_str().unwrap())
}

#[test]
fn legal_windows_are_those_computed_by_hand() {
    let golden = golden();
    let mut checked = 0;
    for case in golden["vaccine_windows"].as_array().unwrap() {
        let birth = day(case["birth"].as_str().unwrap());
        for (name, id, key) in [
            ("hbv", "hbv", "1"),
            ("dpt_ipv_hib", "dpt_ipv_hib", "i1"),
            ("pcv", "pcv", "i1"),
            ("bcg", "bcg", "1"),
            ("mr1", "mr", "1"),
            ("mr2", "mr", "2"),
            ("varicella", "varicella", "1"),
            ("je1", "je", "i1"),
            ("je2", "je", "2"),
            ("dt", "dt", "2"),
            ("hpv_if_female", "hpv", "1"),
        ] {
            let plan = plan(birth, Sex::Female, &[], birth);
            let planned = plan.series.iter().find(|series| series.id == id).unwrap();
            let dose = planned.doses.iter().find(|dose| dose.key == key).unwrap();
            assert_eq!(format!("{:?}", dose.legal), pair(&case[name]), "{name}");
            checked += 1;
        }
        for name in ["rv1", "rv5"] {
            // The course is decided by the vaccine of the first dose.
            let first = dose(name, &birth.plus_days(60).unwrap().to_string());
            let plan = plan(birth, Sex::Male, &[first], birth);
            let rota = plan.series.iter().find(|series| series.id == "rota").unwrap();
            for dose in &rota.doses {
                assert_eq!(format!("{:?}", dose.legal), pair(&case[name]), "{name}");
            }
            let until = rota.doses[0].recommended.unwrap().last.to_string();
            assert_eq!(until, case["rv_first_recommended_until"].as_str().unwrap());
            checked += 1;
        }
        assert!(plan(birth, Sex::Male, &[], birth).series.iter().all(|series| series.id != "hpv"));
    }
    assert_eq!(checked, 26);
}

#[test]
fn intervals_are_those_computed_by_hand() {
    let golden = golden();
    for case in golden["intervals"].as_array().unwrap() {
        let rule = case["rule"].as_str().unwrap().strip_suffix("_between").unwrap();
        let earliest = Gap::parse(rule).unwrap().after(day(case["prev"].as_str().unwrap())).unwrap();
        assert_eq!(earliest.to_string(), case["earliest"].as_str().unwrap(), "{rule}");
    }
}

#[test]
fn weeks_of_pregnancy_are_those_printed_by_a_city() {
    let golden = golden();
    for case in golden["pregnancy"].as_array().unwrap() {
        let plan = maternal(day(case["edd"].as_str().unwrap())).unwrap();
        assert_eq!(plan.weeks.first.to_string(), case["ga28w0d"].as_str().unwrap());
        assert_eq!(plan.weeks.last.to_string(), case["ga36w6d"].as_str().unwrap());
    }
}

/// A file of the domain research, where it lies beside the repository.
fn domain(name: &str) -> Option<String> {
    let path = format!("{}/../../shared/domain/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: ../shared not present beside the workspace ({path})\n"),
        );
    }
    text
}

#[test]
fn the_golden_cases_are_those_of_the_domain_research() {
    let Some(text) = domain("golden_cases.json") else { return };
    let (theirs, ours): (Value, Value) = (serde_json::from_str(&text).unwrap(), golden());
    for part in ["vaccine_windows", "intervals", "pregnancy"] {
        assert_eq!(theirs[part], ours[part], "{part}");
    }
}

/// The rows of the domain table of the schedule: periods and gaps, dose by dose, as the rules have them.
#[test]
fn every_dose_of_the_domain_table_stands_in_the_rules() {
    let Some(text) = domain("vaccine_schedule_jp.json") else { return };
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let birth = day("2024-04-02");
    let mut checked = 0;
    for row in &rows {
        let field = |name: &str| row[name].as_str().unwrap_or_default();
        let number = usize::try_from(row["dose"].as_u64().unwrap()).unwrap();
        let (id, course) = match field("series") {
            "rv1" => ("rota", "rv1"),
            "rv5" => ("rota", "rv5"),
            "hpv9" => ("hpv", "two"),
            "hpv9_3dose" => ("hpv", "three"),
            "rsv_maternal" => continue,
            "je" => ("je", "usual"),
            other => (other, ""),
        };
        let rule = series(id).unwrap();
        let course = rule.courses.iter().find(|it| course.is_empty() || it.key == course).unwrap();
        let dose = &course.doses[number - 1];
        let place = format!("{id} {}", dose.key);
        let moment = |text: &str| moment::Moment::parse(text).unwrap().of(birth).unwrap();
        let legal = rule.windows(dose, birth, &[]);
        assert_eq!(
            (legal[0].first, legal[0].last),
            (moment(field("legal_from")), moment(field("legal_until"))),
            "{place}"
        );
        if !field("standard_from").is_empty() && !field("standard_until").is_empty() {
            let standard = dose.recommended.unwrap();
            assert_eq!(standard.from.of(birth), Some(moment(field("standard_from"))), "{place}");
            assert_eq!(standard.until.unwrap().of(birth), Some(moment(field("standard_until"))), "{place}");
        }
        let min = field("min_interval");
        if !min.is_empty() {
            let after = &dose.after[0];
            assert_eq!(
                after.min,
                Gap::parse(min.strip_suffix("_between").unwrap_or(min)).unwrap(),
                "{place}"
            );
            let from = usize::try_from(row["interval_from_dose"].as_u64().unwrap()).unwrap();
            let named = course.doses.iter().position(|dose| dose.key == after.dose).unwrap_or(number - 2);
            assert_eq!(named + 1, from, "{place}");
            if let Some(days) = row["min_date_diff_days"].as_i64() {
                let earlier = day("2026-01-10");
                assert_eq!(i64::from(after.min.after(earlier).unwrap().days_since(earlier)), days, "{place}");
            }
        }
        checked += 1;
    }
    assert_eq!(checked, rows.len() - 1);
}

/// The codes of the domain table of vaccines: what it counts for a series, the rules count too.
#[test]
fn every_code_of_the_domain_table_counts_as_it_says() {
    let Some(text) = domain("cvx_to_jp_series.csv") else { return };
    let mut counted = 0;
    for line in text.lines().skip(1) {
        // The display of some vaccines has a comma, and then stands in quotes.
        let (code, rest) = line.split_once(',').unwrap();
        let rest = rest
            .strip_prefix('"')
            .and_then(|rest| rest.split_once("\","))
            .or_else(|| rest.split_once(','))
            .unwrap();
        let vaccine =
            crate::immunization::coded(crate::fhir::codes::CVX, code).unwrap_or_else(|| panic!("CVX {code}"));
        for name in rest.1.split(',').next().unwrap().split([';', '|']).filter(|name| !name.is_empty()) {
            let id = match name {
                "rv1" | "rv5" => "rota",
                "hpv9" | "hpv4" | "hpv2" => "hpv",
                "je_mb" => "je",
                // Outside the routine of childhood.
                "mumps" | "influenza" | "opv" | "rsv_maternal" => continue,
                other => other,
            };
            assert!(series(id).unwrap().counts(vaccine.id), "CVX {code} for {id}");
            counted += 1;
        }
    }
    assert!(counted > 35, "{counted}");
}
