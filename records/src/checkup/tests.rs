//! Check-ups as a city hall, a hospital and a school keep them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::category::Category;
use crate::date::CalendarDate;
use crate::date::school::Grade;
use crate::date::tests::day;
use crate::fhir::{Standing, codes};
use crate::words;

fn read(category: Category, resource: &Value) -> Reading {
    Reading::read(category, resource.to_string().as_bytes()).unwrap()
}

fn quantity(code: (&str, &str), ja: &str, on: &str, value: Value, unit: &str) -> Value {
    json!({
        "resourceType": "Observation", "status": "final", "effectiveDateTime": on,
        "code": { "coding": [{ "system": code.0, "code": code.1 }], "text": ja },
        "valueQuantity": { "value": value, "unit": unit },
    })
}

fn finding(ja: &str, on: &str, value: &str) -> Value {
    json!({
        "resourceType": "Observation", "status": "final", "effectiveDateTime": on,
        "code": { "text": ja }, "valueString": value,
    })
}

fn of_checkup(code: &str, mut finding: Value) -> Value {
    finding["category"] = json!([{ "coding": [{ "system": codes::CHILD_CHECKUP, "code": code }] }]);
    finding
}

fn report(code: &str, on: &str, conclusion: &str) -> Value {
    json!({
        "resourceType": "DiagnosticReport", "status": "final", "effectiveDateTime": on,
        "code": { "coding": [{ "system": codes::CHILD_CHECKUP, "code": code }] }, "conclusion": conclusion,
    })
}

fn shown(occasion: &Occasion) -> Vec<(&str, &str, Option<&str>)> {
    occasion
        .outcomes
        .iter()
        .map(|outcome| {
            let value = outcome.item.value.as_ref().map_or("", |value| value.ja.as_str());
            (outcome.item.label.ja.as_str(), value, outcome.previous.as_ref().map(|it| it.value.ja.as_str()))
        })
        .collect()
}

#[test]
fn a_pregnancy_is_a_row_of_visits_each_beside_the_last() {
    let mut readings = Vec::new();
    for (visit, weeks, on, kg) in [(3, 16, "2026-01-10", 53.1), (4, 20, "2026-02-07", 54.5)] {
        let coupon = json!({
            "resourceType": "DiagnosticReport", "status": "final", "effectiveDateTime": on,
            "code": { "text": format!("妊婦健康診査受診票 第{visit}回") },
            "conclusion": format!("妊娠{weeks}週 受診券使用"),
        });
        readings.push(read(Category::PrenatalCheckup, &coupon));
        let week = quantity((codes::LOINC, "18185-9"), "妊娠週数", on, json!(weeks), "wk");
        readings.push(read(Category::PrenatalCheckup, &finding("血圧・尿", on, "118/70 mmHg、尿蛋白(-)")));
        readings
            .push(read(Category::Growth, &quantity((codes::LOINC, "29463-7"), "体重", on, json!(kg), "kg")));
        readings.push(read(Category::PrenatalCheckup, &week));
    }
    let all = occasions(&readings, None);
    let labels: Vec<_> = all.iter().map(|it| (it.label.ja.as_str(), it.label.en.as_str())).collect();
    assert_eq!(
        labels,
        [
            ("妊婦健診 第4回(妊娠20週)", "Prenatal check-up no. 4 (week 20)"),
            ("妊婦健診 第3回(妊娠16週)", "Prenatal check-up no. 3 (week 16)"),
        ]
    );
    assert_eq!(
        shown(&all[0]),
        [
            ("妊娠週数", "20 wk", Some("16 wk")),
            ("体重", "54.5 kg", Some("53.1 kg")),
            ("血圧・尿", "118/70 mmHg、尿蛋白(-)", Some("118/70 mmHg、尿蛋白(-)")),
            ("妊婦健康診査受診票 第4回", "妊娠20週 受診券使用", None),
        ]
    );
    let weight = all[0].outcomes[1].previous.as_ref().unwrap();
    assert_eq!((weight.date, weight.change.as_ref().unwrap().text.as_str()), (day("2026-01-10"), "+1.4 kg"));
    assert!(all[1].outcomes.iter().all(|outcome| outcome.previous.is_none()));
}

