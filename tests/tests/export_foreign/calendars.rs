//! Calendars, read by two iCalendar libraries.

use std::fs;

use hibiki_records::calendar::{Calendar, Event, Foreign, Reminder, Uid};
use hibiki_records::category::Category;
use hibiki_records::date::CalendarDate;
use hibiki_records::words;
use hibiki_tests::house::House;
use serde_json::{Value, json};

use crate::people::{family, shared};
use crate::python;

const AT: u64 = 1_795_679_000_000;
/// Texts that calendars are known to stumble over.
const HARD: [&str; 8] = [
    "コンマ,セミコロン;逆斜線\\と\\nの字",
    "一行目\n二行目\r\n三行目",
    "とても長い題名はどこで折り返されても一文字も失われず二つに割れることもないはずであるとても長い題名はどこで折り返されても",
    "絵文字🎌👨‍👩‍👧‍👦と結合文字がぎぐ",
    "コロン:引用符\"\"と=等号",
    " 前後の空白 ",
    "BEGIN:VEVENT",
    "\\",
];

fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

fn event(hash: u8, first: CalendarDate, last: CalendarDate, summary: &str, description: &str) -> Event {
    Event {
        uid: Uid::from_hash([hash; 16]),
        first,
        last,
        summary: summary.to_owned(),
        description: Some(description.to_owned()),
        location: Some("保健センター".to_owned()),
        category: Some("予防接種".to_owned()),
        reminder: Some(Reminder { days_before: 1, hour: 18 }),
    }
}

/// What a reader must find: of a line break only that there is one.
fn expected(event: &Event) -> Value {
    let plain = |text: &str| text.replace("\r\n", "\n");
    json!({
        "uid": event.uid.to_string(),
        "start": event.first.to_string(),
        "end": event.last.plus_days(1).unwrap().to_string(),
        "summary": plain(&event.summary),
        "description": plain(event.description.as_deref().unwrap_or_default()),
    })
}

#[test]
fn two_calendar_libraries_read_what_is_written() {
    let test = "two_calendar_libraries_read_what_is_written";
    let Some(python) = python::interpreter(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, calendar: &Calendar, expected: Vec<Value>| {
        fs::write(folder.path().join(format!("{name}.ics")), calendar.write(AT)).unwrap();
        fs::write(folder.path().join(format!("{name}.json")), Value::from(expected).to_string()).unwrap();
    };

    let hard: Vec<Event> = HARD
        .into_iter()
        .enumerate()
        .map(|(place, text)| {
            let first = day("2024-02-28").plus_days(i32::try_from(place).unwrap() * 31).unwrap();
            let length = i32::try_from(place).unwrap();
            event(u8::try_from(place).unwrap(), first, first.plus_days(length).unwrap(), text, text)
        })
        .collect();
    let told = hard.iter().map(expected).collect();
    write("hard", &Calendar { name: "学校,健康;予定".into(), events: hard, ..Calendar::default() }, told);

    // The school's events of the family's third-grader, as its page would offer them.
    let people = family();
    let events: Vec<Event> = people[1].held[&House::School]
        .iter()
        .filter(|held| held.category == Category::SchoolEvent)
        .enumerate()
        .map(|(place, held)| {
            let first = day("2026-12-01").plus_days(i32::try_from(place).unwrap()).unwrap();
            let words = words::summary(held.category, &held.content);
            event(u8::try_from(place).unwrap(), first, first, &words.ja, &words.en)
        })
        .collect();
    assert!(events.len() >= 3);
    let told = events.iter().map(expected).collect();
    write("school", &Calendar { events, ..Calendar::default() }, told);

    // A time with its zone, kept from somebody else's calendar.
    let zoned = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VTIMEZONE\nTZID:Asia/Tokyo\nBEGIN:STANDARD\n\
        DTSTART:19700101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\nTZNAME:JST\nEND:STANDARD\nEND:VTIMEZONE\n\
        BEGIN:VEVENT\nUID:a@school\nDTSTART;TZID=Asia/Tokyo:20261201T100000\nDTEND;TZID=Asia/Tokyo:20261201T113000\n\
        SUMMARY:学校公開\\, 懇談会\nRRULE:FREQ=WEEKLY;COUNT=2\nATTENDEE:mailto:x@example.jp\n\
        BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-PT1M\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n";
    let foreign = vec![(House::School.id().to_owned(), Foreign::read(zoned.as_bytes()).unwrap())];
    let told = vec![json!({
        "uid": "a@school", "start": "2026-12-01T10:00:00+09:00", "end": "2026-12-01T11:30:00+09:00",
        "summary": "学校公開, 懇談会", "description": "",
    })];
    write("zoned", &Calendar { foreign, ..Calendar::default() }, told);
    let mut written = 3;

    // A city's lunches: thousands of events of a file nobody here wrote.
    if let Some(lunches) = shared(test, "data/kobe-school-lunch/ics") {
        let mut foreign = Vec::new();
        let mut told = Vec::new();
        for entry in fs::read_dir(lunches).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "ics") {
                continue;
            }
            let calendar = Foreign::read(&fs::read(&path).unwrap()).unwrap();
            told.extend(calendar.events.iter().map(|event| {
                json!({ "uid": event.uid, "start": event.first.to_string(), "end": "", "summary": event.summary,
                    "description": null })
            }));
            foreign.push((path.file_stem().unwrap().to_string_lossy().into_owned(), calendar));
        }
        assert!(told.len() > 1000);
        write("lunches", &Calendar { foreign, ..Calendar::default() }, told);
        written += 1;
    }
    let said = python::must_accept(python, "read_calendars.py", folder.path());
    assert!(said.contains(&format!("{written} calendars accepted by icalendar and vobject")), "{said}");
}
