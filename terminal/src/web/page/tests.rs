#![allow(clippy::unwrap_used, reason = "tests")]

//! Every page from records of every kind: hostile, broken, many. Nothing is lost, nothing gets out of its place.

use std::sync::Arc;

use axum::body::to_bytes;
use hibiki_protocol::answer::Record;
use hibiki_protocol::ids::{Category as Wire, MemberId};
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::session::{AttestedSubject, Relation};
use hibiki_protocol::time::{Day, Timestamp};
use hibiki_protocol::trust::MemberKind;
use hibiki_records::category::Category;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::desk::{Institution, LiveView, Seat};
use crate::view::ViewPart;
use crate::web::Lang;

pub(super) const EVIL: &str = "<script>window.pwned=1</script>\"><img src=x onerror=pwn()>{{7*7}}\u{202e}";
const NAME: &str = "赤城 <b>湊</b>";

pub(super) fn seated(records: Vec<Record>, relation: Relation, birth: &str, lang: Lang) -> Seated {
    let id: MemberId = "maebashi/hospital".parse().unwrap();
    let person = AttestedSubject {
        relation,
        name: NAME.to_owned(),
        kana: "アカギ".to_owned(),
        birth_date: Day::new(birth).unwrap(),
        sex: "female".to_owned(),
        grants: Vec::new(),
    };
    // The council approves names: no marks of direction in them.
    let name = EVIL.trim_end_matches('\u{202e}');
    let name = (format!("病院{name}"), format!("Hospital{name}"));
    let part = ViewPart {
        institution: id.clone(),
        kind: MemberKind::Hospital,
        name: name.clone(),
        outcome: Outcome::Data,
        detail: None,
        retry_after_millis: None,
        as_of: Some(Timestamp(0)),
        policy_version: Some(1),
        records,
        receipt: None,
        kept_since: Vec::new(),
    };
    let silent = ViewPart {
        institution: "maebashi/clinic".parse().unwrap(),
        outcome: Outcome::TimedOut,
        records: Vec::new(),
        ..part.clone()
    };
    let institutions = [&part, &silent].map(|part| Institution {
        id: part.institution.clone(),
        kind: part.kind,
        name: name.clone(),
    });
    let mut view = LiveView::asked(Timestamp(0));
    for part in [part, silent] {
        view.parts.insert(part.institution.clone(), Arc::new(part));
    }
    view.ended = Some(Ok(()));
    let seat = Seat {
        persons: Arc::from([person]),
        institutions: Arc::from(institutions),
        simulated: true,
        not_after: Timestamp(0),
        views: vec![Some(view.clone())],
        histories: vec![None],
        consents: vec![None],
        choices: Vec::new(),
    };
    let frame = Frame {
        lang,
        token: "token".to_owned(),
        scene: 1,
        change: 0,
        here: "/person/1/page".to_owned(),
        session: Some(frame::SessionFrame::new(&seat, Some(1))),
    };
    Seated::at(frame, seat, 0, view)
}

pub(super) fn record(category: Category, date: &str, content: &Value) -> Record {
    Record {
        category: Wire::new(category.wire_name()).unwrap(),
        date: Day::new(date).unwrap(),
        updated_at: Timestamp(0),
        media_type: category::FHIR.to_owned(),
        content: serde_json::to_vec(content).unwrap(),
    }
}

mod category {
    pub(super) const FHIR: &str = hibiki_records::category::FHIR_JSON;
}

