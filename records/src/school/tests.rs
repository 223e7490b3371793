//! Notices, hand-ins and events as schools write them, and as somebody hostile might.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::date::tests::day;

fn one(category: Category, resource: &Value) -> Matter {
    let mut found = read(category, resource.to_string().as_bytes()).unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn notice_of(resource: &Value) -> Notice {
    match one(Category::SchoolNotice, resource) {
        Matter::Notice(notice) => notice,
        _ => panic!("a notice expected"),
    }
}

fn event_of(resource: &Value) -> Event {
    match one(Category::SchoolEvent, resource) {
        Matter::Event(event) => event,
        _ => panic!("an event expected"),
    }
}

fn events(text: &str) -> Vec<Matter> {
    read(Category::SchoolEvent, text.as_bytes()).unwrap()
}

#[test]
fn a_notice_has_title_body_and_time() {
    let notice = notice_of(&json!({
        "resourceType": "Communication", "status": "completed", "priority": "urgent",
        "topic": { "text": "持久走大会のお知らせ" }, "sent": "2026-11-19T15:30:00+09:00",
        "payload": [
            { "contentString": "水筒を持たせてください。\r\n雨天の場合は延期します。" },
            { "contentAttachment": { "title": "コース図.pdf" } },
            { "contentString": "担任" },
        ],
    }));
    assert_eq!(notice.title.ja, "持久走大会のお知らせ");
    assert_eq!(notice.body.as_deref(), Some("水筒を持たせてください。\n雨天の場合は延期します。\n\n担任"));
    let sent = notice.sent.unwrap();
    assert_eq!((sent.day, sent.clock().as_deref()), (day("2026-11-19"), Some("15:30")));
    assert!(notice.urgent);
    assert_eq!(notice.attachments, ["コース図.pdf"]);
    let untitled = notice_of(&json!({
        "resourceType": "Communication", "status": "completed", "sent": "2026-11-19",
        "payload": [{ "contentString": "\nプール開き\n\n持ち物は水着です。" }],
    }));
    assert_eq!(
        (untitled.title.ja.as_str(), untitled.body.as_deref()),
        ("プール開き", Some("持ち物は水着です。"))
    );
    assert_eq!(untitled.sent.unwrap().clock(), None);
    let long = format!("{}\n二行目", "長".repeat(300));
    let untitled = notice_of(&json!({
        "resourceType": "Communication", "status": "completed", "sent": "2026-11-19",
        "payload": [{ "contentString": long }],
    }));
    assert_eq!(untitled.body, Some(long), "nothing of a long first line is lost");
}

#[test]
fn hostile_texts_are_only_text() {
    let notice = notice_of(&json!({
        "resourceType": "Communication", "status": "completed", "sent": "2026-11-19",
        "topic": { "text": "<script>alert(1)</script>\u{202E}題\u{7}" },
        "payload": [{ "contentString": "一\u{1b}]0;x\u{7}\n\u{200B}\n\n\n二\u{2066}</td>" }],
    }));
    assert_eq!(notice.title.ja, "<script>alert(1)</script>題");
    assert_eq!(notice.body.as_deref(), Some("一 ]0;x\n\n二</td>"));
    assert_eq!(format!("{notice:?} {:?}", notice.sent), "Notice(***) Some(Moment(***))");
}

#[test]
fn a_thing_to_hand_in_has_its_day_and_state() {
    let task = |status: &str| {
        let resource = json!({
            "resourceType": "Task", "status": status, "intent": "order", "description": "健康調査票",
            "authoredOn": "2026-11-20", "restriction": { "period": { "end": "2026-11-26" } },
            "note": [{ "text": "封筒に入れて" }],
        });
        match one(Category::SchoolNotice, &resource) {
            Matter::HandIn(found) => found,
            _ => panic!("a thing to hand in expected"),
        }
    };
    let open = task("requested");
    assert_eq!((open.what.ja.as_str(), open.note.as_deref()), ("健康調査票", Some("封筒に入れて")));
    assert_eq!((open.asked, open.due), (Some(day("2026-11-20")), Some(day("2026-11-26"))));
    assert_eq!(open.days_left(day("2026-11-22")), Some(4));
    assert_eq!(open.days_left(day("2026-11-27")), Some(-1));
    assert_eq!(task("completed").days_left(day("2026-11-22")), None);
    assert_eq!(task("completed").state.label().ja, "提出済み");
    assert!(task("cancelled").state == HandInState::Dropped && task("draft").state == HandInState::Open);
}

#[test]
fn an_event_has_place_and_times() {
    let event = |start: &str, end: Value| {
        event_of(&json!({
            "resourceType": "Appointment", "status": "booked", "description": "社会科見学",
            "start": start, "end": end, "comment": "持ち物:弁当",
            "participant": [
                { "actor": { "reference": "Group/3-2", "display": "3年2組" } },
                { "actor": { "reference": "Location/kencho", "display": "群馬県庁" } },
            ],
        }))
    };
    let trip = event("2026-12-01T09:00:00+09:00", json!("2026-12-01T11:30:00+09:00"));
    assert_eq!((trip.title.ja.as_str(), trip.place.as_deref()), ("社会科見学", Some("群馬県庁")));
    assert_eq!(
        (trip.from.clock().as_deref(), trip.to.unwrap().clock().as_deref()),
        (Some("09:00"), Some("11:30"))
    );
    assert!(!trip.all_day && trip.state == EventState::Planned);
    assert_eq!(trip.body.as_deref(), Some("持ち物:弁当"));
    for (end, last) in [
        (json!("2026-12-03T00:00:00+09:00"), Some("2026-12-02")),
        (json!("2026-12-02T23:59:00+09:00"), Some("2026-12-02")),
        (json!("2026-12-01T00:00:00+09:00"), Some("2026-12-01")),
        (json!(null), None),
    ] {
        let camp = event("2026-12-01T00:00:00+09:00", end.clone());
        assert!(camp.all_day, "{end}");
        assert_eq!(camp.to.map(|it| it.day), last.map(day), "{end}");
        assert_eq!(camp.from.minute, None);
    }
    let backwards = event("2026-12-01T09:00:00+09:00", json!("2026-11-01T09:00:00+09:00"));
    assert!(backwards.to.is_none(), "an end before the beginning is none");
    let contained = event_of(&json!({
        "resourceType": "Appointment", "status": "cancelled", "description": "遠足", "start": "2026-12-01T00:00:00Z",
        "contained": [{ "resourceType": "Location", "id": "l", "name": "赤城山" }],
        "participant": [{ "actor": { "reference": "#l" } }],
    }));
    assert_eq!(contained.place.as_deref(), Some("赤城山"));
    assert!(contained.state == EventState::Cancelled && contained.standing == Standing::Negated);
    assert_eq!(contained.from.clock().as_deref(), Some("09:00"));
}

#[test]
fn calendars_hold_several_matters() {
    let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:運動会\r\nLOCATION:校庭\r\nDTSTART;VALUE=DATE:20261003\r\nDTEND;VALUE=DATE:20261005\r\nSTATUS:TENTATIVE\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:日なし\r\nEND:VEVENT\r\nBEGIN:VTODO\r\nSUMMARY:雑巾2枚\r\nDUE;VALUE=DATE:20260410\r\nSTATUS:NEEDS-ACTION\r\nEND:VTODO\r\nBEGIN:VEVENT\r\nSUMMARY:面談\r\nDESCRIPTION:上履き\\n持参\r\nDTSTART:20261010T010000Z\r\nDURATION:PT1H30M\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let found = events(text);
    let [Matter::Event(games), Matter::HandIn(cloth), Matter::Event(talk)] = &found[..] else {
        panic!("two events and a thing to hand in expected")
    };
    assert_eq!((games.from.day, games.to.unwrap().day), (day("2026-10-03"), day("2026-10-04")));
    assert!(games.all_day && games.repeats && games.state == EventState::Tentative);
    assert_eq!(games.place.as_deref(), Some("校庭"));
    assert_eq!((cloth.what.ja.as_str(), cloth.due), ("雑巾2枚", Some(day("2026-04-10"))));
    assert_eq!((talk.from.clock(), talk.to.unwrap().clock()), (Some("10:00".into()), Some("11:30".into())));
    assert_eq!(talk.body.as_deref(), Some("上履き\n持参"));
}

#[test]
fn junk_is_unreadable() {
    for category in Category::ALL {
        for content in [
            "",
            "{}",
            "[]",
            "\u{0}",
            "BEGIN:VCALENDAR",
            r#"{"resourceType":"Task"}"#,
            r#"{"resourceType":"Patient"}"#,
        ] {
            assert!(read(category, content.as_bytes()).is_err(), "{category} {content}");
        }
    }
    let undated = r#"{"resourceType":"Appointment","status":"booked","description":"遠足"}"#;
    assert!(read(Category::SchoolEvent, undated.as_bytes()).is_err());
    let notice = r#"{"resourceType":"Communication","status":"completed","topic":{"text":"x"}}"#;
    assert!(read(Category::SchoolNotice, notice.as_bytes()).is_ok(), "a notice without a day is a notice");
    assert!(read(Category::Growth, notice.as_bytes()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_json_is_read_or_refused(resource in crate::words::any_resource()) {
        let content = serde_json::to_vec(&resource).unwrap();
        for category in [Category::SchoolNotice, Category::SchoolEvent] {
            let _ = read(category, &content);
        }
    }

    #[test]
    fn any_text_of_a_notice_is_tidied(text in "[\\PC\\n\\r\\u{1b}\\u{202E}]{1,80}") {
        let resource = json!({ "resourceType": "Communication", "status": "completed",
            "payload": [{ "contentString": text }] });
        let Ok(found) = read(Category::SchoolNotice, resource.to_string().as_bytes()) else { return Ok(()) };
        let Matter::Notice(notice) = &found[0] else { panic!("a notice expected") };
        let all = format!("{}{}", notice.title.ja, notice.body.clone().unwrap_or_default());
        let steering = all.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202E}');
        prop_assert!(!steering);
        let kept: String = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let shown: String = all.split_whitespace().collect();
        let plain = kept.chars().filter(|c| !crate::words::text::steers(*c)).collect::<String>();
        prop_assert_eq!(shown, plain, "no letter is lost");
    }
}
