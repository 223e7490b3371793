#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use hibiki_protocol::session::Relation;
use hibiki_records::person::Sex;

use super::super::tests::{EVIL, body, record, seated};
use super::*;

const DOSE: &str = r#"{"resourceType":"Immunization","status":"completed","occurrenceDateTime":"1991-10-03",
    "vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"06"}]}}"#;

fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

/// A woman born in 1978 asks a city hall that holds `content`, a school and a clinic.
fn asked(content: &str, landed: [bool; 3], ended: bool) -> LookUp {
    let kinds = [HolderKind::CityHall, HolderKind::School, HolderKind::Clinic];
    let sources = kinds.into_iter().zip(landed).map(|(kind, landed)| Source {
        name: (format!("機関{kind:?}"), format!("{kind:?}")),
        kind,
        reply: match (kind, landed) {
            (_, false) => Reply::Silent,
            (HolderKind::CityHall, true) => Reply::answered([content.as_bytes()], None),
            (_, true) => Reply::answered([], Some(day("2010-04-01"))),
        },
    });
    let person = Person { birth: day("1978-05-05"), sex: Sex::Female };
    LookUp::new(&Sheet::new(person, sources.collect(), 0, day("2026-11-26")), &landed, ended, Lang::Ja)
}

#[test]
fn nothing_is_concluded_before_everybody_has_answered_but_what_was_found() {
    let waiting = asked("{}", [true, false, false], false);
    assert_eq!((waiting.sum, waiting.outcome, waiting.next.len()), (None, "waiting", 0));
    assert_eq!(waiting.rows[1].outcome, "waiting");
    assert!(waiting.rows[1].meaning.is_empty() && waiting.rows[1].label.contains("問い合わせ中"));
    assert!(waiting.meanings.iter().all(|(label, _)| *label != Outcome::DidNotAnswer.label().ja));

    let found = asked(DOSE, [true, false, false], false);
    assert_eq!((found.outcome, found.found.len()), ("record_found", 1));
    assert!(found.sum.is_some() && !found.next.is_empty());
    assert_eq!(found.rows[2].outcome, "waiting", "and the rest is still asked");

    let ended = asked("{}", [true, false, false], true);
    assert_eq!(ended.outcome, "did_not_answer");
    assert_eq!(ended.rows[1].outcome, "did_not_answer");
}

#[test]
fn every_institution_has_one_answer_with_its_evidence_and_retention() {
    let whole = asked(DOSE, [true; 3], true);
    assert_eq!(whole.rows.len(), 3);
    let outcomes: Vec<_> = whole.rows.iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes[..2], ["record_found", "no_longer_kept"]);
    assert_eq!(whole.rows[0].found[0].when, "平成3年10月3日");
    assert!(whole.rows[1].kept.contains("平成22年4月1日以降"), "{}", whole.rows[1].kept);
    assert!(whole.rows.iter().all(|row| whole.meanings.contains(&(row.label, row.meaning))));
    assert!(!whole.programmes.is_empty() && !whole.places.is_empty());
}

#[test]
fn a_silent_part_is_no_answer_whatever_it_carries() {
    let part = |outcome| ViewPart {
        institution: "a/b".parse().unwrap(),
        kind: hibiki_protocol::trust::MemberKind::Clinic,
        name: (String::new(), String::new()),
        outcome,
        detail: None,
        retry_after_millis: None,
        as_of: None,
        policy_version: None,
        records: Vec::new(),
        receipt: None,
        kept_since: Vec::new(),
    };
    assert!(matches!(reply(&part(Answered::Unreachable)), Reply::Silent));
    assert!(matches!(reply(&part(Answered::NothingToShow)), Reply::Answered { .. }));
}

#[tokio::test]
async fn hostile_words_of_a_record_are_text_on_the_page() {
    let mut dose: serde_json::Value = serde_json::from_str(DOSE).unwrap();
    dose["location"] = serde_json::json!({ "display": EVIL });
    let records = vec![record(Category::Immunization, "1991-10-03", &dose)];
    let html = body(page(seated(records, Relation::Oneself, "1978-05-05", Lang::Ja)).await).await;
    assert!(html.contains("data-outcome=\"record_found\"") && html.contains("平成3年10月3日"));
    assert!(!html.contains("<script>window") && !html.contains("<img") && !html.contains('\u{202e}'));
    // At the result, and in the table; the name of the institution is as hostile.
    assert!(html.matches("&#60;script&#62;window.pwned=1").count() >= 4);
}