/// Records of every kind, each with `marker` and everything evil in its words.
fn every_kind(marker: &str) -> Vec<(Category, Value)> {
    let words = format!("{marker}{EVIL}");
    let text = |value: &str| json!({ "text": value });
    vec![
        (
            Category::Immunization,
            json!({"resourceType": "Immunization", "status": "completed", "vaccineCode": text(&words),
                "occurrenceDateTime": "2026-05-01", "lotNumber": words, "location": {"display": words},
                "performer": [{"actor": {"display": words}}]}),
        ),
        (
            Category::Growth,
            json!({"resourceType": "Observation", "status": "final", "effectiveDateTime": "2026-05-01",
                "code": text(&words), "valueQuantity": {"value": 70.5, "unit": words}}),
        ),
        (
            Category::InfantCheckup,
            json!({"resourceType": "Observation", "status": "final", "effectiveDateTime": "2026-05-02",
                "code": text(&words), "valueString": words}),
        ),
        (
            Category::HealthExam,
            json!({"resourceType": "DiagnosticReport", "status": "final", "effectiveDateTime": "2026-05-03",
                "code": text(&words), "conclusion": words}),
        ),
        (
            Category::PrenatalCheckup,
            json!({"resourceType": "Encounter", "status": "finished", "period": {"start": "2025-05-03"},
                "type": [text(&words)]}),
        ),
        (
            Category::Allergy,
            json!({"resourceType": "AllergyIntolerance", "code": text(&words),
                "reaction": [{"manifestation": [text(&words)]}]}),
        ),
        (
            Category::Prescription,
            json!({"resourceType": "MedicationRequest", "status": "active", "authoredOn": "2026-05-01",
                "medicationCodeableConcept": text(&words), "dosageInstruction": [{"text": words}]}),
        ),
        (
            Category::SchoolNotice,
            json!({"resourceType": "Communication", "status": "completed", "sent": "2026-05-01T09:00:00+09:00",
                "topic": text(&words), "payload": [{"contentString": words}]}),
        ),
        (
            Category::SchoolEvent,
            json!({"resourceType": "Appointment", "status": "booked", "description": words,
                "start": "2026-12-01T09:00:00+09:00", "end": "2026-12-01T10:00:00+09:00", "comment": words}),
        ),
    ]
}

