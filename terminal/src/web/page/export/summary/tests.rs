#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use hibiki_protocol::answer;
use hibiki_protocol::session::Relation;
use hibiki_protocol::time::{Day, Timestamp};
use hibiki_protocol::trust::MemberKind;

use super::*;
use crate::desk::Institution;

/// 2026-11-26 in Japan.
const AT: u64 = 1_795_679_000_000;

fn record(category: Category, content: &str) -> answer::Record {
    answer::Record {
        category: hibiki_protocol::ids::Category::new(category.wire_name()).unwrap(),
        date: Day::new("2026-11-01").unwrap(),
        updated_at: Timestamp(AT),
        media_type: ips::MEDIA_TYPE.to_owned(),
        content: content.as_bytes().to_vec(),
    }
}

#[test]
fn it_carries_every_record_and_says_who_is_missing() {
    let institutions: Vec<Institution> = ["clinic", "hall", "school", "late"]
        .into_iter()
        .map(|name| Institution {
            id: format!("town/{name}").parse().unwrap(),
            kind: MemberKind::Clinic,
            name: (format!("機関{name}"), format!("The {name}")),
        })
        .collect();
    let part = |place: usize, outcome, records| {
        let Institution { id, kind, name } = institutions[place].clone();
        let part = ViewPart {
            institution: id.clone(),
            kind,
            name,
            outcome,
            detail: None,
            retry_after_millis: None,
            as_of: Some(Timestamp(AT)),
            policy_version: None,
            records,
            receipt: None,
            kept_since: Vec::new(),
        };
        (id, Arc::new(part))
    };
    let weight = r#"{"resourceType":"Observation","id":"w","status":"final","effectiveDateTime":"2026-11-01",
        "code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},
        "valueQuantity":{"value":8.50,"unit":"kg","code":"kg"}}"#;
    let dose = r#"{"resourceType":"Immunization","id":"d","status":"completed","occurrenceDateTime":"2026-11-01",
        "vaccineCode":{"text":"<script>MR</script>"},"patient":{"reference":"Patient/1"}}"#;
    let records = vec![record(Category::Growth, weight), record(Category::Immunization, dose)];
    let view = LiveView {
        asked_at: Timestamp(AT),
        parts: BTreeMap::from([
            part(0, Outcome::Data, records),
            part(1, Outcome::NothingToShow, Vec::new()),
            part(2, Outcome::Unreachable, Vec::new()),
        ]),
        ended: None,
    };
    let seat = Seat {
        persons: Arc::new([]),
        institutions: institutions.into(),
        simulated: true,
        not_after: Timestamp(AT),
        views: Vec::new(),
        histories: Vec::new(),
        consents: Vec::new(),
        choices: Vec::new(),
    };
    let person = AttestedSubject {
        relation: Relation::Child,
        name: "赤城 <b>春".to_owned(),
        kana: " ".to_owned(),
        birth_date: Day::new("2026-01-05").unwrap(),
        sex: "female".to_owned(),
        grants: Vec::new(),
    };
    let birth = "2026-01-05".parse().unwrap();
    let document = document(&person, (birth, Sex::Female), &seat, &view, [7; 16]);
    assert_eq!((document.carried, document.unreadable), (2, 0));
    assert!(document.json.contains("\"value\":8.50"), "digit for digit");
    let bundle: serde_json::Value = serde_json::from_str(&document.json).unwrap();
    assert_eq!(bundle["type"], "document");
    let composition = bundle["entry"][0]["resource"].to_string();
    assert!(!composition.contains("<script>") && composition.contains("&lt;script&gt;"), "markup is text");
    for silent in ["機関school", "機関late"] {
        assert!(composition.contains(silent), "{silent}");
    }
    let coverage = bundle["entry"][0]["resource"]["text"]["div"].as_str().unwrap();
    assert!(coverage.contains("4機関のうち2機関から応答がありました"), "{coverage}");
    assert!(composition.contains("まだ応答がありません"));
}
