//! The lines as a guardian reads them.

use proptest::prelude::*;

use super::text::steers;
use super::*;

fn line(category: Category, content: &str) -> (String, String) {
    let Summary { ja, en } = summary(category, content.as_bytes());
    (ja, en)
}

fn lines(ja: &str, en: &str) -> (String, String) {
    (ja.to_owned(), en.to_owned())
}

#[test]
fn vaccinations_name_vaccine_and_dose() {
    let foreign = r#"{"resourceType":"Immunization","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"20","display":"DTaP"}],"text":"DTaP"},"protocolApplied":[{"doseNumberPositiveInt":2}]}"#;
    assert_eq!(line(Category::Immunization, foreign), lines("三種混合 2回目", "DTaP, dose 2"));
    let japanese = r#"{"resourceType":"Immunization","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"134"}],"text":"日本脳炎"},"protocolApplied":[{"series":"1期初回","doseNumberString":"追加"}]}"#;
    assert_eq!(
        line(Category::Immunization, japanese),
        lines("日本脳炎 1期初回 追加", "Japanese encephalitis (Vero cell), 1期初回, 追加")
    );
    let undone = foreign.replace("completed", "not-done");
    assert_eq!(
        line(Category::Immunization, &undone),
        lines("【実施せず】三種混合 2回目", "(not done) DTaP, dose 2")
    );
    let mistaken = foreign.replace("completed", "entered-in-error");
    assert_eq!(line(Category::Immunization, &mistaken).0, "【取消】三種混合 2回目");
}

#[test]
fn measurements_have_value_and_unit() {
    let height = r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8302-2","display":"Body Height"}]},"valueQuantity":{"value":52.692030001960916,"unit":"cm"}}"#;
    assert_eq!(line(Category::Growth, height), lines("身長 52.7 cm", "Height 52.7 cm"));
    let weight =
        height.replace("8302-2", "29463-7").replace("52.692030001960916", "3.25").replace("cm", "kg");
    assert_eq!(line(Category::Growth, &weight).0, "体重 3.25 kg");
}

#[test]
fn check_ups_say_what_was_found() {
    let visit = r#"{"resourceType":"DiagnosticReport","status":"final","code":{"coding":[{"system":"https://hibiki.example/fhir/CodeSystem/child-checkup","code":"3y"}]},"conclusion":"異常なし"}"#;
    assert_eq!(line(Category::InfantCheckup, visit), lines("3歳児健診 異常なし", "3-year check-up 異常なし"));
    let visit = r#"{"resourceType":"Encounter","status":"finished","type":[{"coding":[{"display":"Prenatal visit"}],"text":"妊婦健診"}]}"#;
    assert_eq!(line(Category::PrenatalCheckup, visit), lines("妊婦健診", "Prenatal visit"));
    let eyes =
        r#"{"resourceType":"Observation","status":"final","code":{"text":"視力(右)"},"valueString":"A"}"#;
    assert_eq!(line(Category::HealthExam, eyes).0, "視力(右) A");
    let titled =
        r#"{"resourceType":"Composition","status":"final","title":"健康診断票","type":{"text":"健診"}}"#;
    assert_eq!(line(Category::HealthExam, titled).0, "健康診断票");
}

#[test]
fn allergies_medicines_and_people() {
    let wheat = r#"{"resourceType":"AllergyIntolerance","criticality":"high","clinicalStatus":{"coding":[{"code":"active"}]},"code":{"coding":[{"system":"http://snomed.info/sct","code":"420174000","display":"Allergy to wheat"}]}}"#;
    assert_eq!(
        line(Category::Allergy, wheat),
        lines("小麦(重い反応のおそれ)", "Allergy to wheat (high risk)")
    );
    let past = wheat.replace("high", "low").replace("active", "resolved");
    assert_eq!(line(Category::Allergy, &past).0, "小麦(治癒)");
    let syrup = r##"{"resourceType":"MedicationRequest","status":"active","medicationReference":{"reference":"#m"},"contained":[{"resourceType":"Medication","id":"m","code":{"text":"カルボシステインシロップ"}}],"dosageInstruction":[{"text":"1日3回 毎食後"}]}"##;
    assert_eq!(line(Category::Prescription, syrup).0, "カルボシステインシロップ(1日3回 毎食後)");
    let child =
        r#"{"resourceType":"Patient","name":[{"family":"前橋","given":["花子"]}],"birthDate":"2020-05-06"}"#;
    assert_eq!(
        line(Category::Patient, child),
        lines("前橋 花子(令和2年5月6日生)", "前橋 花子 (born 2020-05-06)")
    );
    assert_eq!(format!("{:?}", summary(Category::Patient, child.as_bytes())), "Summary(***)");
}

