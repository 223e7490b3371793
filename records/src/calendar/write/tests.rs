use icalendar::Component as _;
use proptest::prelude::*;

use super::*;

fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

fn whole_day(hash: u8, first: &str, last: &str, summary: &str) -> Event {
    Event {
        uid: Uid::from_hash([hash; 16]),
        first: day(first),
        last: day(last),
        summary: summary.to_owned(),
        description: None,
        location: None,
        category: None,
        reminder: None,
    }
}

fn parsed(text: &str) -> Vec<icalendar::Event> {
    let calendar: icalendar::Calendar = text.parse().unwrap();
    calendar.components.iter().filter_map(|component| component.as_event().cloned()).collect()
}

fn foreign(lines: &str) -> Foreign {
    Foreign::read(format!("BEGIN:VCALENDAR\n{lines}\nEND:VCALENDAR").as_bytes()).unwrap()
}

fn one(uid: &str, more: &str) -> String {
    format!("BEGIN:VEVENT\nUID:{uid}\nDTSTART;VALUE=DATE:20261101\n{more}\nEND:VEVENT\n")
}

/// The bytes, once, to be read by a person.
#[test]
fn a_calendar_looks_like_this() {
    let mut event = whole_day(0xab, "2026-12-01", "2026-12-31", "MR 第2期; 接種");
    event.description =
        Some("小学校入学前の1年間に、1回受けます。\n市から届いた予診票をお持ちください。".into());
    event.category = Some("予防接種".into());
    event.reminder = Some(Reminder { days_before: 1, hour: 18 });
    let text = Calendar { events: vec![event], ..Calendar::default() }.write(1_795_679_000_000);
    let expected = "\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Hibiki//Guardian's page//JA
CALSCALE:GREGORIAN
METHOD:PUBLISH
NAME;LANGUAGE=ja:学校と健康の予定
X-WR-CALNAME:学校と健康の予定
X-WR-TIMEZONE:Asia/Tokyo
BEGIN:VEVENT
UID:abababababababababababababababab
DTSTAMP:20261126T074320Z
DTSTART;VALUE=DATE:20261201
DTEND;VALUE=DATE:20270101
SUMMARY:MR 第2期\\; 接種
DESCRIPTION:小学校入学前の1年間に、1回受けます。\\n市か
 ら届いた予診票をお持ちください。
CATEGORIES:予防接種
TRANSP:TRANSPARENT
CLASS:PRIVATE
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:MR 第2期\\; 接種
TRIGGER:-PT6H
END:VALARM
END:VEVENT
END:VCALENDAR
";
    assert_eq!(text, expected.replace('\n', "\r\n"));
}

#[test]
fn a_reminder_counts_from_midnight() {
    let trigger = |days_before, hour| Reminder { days_before, hour }.trigger();
    assert_eq!(trigger(0, 0), "PT0H");
    assert_eq!(trigger(0, 8), "PT8H");
    assert_eq!(trigger(1, 0), "-PT24H");
    assert_eq!(trigger(7, 9), "-PT159H");
    assert_eq!(trigger(1, 200), "-PT1H");
}

#[test]
fn the_ends_of_time_are_written() {
    let event = whole_day(1, "9999-12-31", "0001-01-01", "x");
    let text = Calendar { events: vec![event], ..Calendar::default() }.write(u64::MAX);
    assert!(text.contains("DTSTAMP:9999") && !text.contains("DTEND"));
}

#[test]
fn the_same_event_twice_is_written_once() {
    let events =
        vec![whole_day(1, "2026-12-01", "2026-12-01", "一"), whole_day(1, "2026-12-02", "2026-12-02", "二")];
    let events = parsed(&Calendar { events, ..Calendar::default() }.write(0));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].get_summary(), Some("一"));
}