#[test]
fn another_pregnancy_is_not_compared_with_the_last() {
    let weight = |on, kg: f64| {
        read(Category::PrenatalCheckup, &quantity((codes::LOINC, "29463-7"), "体重", on, json!(kg), "kg"))
    };
    let readings = [weight("2024-01-10", 60.0), weight("2024-02-10", 61.0), weight("2026-01-10", 53.0)];
    let all = occasions(&readings, None);
    assert_eq!(all[0].outcomes[0].previous, None);
    assert!(all[1].outcomes[0].previous.is_some());
    let week = |on, weeks: u8| {
        read(
            Category::PrenatalCheckup,
            &quantity((codes::LOINC, "18185-9"), "妊娠週数", on, json!(weeks), "週"),
        )
    };
    let lost_early = [week("2026-01-10", 12), week("2026-04-20", 8)];
    assert_eq!(occasions(&lost_early, None)[0].outcomes[0].previous, None, "week 8 after week 12");
}

#[test]
fn check_ups_of_childhood_gather_by_code_and_day() {
    let (first, second) = ("2024-05-02", "2025-07-09");
    let readings = [
        read(Category::InfantCheckup, &of_checkup("3-4m", finding("追視", first, "良好"))),
        read(Category::InfantCheckup, &report("3-4m", first, "総合判定:問題なし\n次回は10か月です")),
        read(Category::InfantCheckup, &of_checkup("3-4m", finding("定頸(首すわり)", first, "可"))),
        read(Category::InfantCheckup, &of_checkup("1y6m", finding("う歯", second, "なし"))),
        read(Category::InfantCheckup, &finding("歩行", second, "一人歩き")),
        read(Category::Growth, &quantity((codes::LOINC, "8302-2"), "身長", first, json!(62.1), "cm")),
        read(Category::Growth, &quantity((codes::LOINC, "8302-2"), "身長", "2024-12-01", json!(70), "cm")),
        read(Category::Growth, &quantity((codes::LOINC, "8302-2"), "身長", second, json!(78.0), "cm")),
        read(Category::InfantCheckup, &report("1y6m", second, "総合判定:要経過観察")),
    ];
    let all = occasions(&readings, Some(day("2024-01-02")));
    assert_eq!(
        all.iter().map(|it| it.kind).collect::<Vec<_>>(),
        [
            OccasionKind::Childhood(ChildCheckup::EighteenMonths),
            OccasionKind::Childhood(ChildCheckup::ThreeToFourMonths)
        ]
    );
    assert_eq!(
        shown(&all[0]),
        [
            ("身長", "78.0 cm", Some("62.1 cm")),
            ("歩行", "一人歩き", None),
            ("う歯", "なし", None),
            ("総合所見", "総合判定:要経過観察", Some("総合判定:問題なし\n次回は10か月です")),
        ]
    );
    assert_eq!(all[0].outcomes[0].previous.as_ref().unwrap().change.as_ref().unwrap().text, "+15.9 cm");
    assert_eq!(all[1].outcomes[1].item.label.en, "Head control", "the form's English");
    assert_eq!(all[1].readings, [0, 1, 2, 5]);
}

#[test]
fn a_school_year_is_one_examination() {
    let birth = day("2017-05-05");
    let readings = [
        read(Category::HealthExam, &finding("視力(右・左)", "2025-04-22", "A・B")),
        read(Category::HealthExam, &finding("視力(右・左)", "2026-04-22", "B・B")),
        read(Category::HealthExam, &finding("歯・口腔", "2026-05-20", "要観察歯1本")),
        read(Category::Growth, &quantity((codes::LOINC, "29463-7"), "体重", "2026-04-22", json!(28.4), "kg")),
        read(
            Category::HealthExam,
            &json!({ "resourceType": "Encounter", "status": "finished", "type": [{ "text": "General examination" }],
                "period": { "start": "2026-09-01" } }),
        ),
        read(Category::HealthExam, &report("preschool", "2023-11-01", "異常なし")),
    ];
    let all = occasions(&readings, Some(birth));
    let labels: Vec<_> = all.iter().map(|it| it.label.ja.as_str()).collect();
    assert_eq!(
        labels,
        [
            "General examination",
            "令和8年度 定期健康診断(小学3年)",
            "令和7年度 定期健康診断(小学2年)",
            "就学時健診"
        ]
    );
    let year = &all[1];
    assert_eq!(year.kind, OccasionKind::School { year: 2026, grade: Grade::Elementary(3) });
    assert_eq!((year.from, year.to), (day("2026-04-22"), day("2026-05-20")));
    assert_eq!(
        shown(year),
        [
            ("体重", "28.4 kg", None),
            ("視力(右・左)", "B・B", Some("A・B")),
            ("歯・口腔", "要観察歯1本", None),
        ]
    );
    let without_birth = occasions(&readings, None);
    assert!(without_birth.iter().all(|it| !matches!(it.kind, OccasionKind::School { .. })));
}

