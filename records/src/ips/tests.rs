use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

const AT: u64 = 1_795_679_000_000;

fn subject() -> Subject {
    Subject {
        name: "前橋 <花子>".into(),
        kana: Some("マエバシ ハナコ".into()),
        birth: "2020-05-06".parse().unwrap(),
        sex: Sex::Female,
    }
}

fn source<'a>(id: &'a str, name: &'a str, records: &[(Category, &'a str)]) -> Source<'a> {
    let records = records
        .iter()
        .map(|(category, content)| Record {
            category: *category,
            media_type: MEDIA_TYPE,
            content: content.as_bytes(),
        })
        .collect();
    Source { id, name: (name, "An Institution"), answer: Answer::Records(records), as_of: Some(AT) }
}

fn silent(name: &str) -> Source<'_> {
    Source {
        id: "maebashi/silent",
        name: (name, "The Silent"),
        answer: Answer::Silent("応答なし", "no answer"),
        as_of: None,
    }
}

const WEIGHT: &str = r#"{"resourceType":"Observation","id":"1","status":"final","subject":{"reference":"Patient/00123"},
    "encounter":{"reference":"Encounter/9"},"effectiveDateTime":"2024-04-01",
    "code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"valueQuantity":{"value":12.3450000,"unit":"kg"}}"#;
const DOSE: &str = r#"{"resourceType":"Immunization","id":"1","status":"completed","patient":{"reference":"Patient/00123"},
    "vaccineCode":{"text":"<b>MR</b> & more"},"occurrenceDateTime":"2021-06-10"}"#;
const REPORT: &str = r#"{"resourceType":"DiagnosticReport","id":"r","status":"final","subject":{"reference":"Patient/00123"},
    "code":{"text":"健康診断"},"effectiveDateTime":"2024-04-01","result":[{"reference":"Observation/1"}]}"#;
const WITHDRAWN: &str = r#"{"resourceType":"AllergyIntolerance","id":"a","patient":{"reference":"Patient/00123"},
    "verificationStatus":{"coding":[{"code":"entered-in-error"}]},"code":{"text":"そば"}}"#;
const OWN: &str =
    r#"{"resourceType":"Patient","id":"00123","name":[{"text":"前橋 花子"}],"birthDate":"2020-05-06"}"#;
const DOUBLED: &str = r#"{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/00123"},"code":{"text":"x","text":"y"}}"#;

fn sample() -> Vec<Source<'static>> {
    vec![
        source(
            "maebashi/hospital",
            "中央病院",
            &[
                (Category::Patient, OWN),
                (Category::Growth, WEIGHT),
                (Category::HealthExam, REPORT),
                (Category::Allergy, WITHDRAWN),
                (Category::HealthExam, DOUBLED),
                (Category::Allergy, "not json"),
            ],
        ),
        source(
            "maebashi/clinic",
            "みなみクリニック",
            &[(Category::Immunization, DOSE), (Category::SchoolNotice, "{}")],
        ),
        source("maebashi/nothing", "薬局", &[]),
        silent("黙秘<病院>"),
    ]
}