#[test]
fn school_matters() {
    let notice = r#"{"resourceType":"Communication","status":"completed","topic":{"text":"学級だより 5月号"},"payload":[{"contentString":"本文"}]}"#;
    assert_eq!(line(Category::SchoolNotice, notice).0, "学級だより 5月号");
    let untitled = r#"{"resourceType":"Communication","status":"completed","payload":[{"contentString":"\n プール開きについて\n本文"}]}"#;
    assert_eq!(line(Category::SchoolNotice, untitled).0, "プール開きについて");
    let task = r#"{"resourceType":"Task","status":"requested","description":"健康調査票","restriction":{"period":{"end":"2024-04-12T15:00:00Z"}}}"#;
    assert_eq!(
        line(Category::SchoolNotice, task),
        lines("提出物: 健康調査票(4月13日まで)", "To hand in: 健康調査票 (by 2024-04-13)")
    );
    let event = r#"{"resourceType":"Appointment","status":"booked","description":"運動会"}"#;
    assert_eq!(line(Category::SchoolEvent, event).0, "運動会");
    let calendar = "BEGIN:VCALENDAR\r\nSUMMARY:no\r\nBEGIN:VEVENT\r\nSUMMARY;LANGUAGE=ja:遠足\\, 雨天\r\n 中止\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    assert_eq!(line(Category::SchoolEvent, calendar).0, "遠足, 雨天中止");
}

#[test]
fn what_cannot_be_read_is_called_by_its_kind() {
    for category in Category::ALL {
        for content in
            ["", "{}", "[]", "null", "{\"code\":7,\"type\":[7],\"vaccineCode\":[],\"name\":7}", "\u{0}"]
        {
            let label = category.label();
            assert_eq!(line(category, content), lines(label.ja, label.en), "{category}: {content}");
        }
    }
}

#[test]
fn a_line_cannot_steer_a_terminal() {
    let content = r#"{"description":"運動\u001b[2J会\u202E\n\r\u0007 x"}"#;
    assert_eq!(line(Category::SchoolEvent, content).0, "運動 [2J会 x");
    let long = format!(r#"{{"description":"{}"}}"#, "長".repeat(1000));
    let (ja, _) = line(Category::SchoolEvent, &long);
    assert_eq!((ja.chars().count(), ja.ends_with('…')), (LINE_MAX_CHARS, true));
}

fn any_category() -> impl Strategy<Value = Category> {
    prop::sample::select(Category::ALL.to_vec())
}

/// Any JSON made of the keys we look at.
pub(crate) fn any_resource() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(Value::from("http://hl7.org/fhir/sid/cvx")),
        Just(Value::from("Task")),
        Just(Value::from("Observation")),
        Just(Value::from("http://loinc.org")),
        Just(Value::from("29463-7")),
        Just(Value::from("2024-04-01")),
    ];
    let keys = prop::sample::select(vec![
        "resourceType",
        "code",
        "coding",
        "text",
        "display",
        "system",
        "type",
        "value",
        "valueQuantity",
        "name",
        "family",
        "vaccineCode",
        "protocolApplied",
        "topic",
        "payload",
        "contentString",
        "restriction",
        "period",
        "end",
        "status",
        "effectiveDateTime",
        "unit",
        "component",
        "description",
        "birthDate",
        "contained",
        "medicationReference",
        "reference",
        "conclusion",
        "category",
    ]);
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(keys.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_have_a_line(category in any_category(), content in prop::collection::vec(any::<u8>(), 0..200)) {
        let Summary { ja, en } = summary(category, &content);
        prop_assert!(!ja.is_empty() && !en.is_empty());
    }

    #[test]
    fn any_json_has_one_short_clean_line(category in any_category(), resource in any_resource()) {
        let content = serde_json::to_vec(&resource).unwrap();
        let Summary { ja, en } = summary(category, &content);
        for text in [ja, en] {
            prop_assert!(!text.is_empty() && text.chars().count() <= LINE_MAX_CHARS + 16);
            prop_assert!(!text.chars().any(|c| c.is_control() || steers(c)));
        }
    }
}