#[test]
fn panels_references_and_judgements_are_read() {
    let pressure = json!({
        "resourceType": "Observation", "status": "final", "effectiveDateTime": "2026-01-10",
        "code": { "coding": [{ "system": codes::LOINC, "code": "85354-9" }], "text": "血圧" },
        "component": [
            { "code": { "coding": [{ "system": codes::LOINC, "code": "8480-6" }] },
              "valueQuantity": { "value": 118, "unit": "mmHg" },
              "interpretation": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "N" }] }],
              "referenceRange": [{ "high": { "value": 140, "unit": "mmHg" } }] },
            { "code": { "coding": [{ "system": codes::LOINC, "code": "8462-4", "display": "Diastolic blood pressure" }] },
              "valueQuantity": { "value": 70.5, "unit": "mmHg" }, "referenceRange": [{ "text": "90未満" }] },
        ],
    });
    let mut named = pressure;
    named["component"][0]["code"]["text"] = json!("収縮期血圧");
    let reading = read(Category::PrenatalCheckup, &named);
    let [systolic, diastolic] = &reading.items[..] else { panic!("two items expected") };
    assert_eq!(
        (systolic.label.ja.as_str(), systolic.label.en.as_str()),
        ("収縮期血圧", "Systolic blood pressure")
    );
    assert_eq!(
        (diastolic.label.ja.as_str(), diastolic.value.as_ref().unwrap().ja.as_str()),
        ("拡張期血圧", "70.5 mmHg")
    );
    assert_eq!(systolic.reference.as_ref().unwrap().ja, "≦140 mmHg");
    assert_eq!(diastolic.reference.as_ref().unwrap().ja, "90未満");
    assert!(systolic.interpretation == Some(Interpretation::Normal) && diastolic.interpretation.is_none());
    let titre = quantity((codes::LOINC, "22497-2"), "風疹HI", "2026-01-10", json!(8), "");
    let mut below = titre;
    below["valueQuantity"]["comparator"] = json!("<");
    let reading = read(Category::PrenatalCheckup, &below);
    assert_eq!(reading.items[0].value.as_ref().unwrap().ja, "<8");
    assert!(reading.items[0].number.is_none(), "a bound is no number to compute with");
}

#[test]
fn questionnaires_answer_in_their_order() {
    let answers = json!({
        "resourceType": "QuestionnaireResponse", "status": "completed", "authored": "2025-07-09",
        "meta": { "tag": [] },
        "item": [
            { "linkId": "1", "text": "ひとり歩きを始めましたか", "answer": [{ "valueBoolean": true }] },
            { "linkId": "2", "text": "ことば", "item": [
                { "linkId": "2.1", "text": "言えることば", "answer": [{ "valueString": "ママ" }, { "valueString": "ブーブー" }] },
            ]},
            { "linkId": "3", "text": "体重", "answer": [{ "valueQuantity": { "value": 10.2, "unit": "kg" } }] },
        ],
    });
    let reading = read(Category::InfantCheckup, &answers);
    let shown: Vec<_> = reading
        .items
        .iter()
        .map(|it| (it.label.ja.as_str(), it.value.as_ref().unwrap().ja.as_str()))
        .collect();
    assert_eq!(
        shown,
        [("ひとり歩きを始めましたか", "あり"), ("言えることば", "ママ、ブーブー"), ("体重", "10.2 kg")]
    );
}

#[test]
fn withdrawn_counts_for_nothing_and_undone_says_so() {
    let mut withdrawn = report("3y", "2026-05-01", "異常なし");
    withdrawn["status"] = json!("entered-in-error");
    let mut cancelled = report("5y", "2026-06-01", "中止");
    cancelled["status"] = json!("cancelled");
    let readings = [read(Category::InfantCheckup, &withdrawn), read(Category::InfantCheckup, &cancelled)];
    let all = occasions(&readings, None);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].standing, Standing::Negated);
    let due = childhood::due(day("2021-05-01"), day("2026-06-02"), &all);
    let progress = |checkup| due.iter().find(|it| it.checkup == checkup).unwrap().progress;
    assert_eq!(progress(ChildCheckup::ThreeYears), childhood::Progress::NoRecord);
    assert_eq!(progress(ChildCheckup::FiveYears), childhood::Progress::Now);
}

#[test]
fn a_recorded_check_up_is_due_no_more() {
    let readings = [read(Category::InfantCheckup, &report("3y", "2024-06-01", "異常なし"))];
    let due = childhood::due(day("2021-05-01"), day("2024-06-02"), &occasions(&readings, None));
    let shown: Vec<_> = due.iter().map(|it| it.progress.label().ja).collect();
    assert_eq!(
        shown,
        ["記録なし", "記録なし", "記録なし", "記録なし", "記録なし", "記録あり", "これから", "これから"]
    );
    assert_eq!(due[5].progress, childhood::Progress::Recorded(day("2024-06-01")));
}