pub(super) async fn body(response: Response) -> String {
    assert_eq!(response.status(), StatusCode::OK);
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

/// Every page, with the categories it must show all of.
async fn pages(make: impl Fn() -> Seated) -> Vec<(&'static str, Vec<Category>, String)> {
    use Category::{
        Allergy, Growth, HealthExam, Immunization, InfantCheckup, PrenatalCheckup, Prescription, SchoolEvent,
        SchoolNotice,
    };
    vec![
        ("person", vec![], body(person::page(make()).await).await),
        ("vaccinations", vec![Immunization], body(vaccinations::page(make()).await).await),
        ("growth", vec![Growth], body(growth::page(make()).await).await),
        ("growth/who", vec![Growth], body(growth::page_who(make()).await).await),
        (
            "checkups",
            vec![PrenatalCheckup, InfantCheckup, HealthExam],
            body(checkups::page(make()).await).await,
        ),
        ("medicines", vec![Allergy, Prescription], body(medicines::page(make()).await).await),
        ("school", vec![SchoolNotice, SchoolEvent], body(school::page(make()).await).await),
        ("rubella", vec![], body(rubella::page(make()).await).await),
        ("export", vec![], body(export::page(make()).await).await),
    ]
}

pub(super) fn stays_in_its_place(page: &str, html: &str) {
    for evil in ["<script>window", "<img", "<b>", "\u{202e}"] {
        assert!(!html.contains(evil), "{page}: {evil:?} got out");
    }
    assert!(!html.contains("style=") && !html.contains("javascript:"), "{page}");
    let title = html.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
    assert!(!title.contains("赤城"), "{page}: a browser keeps titles");
}

#[tokio::test]
async fn whatever_an_institution_writes_is_shown_as_words() {
    for lang in [Lang::Ja, Lang::En] {
        for (relation, birth) in [(Relation::Child, "2026-01-18"), (Relation::Oneself, "1990-10-16")] {
            let records = every_kind("MARK");
            let records = || records.iter().map(|(kind, it)| record(*kind, "2026-05-01", it)).collect();
            let make = || seated(records(), relation, birth, lang);
            for (page, kinds, html) in pages(make).await {
                stays_in_its_place(page, &html);
                assert!(kinds.is_empty() || html.matches("MARK").count() >= kinds.len(), "{page}: not shown");
                let shown = page == "export" || html.contains("&#60;script&#62;");
                assert!(shown, "{page}: what is hostile is shown, and harmless");
            }
        }
    }
}

#[tokio::test]
async fn no_record_is_lost_however_broken_or_old_it_is() {
    let shapes: [fn(Value) -> Value; 4] = [
        |whole| whole,
        |mut without_dates| {
            for date in ["occurrenceDateTime", "effectiveDateTime", "authoredOn", "sent", "start", "period"] {
                without_dates.as_object_mut().unwrap().remove(date);
            }
            without_dates
        },
        |mut of_long_ago| {
            for date in ["occurrenceDateTime", "effectiveDateTime", "authoredOn"] {
                if let Some(date) = of_long_ago.get_mut(date) {
                    *date = json!("1903-02-01");
                }
            }
            of_long_ago
        },
        |mut withdrawn| {
            withdrawn["status"] = json!("entered-in-error");
            withdrawn["verificationStatus"] = json!({"coding": [{"code": "entered-in-error"}]});
            withdrawn
        },
    ];
    let mut marked = Vec::new();
    for (number, shape) in shapes.iter().enumerate() {
        // Each kind by a mark of its own: what is shown of one says nothing about another.
        for place in 0..every_kind("").len() {
            let marker = format!("MARK{number}-{place}-");
            let (kind, content) = every_kind(&marker).swap_remove(place);
            marked.push((kind, marker, shape(content)));
        }
    }
    for birth in ["2026-01-18", "2017-06-01"] {
        let records = || marked.iter().map(|(kind, _, it)| record(*kind, "2026-05-01", it)).collect();
        let make = || seated(records(), Relation::Child, birth, Lang::Ja);
        for (page, kinds, html) in pages(make).await {
            for (kind, marker, _) in marked.iter().filter(|(kind, ..)| kinds.contains(kind)) {
                assert!(html.contains(marker), "{page}: a record of {kind} ({marker}) is lost");
            }
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_records_are_listed_all_the_same() {
    let junk = [&b"{"[..], b"null", b"\xff\xfe", b"[]", b"{\"resourceType\":1}", b""];
    let records = || {
        let kinds = Category::ALL.iter().copied();
        kinds
            .flat_map(|kind| {
                junk.map(|junk| Record { content: junk.to_vec(), ..record(kind, "2026-05-01", &json!({})) })
            })
            .collect()
    };
    for (page, kinds, html) in pages(|| seated(records(), Relation::Child, "2020-02-29", Lang::Ja)).await {
        let labels: usize = kinds.iter().map(|kind| html.matches(kind.label().ja).count()).sum();
        assert!(labels >= kinds.len() * junk.len(), "{page}: {labels} of {}", kinds.len() * junk.len());
    }
}

#[tokio::test]
async fn a_thousand_records_are_a_page_in_no_time() {
    for (place, (kind, content)) in every_kind("MARK").into_iter().enumerate() {
        let records = || {
            (0..1000)
                .map(|number| {
                    let mut content = content.clone();
                    let day =
                        format!("20{:02}-{:02}-{:02}", 17 + number % 9, 1 + number % 12, 1 + number % 28);
                    for date in ["occurrenceDateTime", "effectiveDateTime", "authoredOn"] {
                        if let Some(date) = content.get_mut(date) {
                            *date = json!(day);
                        }
                    }
                    record(kind, &day, &content)
                })
                .collect()
        };
        let make = || seated(records(), Relation::Child, "2017-06-01", Lang::Ja);
        let prepared = std::cell::Cell::new(0.0);
        let timed = || {
            let began = Instant::now();
            let made = make();
            prepared.set(prepared.get() + began.elapsed().as_secs_f64());
            made
        };
        let began = Instant::now();
        let all = pages(timed).await;
        let took = began.elapsed().as_secs_f64() - prepared.get();
        println!("{place}: {} pages of 1,000 records of {kind} in {:.0} ms", all.len(), took * 1000.0);
        // Nine pages, without optimisation, on a machine that does other things, too.
        assert!(took < 9.0, "{kind}: {took} s");
    }
}
