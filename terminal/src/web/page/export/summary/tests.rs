#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use hibiki_protocol::session::Relation;
use serde_json::{Value, json};

use super::super::super::tests::{EVIL, record, seated};
use super::*;
use crate::web::Lang;

#[test]
fn it_carries_every_record_and_says_who_is_missing() {
    let weight: Value = serde_json::from_str(
        r#"{"resourceType":"Observation","id":"w","status":"final","effectiveDateTime":"2026-11-01",
        "code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},
        "valueQuantity":{"value":8.5,"unit":"kg","code":"kg"}}"#,
    )
    .unwrap();
    let dose = json!({"resourceType": "Immunization", "id": "d", "status": "completed",
        "occurrenceDateTime": "2026-11-01", "vaccineCode": {"text": EVIL}, "patient": {"reference": "Patient/1"}});
    let note = json!({"resourceType": "Communication", "status": "completed", "topic": {"text": "遠足"}});
    let all = || {
        vec![
            record(Category::Growth, "2026-11-01", &weight),
            record(Category::Immunization, "2026-11-01", &dose),
            record(Category::SchoolNotice, "2026-11-01", &note),
        ]
    };
    let mut whole = seated(all(), Relation::Child, "2026-01-18", Lang::Ja);
    assert_eq!(records(&whole), 2);
    let document = write(&whole, [7; 16]).unwrap();
    assert_eq!((document.carried, document.unreadable), (2, 0));
    let bundle: Value = serde_json::from_str(&document.json).unwrap();
    assert_eq!(bundle["type"], "document");
    let composition = &bundle["entry"][0]["resource"];
    let said = composition["text"]["div"].as_str().unwrap();
    assert!(said.contains("2機関のうち1機関から応答がありました"), "{said}");
    let markup = composition.to_string();
    assert!(!markup.contains("<script>") && markup.contains("&lt;script&gt;"), "markup is text");

    // Before anything has landed nobody has answered, and it says so.
    whole.view.parts.clear();
    let document = write(&whole, [7; 16]).unwrap();
    assert_eq!((document.carried, records(&whole)), (0, 0));
    assert!(document.json.contains("まだ応答がありません"));
}