#[test]
fn gestation_and_visit_are_read_from_words() {
    let title = |text: &str, conclusion: &str| {
        let resource = json!({ "resourceType": "DiagnosticReport", "status": "final", "code": { "text": text },
            "conclusion": conclusion, "effectiveDateTime": "2026-01-10" });
        let reading = read(Category::PrenatalCheckup, &resource);
        (reading.visit, reading.gestation.map(|it| (it.weeks, it.days)))
    };
    assert_eq!(title("妊婦健診 第１２回", "妊娠３６週５日"), (Some(12), Some((36, Some(5)))));
    assert_eq!(title("妊婦健康診査(28週)", "異常なし"), (None, Some((28, None))));
    assert_eq!(title("妊婦健診", "次回は来週"), (None, None));
    assert_eq!(title("妊婦健診 第999回", "99週"), (None, None));
}

#[test]
fn what_is_no_check_up_is_unreadable() {
    for content in ["", "[]", "{}", "\u{0}", r#"{"resourceType":"Observation","code":{"text":"x"}}"#] {
        for category in Category::ALL {
            assert!(Reading::read(category, content.as_bytes()).is_err(), "{category} {content}");
        }
    }
    let fine = finding("視力", "2026-01-10", "A").to_string();
    assert!(Reading::read(Category::Allergy, fine.as_bytes()).is_err());
    let reading = Reading::read(Category::HealthExam, fine.as_bytes()).unwrap();
    let shown =
        format!("{:?} {:?} {:?}", reading, reading.items[0], occasions(std::slice::from_ref(&reading), None));
    assert_eq!(shown, "Reading(***) Item(***) [Occasion(***)]");
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let category = prop::sample::select(vec![
        Category::PrenatalCheckup,
        Category::InfantCheckup,
        Category::HealthExam,
        Category::Growth,
    ]);
    let name = prop::sample::select(vec!["視力", "体重", "追視", "血圧"]);
    let code = prop::sample::select(vec!["3y", "1y6m", "preschool", "?"]);
    (category, name, code, 0i32..2_000, 0u32..100).prop_map(|(category, name, code, days, value)| {
        let on = day("2020-01-01").plus_days(days).unwrap().to_string();
        let found = quantity(("urn:x", "y"), name, &on, json!(value), "kg");
        read(category, &if code == "?" { found } else { of_checkup(code, found) })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Nothing is lost or doubled, whatever the order; the previous result is earlier and of the same item.
    #[test]
    fn every_reading_is_in_one_occasion(readings in prop::collection::vec(any_reading(), 0..20), born in 0i32..4_000) {
        let birth: Option<CalendarDate> = day("2009-01-01").plus_days(born);
        let all = occasions(&readings, birth);
        let mut placed: Vec<usize> = all.iter().flat_map(|it| it.readings.clone()).collect();
        placed.sort_unstable();
        let days: Vec<CalendarDate> = readings.iter().filter(|it| it.category != Category::Growth).map(|it| it.date).collect();
        let expected: Vec<usize> = (0..readings.len())
            .filter(|place| readings[*place].category != Category::Growth || days.contains(&readings[*place].date))
            .collect();
        prop_assert_eq!(placed, expected);
        prop_assert!(all.windows(2).all(|pair| pair[0].from >= pair[1].from));
        for outcome in all.iter().flat_map(|it| &it.outcomes) {
            if let Some(previous) = &outcome.previous {
                prop_assert!(previous.date < outcome.date);
                let earlier = &readings[previous.reading].items[0];
                prop_assert_eq!(&earlier.identity, &outcome.item.identity);
            }
        }
        let mut shuffled = readings.clone();
        shuffled.reverse();
        let kinds = |all: &[Occasion]| all.iter().map(|it| (it.kind, it.from, it.to)).collect::<Vec<_>>();
        prop_assert_eq!(kinds(&occasions(&shuffled, birth)), kinds(&all));
    }

    #[test]
    fn any_json_is_read_or_refused(resource in words::any_resource(), category in prop::sample::select(Category::ALL.to_vec())) {
        let content = serde_json::to_vec(&resource).unwrap();
        if let Ok(reading) = Reading::read(category, &content) {
            let _ = occasions(&[reading], None);
        }
    }

    #[test]
    fn no_bytes_break_the_reader(content in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Reading::read(Category::HealthExam, &content).is_err());
    }
}
