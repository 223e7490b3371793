use proptest::prelude::*;

use super::*;
use crate::calendar::COMPONENTS_MAX;
use crate::ingest::limits;

fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

fn calendar(inside: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{inside}\nEND:VCALENDAR\n").replace('\n', "\r\n")
}

fn event(lines: &str) -> String {
    calendar(&format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT"))
}

fn read(text: &str) -> Foreign {
    Foreign::read(text.as_bytes()).unwrap()
}

fn problem(lines: &str) -> Option<EventProblem> {
    read(&event(lines)).refused.first().map(|refused| refused.problem)
}

#[test]
fn a_school_s_calendar_is_taken_with_what_it_says() {
    let foreign = read(&event(
        "UID:2016-11-01@4\nDTSTAMP:20161020T025932\nDTSTART;VALUE=DATE:20161101\n\
         SUMMARY:ひじきごはん\\,ますのから\n あげ\nDESCRIPTION:一\\n二",
    ));
    assert_eq!(foreign.refused, []);
    let event = &foreign.events[0];
    assert_eq!((event.uid.as_str(), event.summary.as_str()), ("2016-11-01@4", "ひじきごはん,ますのからあげ"));
    assert_eq!((event.first, event.last, event.timed), (day("2016-11-01"), day("2016-11-01"), false));
    assert!(!event.stamped, "a stamp that is not in UTC is none");
    assert_eq!(format!("{event:?}"), "ForeignEvent(***)");
}

#[test]
fn days_are_japanese_days_and_the_end_is_exclusive() {
    for (times, first, last) in [
        ("DTSTART;VALUE=DATE:20261101\nDTEND;VALUE=DATE:20261103", "2026-11-01", "2026-11-02"),
        ("DTSTART;VALUE=DATE:20261101\nDTEND;VALUE=DATE:20261101", "2026-11-01", "2026-11-01"),
        ("DTSTART:20261101T090000\nDTEND:20261101T120000", "2026-11-01", "2026-11-01"),
        ("DTSTART:20261101T090000\nDTEND:20261102T000000", "2026-11-01", "2026-11-01"),
        ("DTSTART:20261101T150000Z\nDURATION:PT1H", "2026-11-02", "2026-11-02"),
        ("DTSTART:20261101T143000Z\nDTEND:20261102T150000Z", "2026-11-01", "2026-11-02"),
    ] {
        let foreign = read(&event(&format!("UID:a\n{times}")));
        let event = &foreign.events[0];
        assert_eq!((event.first, event.last), (day(first), day(last)), "{times}");
    }
}

#[test]
fn what_could_act_in_a_client_is_left_behind() {
    let foreign = read(&event(
        "UID:a\nDTSTAMP:20260101T000000Z\nDTSTART;VALUE=DATE:20261101\n\
         SUMMARY;ALTREP=\"http://elsewhere.example/pixel\";LANGUAGE=ja:運動会\n\
         ORGANIZER:mailto:a@example.jp\nATTENDEE:mailto:b@example.jp\nATTACH:http://elsewhere.example/x\n\
         IMAGE;VALUE=URI:http://elsewhere.example/p.png\nX-ALT-DESC;FMTTYPE=text/html:<script>\n\
         BEGIN:VALARM\nACTION:EMAIL\nATTENDEE:mailto:c@example.jp\nTRIGGER:-PT1M\nSUMMARY:x\nDESCRIPTION:x\nEND:VALARM\n\
         URL:https://school.example/",
    ));
    assert_eq!(
        foreign.events[0].lines,
        [
            "DTSTAMP:20260101T000000Z",
            "DTSTART;VALUE=DATE:20261101",
            "SUMMARY;LANGUAGE=ja:運動会",
            "URL:https://school.example/"
        ]
    );
}

#[test]
fn a_malformed_event_is_refused_alone() {
    let good = "UID:a\nDTSTART;VALUE=DATE:20261101";
    assert_eq!(problem(good), None);
    for (lines, expected) in [
        ("DTSTART;VALUE=DATE:20261101", EventProblem::Once("UID")),
        ("UID:a\nUID:b\nDTSTART;VALUE=DATE:20261101", EventProblem::Once("UID")),
        ("UID:a", EventProblem::Once("DTSTART")),
        ("UID:a\nDTSTART:20261101", EventProblem::Value("DTSTART")),
        ("UID:a\nDTSTART;VALUE=DATE:20261131", EventProblem::Value("DTSTART")),
        ("UID:a\nDTSTART:20261101T250000", EventProblem::Value("DTSTART")),
        ("UID:a\nDTSTART;VALUE=DATE:20261101\nDTEND:20261101T100000", EventProblem::Value("DTEND")),
        ("UID:a\nDTSTART;VALUE=DATE:20261101\nDTEND;VALUE=DATE:20261031", EventProblem::EndsBefore),
        ("UID:a\nDTSTART;TZID=Mars/Olympus:20261101T100000", EventProblem::TimeZone),
        ("UID:a\nDTSTART;VALUE=DATE:20261101\nRRULE:FREQ=SECONDLY", EventProblem::Value("RRULE")),
        ("UID:a\nDTSTART;VALUE=DATE:20261101\nRRULE:COUNT=3", EventProblem::Value("RRULE")),
        ("UID:a\nDTSTART;VALUE=DATE:20261101\nURL:javascript:alert(1)", EventProblem::Value("URL")),
        ("UID:a\nDTSTART;VALUE=DATE:20261101\nSEQUENCE:-1", EventProblem::Value("SEQUENCE")),
        ("UID:a\nDTSTART;VALUE=DATE:20261101\nnonsense", EventProblem::Line),
        ("UID:a\nDTSTART;VALUE=DATE:20261101\nSUMMARY:\u{1b}[2J", EventProblem::Line),
    ] {
        assert_eq!(problem(lines), Some(expected), "{lines}");
        let both = calendar(&format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT\nBEGIN:VEVENT\n{good}\nEND:VEVENT"));
        let foreign = read(&both);
        assert_eq!((foreign.events.len(), foreign.refused.len(), foreign.refused[0].line), (1, 1, 3));
    }
}

#[test]
fn time_zones_come_along_when_an_event_needs_them() {
    let zone = "BEGIN:VTIMEZONE\nTZID:Asia/Tokyo\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0900\n\
                TZOFFSETTO:+0900\nX-NOTE:x\nEND:STANDARD\nEND:VTIMEZONE";
    let with = |event: &str| read(&calendar(&format!("{zone}\nBEGIN:VEVENT\nUID:a\n{event}\nEND:VEVENT")));
    let used = with("DTSTART;TZID=\"Asia/Tokyo\":20261101T090000");
    assert_eq!(used.zones.len(), 1);
    assert!(used.zones["Asia/Tokyo"].iter().all(|line| !line.contains("X-NOTE")));
    assert!(with("DTSTART;VALUE=DATE:20261101").zones.is_empty());
    let broken = calendar(&format!(
        "{}\nBEGIN:VEVENT\nUID:a\nDTSTART;TZID=Asia/Tokyo:20261101T090000\nEND:VEVENT",
        zone.replace("X-NOTE:x", "RRULE:FREQ=SECONDLY")
    ));
    assert_eq!(read(&broken).refused[0].problem, EventProblem::TimeZone);
}

#[test]
fn what_is_no_calendar_is_refused_as_a_whole() {
    let error = |text: &str| Foreign::read(text.as_bytes()).unwrap_err();
    assert_eq!(error("<html>"), CalendarError::NotACalendar);
    assert_eq!(error("BEGIN:VEVENT\nEND:VEVENT"), CalendarError::NotACalendar);
    assert_eq!(error("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR"), CalendarError::Unbalanced(3));
    assert_eq!(error("BEGIN:VCALENDAR\n"), CalendarError::Unbalanced(2));
    let deep = "BEGIN:VCALENDAR\n".to_owned() + &"BEGIN:VEVENT\n".repeat(4);
    assert_eq!(error(&deep), CalendarError::Unbalanced(5));
    assert_eq!(error(&calendar(&"BEGIN:VTODO\nEND:VTODO\n".repeat(COMPONENTS_MAX))), CalendarError::TooMany);
    assert_eq!(error(&"x".repeat(limits::RESOURCE_MAX_BYTES + 1)), CalendarError::TooLong);
    assert!(read("").events.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_content_breaks_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Foreign::read(&bytes);
        let inside = String::from_utf8_lossy(&bytes);
        let _ = Foreign::read(event(&inside).as_bytes());
        for name in KEPT {
            let _ = Foreign::read(event(&format!("UID:a\nDTSTART;VALUE=DATE:20261101\n{name}:{inside}")).as_bytes());
        }
    }
}
