//! Measurements from stored bytes to a chart.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::date::age;
use crate::date::tests::{any_day, day};
use crate::fhir::{Standing, codes};
use crate::words;

const BIRTH: &str = "2024-01-10";

fn boy() -> Child {
    Child { birth: day(BIRTH), sex: Sex::Male, ages: Ages::FromBirth }
}

fn observation(system: &str, code: &str, on: &str, quantity: Value) -> Vec<u8> {
    let code = json!({ "coding": [{ "system": system, "code": code }] });
    json!({
        "resourceType": "Observation", "status": "final", "code": code,
        "effectiveDateTime": on, "valueQuantity": quantity,
    })
    .to_string()
    .into_bytes()
}

fn loinc(code: &str, on: &str, value: f64, unit: &str) -> Measurement {
    let quantity =
        json!({ "value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit });
    Measurement::read(&observation(codes::LOINC, code, on, quantity)).unwrap()
}

fn weight(on: &str, kg: f64) -> Measurement {
    loinc("29463-7", on, kg, "kg")
}

fn height(on: &str, cm: f64) -> Measurement {
    loinc("8302-2", on, cm, "cm")
}

#[test]
fn every_measurement_code_has_a_kind() {
    for known in codes::GROWTH {
        let content = observation(known.system, known.code, "2024-05-01", json!({ "value": 1 }));
        let read = Measurement::read(&content).unwrap();
        assert_ne!(read.kind, Kind::Other, "{}", known.code);
        assert_eq!(read.name.ja, known.ja);
    }
}

#[test]
fn units_are_converted_or_the_value_stays_off_the_chart() {
    let read = |code: &str, quantity: Value| {
        Measurement::read(&observation(codes::LOINC, code, "2024-05-01", quantity)).unwrap().value
    };
    let close = |value: Option<f64>, expected: f64| (value.unwrap() - expected).abs() < 1e-9;
    for (code, quantity, expected) in [
        ("29463-7", json!({ "value": 3120, "unit": "g" }), 3.12),
        ("29463-7", json!({ "value": 3.12, "unit": "ｋｇ" }), 3.12),
        ("29463-7", json!({ "value": 3.12, "unit": "㎏" }), 3.12),
        ("29463-7", json!({ "value": 10, "unit": "lbs", "code": "[lb_av]" }), 4.535_923_7),
        ("8302-2", json!({ "value": 0.75, "unit": "m" }), 75.0),
        ("8302-2", json!({ "value": 30, "code": "[in_i]", "system": "http://unitsofmeasure.org" }), 76.2),
        ("8302-2", json!({ "value": 75, "unit": "㎝" }), 75.0),
        ("39156-5", json!({ "value": 16.5, "unit": "kg/m²" }), 16.5),
    ] {
        assert!(close(read(code, quantity.clone()), expected), "{quantity}");
    }
    for quantity in [
        json!({ "value": 3.12 }),
        json!({ "value": 3.12, "unit": "貫" }),
        json!({ "value": 3.12, "unit": "cm" }),
        json!({ "value": 3120, "unit": "kg", "code": "g" }),
        json!({ "value": 3.12, "unit": "kg", "code": "KG" }),
        json!({ "value": 3.12, "comparator": "<", "unit": "kg" }),
        json!({ "unit": "kg" }),
        json!({ "value": "3.12", "unit": "kg" }),
        json!([]),
    ] {
        assert_eq!(read("29463-7", quantity.clone()), None, "{quantity}");
    }
    let medis = |code: &str| {
        let content = observation(codes::JP_BODY_MEASUREMENT, code, "2024-05-01", json!({ "value": 3120 }));
        Measurement::read(&content).unwrap().value
    };
    assert!(close(medis("31000297"), 3.12), "the code means grams");
    assert_eq!(medis("31000296"), Some(3120.0));
    assert_eq!(medis("31000298"), None);
}

#[test]
fn what_is_written_is_kept_and_what_cannot_be_is_flagged() {
    let odd = loinc("29463-7", "2024-05-01", 3120.0, "kg");
    assert_eq!((odd.value, odd.doubt), (Some(3120.0), Some(Doubt::OutOfRange)));
    assert_eq!(odd.written.unwrap().ja, "3120.0 kg");
    let contradictory = json!({ "coding": [
        { "system": codes::LOINC, "code": "8302-2" }, { "system": codes::LOINC, "code": "29463-7" },
    ]});
    let content = json!({ "resourceType": "Observation", "status": "final", "code": contradictory,
        "effectiveDateTime": "2024-05-01", "valueQuantity": { "value": 7, "unit": "kg" } });
    let read = Measurement::read(content.to_string().as_bytes()).unwrap();
    assert_eq!((read.kind, read.value), (Kind::Other, None));
    let worded = json!({ "resourceType": "Observation", "status": "final", "code": { "text": "腹囲" },
        "effectiveDateTime": "2024-05-01", "valueString": "45cm" });
    let read = Measurement::read(worded.to_string().as_bytes()).unwrap();
    assert_eq!((read.kind, read.name.ja.as_str()), (Kind::Other, "腹囲"));
    assert_eq!(read.written.unwrap().ja, "45cm");
}

#[test]
fn what_is_no_measurement_is_unreadable() {
    for content in [
        "",
        "{}",
        "[]",
        "\u{0}",
        r#"{"resourceType":"Patient","birthDate":"2024-01-01"}"#,
        r#"{"resourceType":"Observation","status":"final","effectiveDateTime":"2024-01-01"}"#,
        r#"{"resourceType":"Observation","status":"final","code":{"text":"x"}}"#,
        r#"{"resourceType":"Observation","status":"final","code":{"text":" "},"effectiveDateTime":"2024-01-01"}"#,
        r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"effectiveDateTime":"soon"}"#,
    ] {
        assert!(Measurement::read(content.as_bytes()).is_err(), "{content}");
    }
    assert!(Measurement::read(&[0xFF, 0xFE]).is_err());
}

/// The golden cases of the domain research: a boy of three months.
#[test]
fn golden_percentiles() {
    let on = "2024-04-20";
    let band = |kg| place(&weight(on, kg), &boy(), Reference::Japan2023).unwrap();
    let found = band(6.55);
    assert_eq!(found.band, Band { from: Some(50), to: Some(75) });
    assert_eq!((found.band.ja(), found.interval), ("50〜75パーセンタイル".into(), Some("3〜4か月未満")));
    assert_eq!(band(5.0).band, Band { from: None, to: Some(3) });
    assert_eq!(band(5.0).band.ja(), "3パーセンタイル未満");
    assert_eq!(band(7.84).band.ja(), "97パーセンタイル以上");
    assert_eq!(band(5.22).band.en(), "3rd to 10th percentile");
}

#[test]
fn bands_change_with_the_calendar_month() {
    let band = |on| place(&weight(on, 6.0), &boy(), Reference::Japan2023);
    assert_eq!(band("2024-04-09").unwrap().interval, Some("2〜3か月未満"));
    assert_eq!(band("2024-04-10").unwrap().interval, Some("3〜4か月未満"));
    assert_eq!(band("2030-07-09").unwrap().interval, Some("6歳0〜6か月未満"));
    assert_eq!(band("2030-07-10"), None, "past the table");
    assert_eq!(band("2024-01-10").unwrap().interval, Some("出生時（生後0日）"));
    assert_eq!(band("2024-01-11"), None, "the survey has nothing between birth and 30 days");
    assert_eq!(band("2024-02-09").unwrap().interval, Some("生後30日ごろ"));
    assert_eq!(band("2024-01-09"), None, "before birth");
    let head = |on| place(&loinc("9843-4", on, 48.0, "cm"), &boy(), Reference::Japan2023);
    assert!(head("2027-01-09").is_some());
    assert_eq!(head("2027-01-10"), None);
}

/// Published by WHO: weight-for-age and length-for-age of boys, 0 and 24 months (simplified field tables).
#[test]
fn who_scores_are_those_who_publishes() {
    let z = |measurement: &Measurement| place(measurement, &boy(), Reference::Who2006).unwrap().z.unwrap();
    for (kg, expected) in [(3.3, 0.0), (2.5, -2.0), (4.4, 2.0), (5.0, 3.0)] {
        assert!((z(&weight(BIRTH, kg)) - expected).abs() < 0.12, "{kg}");
    }
    let two_years = "2026-01-09"; // day 730, lying
    for (cm, expected) in [(87.8, 0.0), (81.7, -2.0), (93.9, 2.0)] {
        assert!((z(&height(two_years, cm)) - expected).abs() < 0.02, "{cm}");
    }
    // Lying after two years: 0.7 cm are taken off.
    let standing = z(&height("2026-01-10", 87.1));
    let lying = z(&loinc("8306-3", "2026-01-10", 87.8, "cm"));
    assert!((standing - lying).abs() < 1e-9);
    assert!(place(&weight("2029-02-08", 17.0), &boy(), Reference::Who2006).is_some(), "day 1856");
    assert!(place(&weight("2029-02-09", 17.0), &boy(), Reference::Who2006).is_none());
}

#[test]
fn corrected_ages_count_from_the_expected_day_only_when_asked() {
    let early = Child { ages: Ages::FromTerm { days_early: 56 }, ..boy() };
    let measured = weight("2024-05-20", 6.0);
    let plain = place(&measured, &boy(), Reference::Japan2023).unwrap();
    let corrected = place(&measured, &early, Reference::Japan2023).unwrap();
    assert_eq!((plain.interval, corrected.interval), (Some("4〜5か月未満"), Some("2〜3か月未満")));
    assert_eq!(place(&weight("2024-02-01", 2.5), &early, Reference::Who2006), None, "before term");
}

#[test]
fn a_chart_has_points_and_the_table_every_row() {
    let mut withdrawn = weight("2024-05-01", 7.0);
    withdrawn.standing = Standing::EnteredInError;
    let mut grams = weight("2024-06-01", 7.6);
    (grams.value, grams.exact_day) = (None, true);
    let mut may = weight("2024-05-01", 7.0);
    may.exact_day = false;
    let all = [
        weight("2024-07-01", 8.0),
        withdrawn,
        grams,
        may,
        weight("2023-12-31", 3.0),
        weight("2024-06-15", 780.0),
        weight("2024-06-20", 25.0),
        loinc("8339-4", "2024-02-01", 3.1, "kg"),
        height("2024-07-01", 68.0),
    ];
    let series = Series::new(Kind::Weight, &all, &boy(), Reference::Japan2023);
    let rows: Vec<_> = series.entries.iter().map(|entry| (entry.of, entry.off_chart)).collect();
    assert_eq!(
        rows,
        [
            (4, Some(OffChart::BeforeBirth)),
            (7, None),
            (1, Some(OffChart::Withdrawn)),
            (3, Some(OffChart::InexactDay)),
            (2, Some(OffChart::UnknownUnit)),
            (5, Some(OffChart::Implausible)),
            (6, None),
            (0, None),
        ]
    );
    let birth = &series.entries[1];
    assert_eq!((birth.age_days, birth.date, birth.months()), (0, day(BIRTH), 0.0));
    assert_eq!(series.entries[6].doubt, Some(Doubt::FarFromReference), "25 kg at five months");
    assert_eq!(series.points().map(|(entry, _)| entry.of).collect::<Vec<_>>(), [7, 6, 0]);
    assert_eq!(series.curves.len(), 7);
    assert_eq!(obesity::days(&all, &boy()), [], "not before the first birthday");
    assert_eq!(
        format!("{series:?} {:?} {:?}", series.entries[0], boy()),
        "Series(***) Entry(***) Child(***)"
    );
}

#[test]
fn without_a_recorded_sex_points_are_drawn_without_curves() {
    let child = Child { sex: Sex::Unknown, ..boy() };
    let series = Series::new(Kind::Height, &[height("2024-07-01", 68.0)], &child, Reference::Who2006);
    assert!(series.curves.is_empty());
    assert_eq!(series.points().count(), 1);
    assert_eq!(series.entries[0].placement, None);
}

#[test]
fn a_year_at_a_time_for_obesity() {
    let all = [
        height("2026-05-01", 88.0),
        weight("2026-05-01", 12.5),
        height("2026-05-01", 188.0),
        height("2027-05-01", 95.0),
        weight("2027-05-02", 14.0),
    ];
    let days = obesity::days(&all, &boy());
    assert_eq!(days.len(), 1);
    assert_eq!((days[0].height, days[0].weight, days[0].obesity.method), (0, 1, obesity::Method::Preschool));
}

fn any_child() -> impl Strategy<Value = Child> {
    (any_day(), prop::sample::select(vec![Sex::Male, Sex::Female])).prop_map(|(birth, sex)| Child {
        birth,
        sex,
        ages: Ages::FromBirth,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A band never falls as the value rises, and the bounds of a band are the curves.
    #[test]
    fn a_larger_value_is_never_in_a_lower_band(
        child in any_child(), days in 30i32..2_300, a in 0.5f64..60.0, more in 0.0f64..60.0,
        kind in prop::sample::select(vec![("29463-7", "kg"), ("8302-2", "cm"), ("9843-4", "cm")]),
    ) {
        let on = child.birth.plus_days(days).unwrap().to_string();
        let placed = |value| Reference::ALL.map(|reference| place(&loinc(kind.0, &on, value, kind.1), &child, reference));
        for (low, high) in placed(a).into_iter().zip(placed(a + more)) {
            prop_assert_eq!(low.is_some(), high.is_some());
            let (Some(low), Some(high)) = (low, high) else { continue };
            prop_assert!(low.band.from <= high.band.from);
            prop_assert!(low.z <= high.z);
            let edges = (low.band.from, low.band.to);
            prop_assert!(edges.0.is_none() || edges.1.is_none() || edges.0 < edges.1);
        }
    }

    /// Every age of the survey from 30 days on has its band; the others have none.
    #[test]
    fn the_survey_covers_its_ages_without_gaps(child in any_child(), days in 31i32..3_000) {
        let on = child.birth.plus_days(days).unwrap();
        let months = age::calendar_age(child.birth, on).unwrap().months;
        let placed = place(&weight(&on.to_string(), 10.0), &child, Reference::Japan2023);
        prop_assert_eq!(placed.is_some(), (1..78).contains(&months));
        let who = place(&weight(&on.to_string(), 10.0), &child, Reference::Who2006);
        prop_assert_eq!(who.is_some(), days <= 1856);
    }

    #[test]
    fn no_bytes_break_the_reader(content in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Measurement::read(&content);
    }

    #[test]
    fn any_json_is_read_or_refused(resource in words::any_resource()) {
        let content = serde_json::to_vec(&resource).unwrap();
        if let Ok(read) = Measurement::read(&content) {
            let series = Series::new(read.kind, &[read], &boy(), Reference::Japan2023);
            prop_assert_eq!(series.entries.len(), 1);
        }
    }
}
