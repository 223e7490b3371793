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
        registrations: vec![None],
        registered: Vec::new(),
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

mod of_lunch {
    use hibiki_protocol::registration::{RegisteredAllergen, RegistrationState, WaitingAddress};
    use hibiki_records::category::SCHOOL_CBOR;
    use hibiki_records::gate::{Direction, Touch};
    use hibiki_records::lunch::{Ingredient, Lexicon, LunchDay, Menu, Milk, survey};

    use super::*;
    use crate::desk::Live;
    use crate::registration::RegistrationPart;
    use crate::round::Standing;

    fn lunch(date: &str, things: &[&str]) -> Record {
        let ingredient =
            |name: &&str| Ingredient { name: (*name).to_owned(), dish: None, amount: None, label: None };
        let menu = Menu {
            date: date.parse().unwrap(),
            kitchen: "第1地区".to_owned(),
            dishes: vec!["ごはん".to_owned(), format!("MARK{EVIL}")],
            ingredients: things.iter().map(ingredient).collect(),
            milk: Milk::NotServed,
            note: None,
        };
        let day = LunchDay { survey: survey(&menu, &Lexicon::default()), menu, revision: 1 };
        cbor(Category::SchoolMenu, date, day.to_cbor().unwrap())
    }

    fn cbor(kind: Category, date: &str, content: Vec<u8>) -> Record {
        let empty = record(kind, date, &json!(null));
        Record { media_type: SCHOOL_CBOR.to_owned(), content, ..empty }
    }

    /// What the first institution says is registered.
    fn registered(seated: &Seated, list: &[(&str, bool)]) -> Live<RegistrationPart> {
        let mut live = Live::asked(Timestamp(0));
        let one = |(id, strict): &(&str, bool)| RegisteredAllergen {
            code: hibiki_records::allergen::Allergen::from_id(id).unwrap().jfagy().to_owned(),
            strict: *strict,
        };
        let first = &seated.seat.institutions[0];
        let state = RegistrationState {
            allergens: list.iter().map(one).collect(),
            others: Vec::new(),
            address: Some("a@example.jp".to_owned()),
            waiting: Some(WaitingAddress { address: format!("MARK{EVIL}"), until: Timestamp(0) }),
            mails: Vec::new(),
            deliveries: Vec::new(),
            changed: None,
            refused: None,
        };
        let standing = Standing {
            institution: first.id.clone(),
            kind: first.kind,
            name: first.name.clone(),
            outcome: Outcome::Data,
            detail: None,
            retry_after_millis: None,
            as_of: None,
        };
        let part = RegistrationPart { standing, state: Some(state), receipt: None };
        live.parts.insert(first.id.clone(), Arc::new(part));
        live
    }

    async fn page(records: Vec<Record>, list: Option<&[(&str, bool)]>) -> String {
        let seated = seated(records, Relation::Child, "2017-06-01", Lang::Ja);
        let live = list.map_or_else(|| Live::asked(Timestamp(0)), |list| registered(&seated, list));
        body(lunch::lunches(seated, &live)).await
    }

    #[tokio::test]
    async fn a_lunch_is_judged_by_what_is_registered_and_nothing_is_called_safe_that_is_not() {
        let egg: &[(&str, bool)] = &[("egg", false)];
        let html = page(vec![lunch("2099-06-01", &["鶏卵"])], Some(egg)).await;
        assert!(html.contains("入っています：卵") && html.contains("「鶏卵」"), "{html}");
        stays_in_its_place("lunch", &html);
        assert!(html.contains("MARK"), "the dish is shown");
        let clear = "登録された食物は入っていません";
        let html = page(vec![lunch("2099-06-01", &["にんじん"])], Some(egg)).await;
        assert!(html.contains(clear), "{html}");
        for (things, list) in
            [(&["なぞのもと"][..], Some(egg)), (&["にんじん"][..], None), (&["にんじん"][..], Some(&[]))]
        {
            let html = page(vec![lunch("2099-06-01", things)], list).await;
            assert!(!html.contains(clear), "{things:?} {list:?}");
        }
        let html = page(vec![lunch("2099-06-01", &["しょうゆ"])], Some(&[("soy", false)])).await;
        assert!(html.contains("除去のいらないもの"), "{html}");
        let broken = cbor(Category::SchoolMenu, "2099-06-02", vec![0xff, 0x00]);
        let html = page(vec![broken], Some(egg)).await;
        assert!(html.contains("読めない献立") && !html.contains(clear));
    }

    #[tokio::test]
    async fn the_registration_is_shown_as_it_stands_and_hostile_words_stay_words() {
        for lang in [Lang::Ja, Lang::En] {
            let seated = seated(Vec::new(), Relation::Child, "2017-06-01", lang);
            let live = registered(&seated, &[("egg", false), ("milk", true)]);
            let html = body(registration::registrations(seated, &live)).await;
            stays_in_its_place("registration", &html);
            assert!(
                html.contains("name=\"allergen-egg\" checked")
                    && html.contains("name=\"strict-milk\" checked")
            );
            assert!(html.contains("name=\"allergen-wheat\">") && html.contains("a@example.jp"));
        }
    }

    #[tokio::test]
    async fn touches_at_the_gate_are_listed_however_broken() {
        let touch = Touch { day: "2026-05-01".parse().unwrap(), minute: 472, direction: Direction::In };
        let records = vec![
            cbor(Category::SchoolGate, "2026-05-01", touch.to_cbor().unwrap()),
            cbor(Category::SchoolGate, "2026-05-02", vec![1]),
        ];
        let html = body(school::page(seated(records, Relation::Child, "2017-06-01", Lang::Ja)).await).await;
        assert!(html.contains("7:52 登校") && html.contains("2026-05-02"), "{html}");
    }
}