#[test]
fn nobody_displaces_what_another_sent() {
    let school = foreign(
        &(one("a", "SUMMARY:遠足") + &one("a", "SEQUENCE:2\nSUMMARY:遠足(延期)") + &one("b", "SUMMARY:参観")),
    );
    let other = foreign(&(one("a", "SEQUENCE:99\nSUMMARY:中止") + &one("c", "SUMMARY:集会")));
    let calendar = Calendar {
        foreign: vec![("maebashi/school".into(), school), ("maebashi/other".into(), other)],
        ..Calendar::default()
    };
    let events = parsed(&calendar.write(0));
    let names: Vec<_> =
        events.iter().map(|event| (event.get_uid().unwrap(), event.get_summary().unwrap())).collect();
    assert_eq!(names, [("a", "遠足(延期)"), ("b", "参観"), ("a/maebashi/other", "中止"), ("c", "集会")]);
    assert!(events.iter().all(|event| event.get_timestamp().is_some()), "a missing stamp is supplied");
}

#[test]
fn a_changed_repetition_keeps_its_event_s_name() {
    let repeated = foreign(
        &(one("a", "RRULE:FREQ=WEEKLY;COUNT=3\nSUMMARY:クラブ")
            + &one("a", "RECURRENCE-ID;VALUE=DATE:20261108\nSUMMARY:クラブ(体育館)")),
    );
    let calendar = Calendar {
        foreign: vec![("one".into(), repeated.clone()), ("two".into(), repeated)],
        ..Calendar::default()
    };
    let uids: Vec<_> =
        parsed(&calendar.write(0)).iter().map(|event| event.get_uid().unwrap().to_owned()).collect();
    assert_eq!(uids, ["a", "a", "a/two", "a/two"]);
}

fn any_text() -> impl Strategy<Value = String> {
    "[\\PC\n,;:\\\\\"]{0,120}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// What is written, a parser that is not ours reads with the same meaning; and so does ours, and writes it
    /// again with the same bytes.
    #[test]
    fn every_calendar_is_read_back(
        summary in any_text(), description in any_text(), name in any_text(), hash in any::<[u8; 16]>(),
        start in 0i32..60_000, length in 0i32..800, days_before in 0u16..60, hour in 0u8..24,
    ) {
        let first = day("1900-01-01").plus_days(start).unwrap();
        let last = first.plus_days(length).unwrap();
        let event = Event {
            uid: Uid::from_hash(hash), first, last,
            summary: summary.clone(), description: Some(description.clone()),
            location: None, category: None,
            reminder: Some(Reminder { days_before, hour }),
        };
        let text = Calendar { name, events: vec![event], ..Calendar::default() }.write(1_795_679_000_000);
        for part in text.split("\r\n") {
            prop_assert!(part.len() <= line::LINE_MAX_OCTETS && !part.contains(['\r', '\n']));
        }
        let read = parsed(&text);
        prop_assert_eq!(read.len(), 1);
        let plain = |text: &str| text.replace(['\u{85}', '\u{2028}', '\u{2029}'], "\n");
        let shown = |text: Option<&str>| line::unescape(&escape(text.unwrap_or_default()));
        prop_assert_eq!(shown(read[0].get_summary()), plain(&summary));
        prop_assert_eq!(shown(read[0].get_description()), plain(&description));
        let date = |time: Option<icalendar::DatePerhapsTime>| time.map(|time| time.date_naive().to_string());
        prop_assert_eq!(date(read[0].get_start()), Some(first.to_string()));
        prop_assert_eq!(date(read[0].get_end()), last.plus_days(1).map(|day| day.to_string()));
        let again = Foreign::read(text.as_bytes()).unwrap();
        prop_assert_eq!(again.refused.len(), 0);
        let event = &again.events[0];
        prop_assert_eq!((event.first, event.last), (first, last));
        prop_assert_eq!(&event.summary, &plain(&summary));
        prop_assert_eq!(event.uid.len(), 32);
        let once = Calendar { foreign: vec![("x".into(), again)], ..Calendar::default() }.write(0);
        let twice = Foreign::read(once.as_bytes()).unwrap();
        let twice = Calendar { foreign: vec![("x".into(), twice)], ..Calendar::default() }.write(0);
        prop_assert_eq!(once, twice);
    }
}