fn document(sources: &[Source<'_>]) -> (Document, Value) {
    let document = write(&subject(), sources, [0x5A; 16], AT);
    let value = serde_json::from_str(&document.json).unwrap();
    (document, value)
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("reference").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// What must be true of every document: bdl-*, cmp-*, ips-comp-1, and that references lead somewhere.
fn check(bundle: &Value) {
    let entries = bundle["entry"].as_array().unwrap();
    assert_eq!(bundle["type"], "document");
    assert_eq!(bundle["identifier"]["value"].as_str().unwrap().len(), 45);
    assert_eq!(entries[0]["resource"]["resourceType"], "Composition");
    let urls: BTreeSet<&str> = entries.iter().map(|entry| entry["fullUrl"].as_str().unwrap()).collect();
    assert_eq!(urls.len(), entries.len(), "every name once");
    for entry in entries {
        assert_eq!(entry["fullUrl"], format!("urn:uuid:{}", entry["resource"]["id"].as_str().unwrap()));
    }
    let of_kind =
        |kind: &str| entries.iter().filter(|entry| entry["resource"]["resourceType"] == kind).count();
    assert_eq!((of_kind("Composition"), of_kind("Patient")), (1, 1));
    let mut found = Vec::new();
    references(bundle, &mut found);
    for reference in found.iter().filter(|reference| reference.starts_with("urn:")) {
        assert!(urls.contains(reference.as_str()), "{reference} leads nowhere");
    }
    let sections = entries[0]["resource"]["section"].as_array().unwrap();
    for section in sections {
        let (entry, reason) = (section.get("entry"), section.get("emptyReason"));
        assert!(entry.is_none() || reason.is_none());
        assert!(section["text"]["div"].as_str().unwrap().ends_with("</div>") && section["title"].is_string());
        assert!(section.get("section").is_none());
    }
    for required in ["48765-2", "10160-0", "11450-4"] {
        let own: Vec<_> =
            sections.iter().filter(|section| section["code"]["coding"][0]["code"] == required).collect();
        assert_eq!(own.len(), 1);
        assert!(own[0].get("entry").is_some() || own[0].get("emptyReason").is_some());
    }
    // Everything of an institution is reachable and is said to be its own.
    let listed: BTreeSet<String> = sections
        .iter()
        .flat_map(|section| section["entry"].as_array().into_iter().flatten())
        .map(|entry| entry["reference"].as_str().unwrap().to_owned())
        .collect();
    let mut own = BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry["resource"]["resourceType"] == "Provenance") {
        for target in entry["resource"]["target"].as_array().unwrap() {
            assert!(own.insert(target["reference"].as_str().unwrap().to_owned()), "one owner each");
        }
    }
    for entry in entries {
        let kind = entry["resource"]["resourceType"].as_str().unwrap();
        let url = entry["fullUrl"].as_str().unwrap();
        match kind {
            "Composition" | "Patient" | "Device" | "Provenance" => assert!(!own.contains(url)),
            "Organization" => assert!(listed.contains(url)),
            _ => assert!(listed.contains(url) && own.contains(url), "{kind}"),
        }
    }
}

#[test]
fn a_view_becomes_a_document() {
    let (document, bundle) = document(&sample());
    check(&bundle);
    assert_eq!((document.carried, document.unreadable), (3, 2));
    assert!(document.json.contains(r#""value":12.3450000,"#), "digit for digit");
    assert!(!document.json.contains("00123"), "the institution's number of the patient stays there");
    assert_eq!(bundle["timestamp"], "2026-11-26T16:43:20.000+09:00");

    let entries = bundle["entry"].as_array().unwrap();
    let resource = |kind: &str| {
        entries
            .iter()
            .find(|entry| entry["resource"]["resourceType"] == kind)
            .map(|entry| &entry["resource"])
            .unwrap()
    };
    let patient = resource("Patient");
    assert_eq!(patient["name"][0]["family"], "前橋");
    assert_eq!(patient["name"][0]["given"][0], "<花子>");
    assert_eq!(patient["name"][1]["extension"][0]["valueCode"], "SYL");
    assert_eq!(
        (&patient["birthDate"], &patient["gender"]),
        (&Value::from("2020-05-06"), &Value::from("female"))
    );
    assert!(patient.get("identifier").is_none());

    let weight = resource("Observation");
    assert_eq!(weight["encounter"]["identifier"]["value"], "Encounter/9");
    assert_eq!(weight["encounter"]["type"], "Encounter");
    let report = resource("DiagnosticReport");
    assert_eq!(report["result"][0]["reference"], format!("urn:uuid:{}", weight["id"].as_str().unwrap()));
    assert_eq!(weight["subject"]["reference"], format!("urn:uuid:{}", patient["id"].as_str().unwrap()));

    let section = |code: &str| {
        let sections = entries[0]["resource"]["section"].as_array().unwrap();
        sections.iter().find(|section| section["code"]["coding"][0]["code"] == code).unwrap()
    };
    let allergies = section("48765-2");
    assert_eq!(allergies["emptyReason"]["coding"][0]["code"], "unavailable");
    let said = allergies["text"]["div"].as_str().unwrap();
    assert!(said.contains("該当するものがないという意味ではありません") && said.contains("黙秘&lt;病院&gt;"));
    assert!(!said.contains("known"));
    let said = section("11369-6")["text"]["div"].as_str().unwrap();
    assert!(said.contains("&lt;b&gt;MR&lt;/b&gt; &amp; more") && said.contains("みなみクリニック"));
    let said = section("coverage")["text"]["div"].as_str().unwrap();
    for words in [
        "応答なし",
        "学校のお知らせ・行事 1件",
        "取り消された記録 1件",
        "読み取れない記録 2件",
        "お見せできる記録なし",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(section("8716-3")["entry"].as_array().is_some());
}

#[test]
fn the_same_input_gives_the_same_bytes_and_another_id_other_names() {
    let one = write(&subject(), &sample(), [1; 16], AT);
    assert_eq!(one.json, write(&subject(), &sample(), [1; 16], AT).json);
    let names = |document: &Document| -> BTreeSet<String> {
        let bundle: Value = serde_json::from_str(&document.json).unwrap();
        bundle["entry"].as_array().unwrap().iter().map(|entry| entry["fullUrl"].to_string()).collect()
    };
    assert!(names(&one).is_disjoint(&names(&write(&subject(), &sample(), [2; 16], AT))));
    // The count runs over the end of its bytes.
    check(&serde_json::from_str(&write(&subject(), &sample(), [0xFF; 16], u64::MAX).json).unwrap());
}

#[test]
fn nothing_at_all_is_a_document_too() {
    let (document, bundle) = document(&[]);
    check(&bundle);
    assert_eq!((document.carried, document.unreadable), (0, 0));
    let (_, bundle) = self::document(&[silent("病院")]);
    check(&bundle);
}

#[test]
fn pregnancy_and_its_laboratory_results_are_told_apart() {
    let observation = |code: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{code}","status":"final","subject":{{"reference":"Patient/1"}},
                "code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},"effectiveDateTime":"2024-04-01"}}"#
        )
    };
    let contents = [observation("11778-8"), observation("22497-2"), observation("18185-9")];
    let records: Vec<_> =
        contents.iter().map(|content| (Category::PrenatalCheckup, content.as_str())).collect();
    let (_, bundle) = document(&[source("a", "a", &records)]);
    check(&bundle);
    let count = |code: &str| {
        let sections = bundle["entry"][0]["resource"]["section"].as_array().unwrap();
        let section = sections.iter().find(|section| section["code"]["coding"][0]["code"] == code).unwrap();
        section["entry"].as_array().unwrap().len()
    };
    assert_eq!((count("10162-6"), count("30954-2")), (2, 1));
}

#[test]
fn debug_tells_nothing_of_anybody() {
    let (document, _) = document(&sample());
    let printed = format!("{document:?} {:?} {:?}", subject(), sample());
    for secret in ["花子", "00123", "MR", "2020"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_institutions_send_the_document_is_sound(
        name in "\\PC{0,20}", kind in "Observation|Immunization|Condition|Patient|Composition|Nonsense|Encounter",
        value in "[\\PC]{0,30}|\\{\"reference\":\"[a-zA-Z:/#?]{0,12}\"\\}|-?[0-9]{1,3}\\.[0-9]{1,12}",
        category in proptest::sample::select(Category::ALL.to_vec()),
    ) {
        let contents = [
            format!(r#"{{"resourceType":"{kind}","id":"1","subject":{{"reference":"Patient/1"}},"focus":{value}}}"#),
            format!(r#"{{"resourceType":"{kind}","focus":[{value}],"patient":{value}}}"#),
            value.clone(),
        ];
        let records: Vec<_> = contents.iter().map(|content| (category, content.as_str())).collect();
        let person = Subject { name: name.clone(), kana: Some(name.clone()), ..subject() };
        let sources = [source("a", &name, &records), source("b", "b", &records), silent(&name)];
        let document = write(&person, &sources, [7; 16], AT);
        let bundle: Value = serde_json::from_str(&document.json).unwrap();
        check(&bundle);
        let carried = kind != "Patient" && kind != "Composition" && kind != "Nonsense" && !category.is_of_school();
        if carried && serde_json::from_str::<f64>(&value).is_ok() {
            let expected = format!(r#""focus":{value}"#);
            prop_assert!(document.json.contains(&expected), "digit for digit");
        }
    }
}
