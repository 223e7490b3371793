#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;

const SCHOOL: School<'_> = School { institution: "town/school", holder: "小学校", lang: Lang::Ja };

fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

fn of_school(category: Category, content: &str) -> Dates {
    let mut dates = Dates::default();
    dates.school(&SCHOOL, category, content.as_bytes());
    dates
}

/// What a calendar client finds: first day and title.
fn found(dates: &Dates) -> Vec<(String, String)> {
    let written = Foreign::read(dates.calendar.write(0).as_bytes()).unwrap();
    assert!(written.refused.is_empty());
    written.events.into_iter().map(|event| (event.first.to_string(), event.summary)).collect()
}

fn told(events: &[(&str, &str)]) -> Vec<(String, String)> {
    events.iter().map(|(day, title)| ((*day).to_owned(), (*title).to_owned())).collect()
}

fn who(birth: &str, place: usize) -> Who {
    Who { place, birth: day(birth), sex: Sex::Female, today: day("2026-11-26"), lang: Lang::Ja }
}

#[test]
fn events_and_things_to_hand_in_come_with_their_day() {
    let event = r#"{"resourceType":"Appointment","id":"e1","status":"booked","description":"遠足",
        "start":"2026-12-04T08:30:00+09:00","end":"2026-12-04T15:00:00+09:00"}"#;
    let dates = of_school(Category::SchoolEvent, event);
    assert_eq!(found(&dates), told(&[("2026-12-04", "08:30 遠足")]));
    assert_eq!(dates.counts, Counts { school_events: 1, ..Counts::default() });
    let description = dates.calendar.events[0].description.clone().unwrap();
    assert!(description.contains("08:30 〜 15:00") && description.ends_with("小学校"), "{description}");

    let cancelled = of_school(Category::SchoolEvent, &event.replace("booked", "cancelled"));
    assert_eq!(found(&cancelled), told(&[("2026-12-04", "【取りやめ】08:30 遠足")]));
    assert_eq!(cancelled.calendar.events[0].uid, dates.calendar.events[0].uid, "it replaces the one before");

    let wanted = r#"{"resourceType":"Task","id":"t1","status":"requested","intent":"order","description":"雑巾",
        "authoredOn":"2026-11-20","restriction":{"period":{"end":"2026-12-01"}}}"#;
    let dates = of_school(Category::SchoolNotice, wanted);
    assert_eq!(found(&dates), told(&[("2026-12-01", "提出期限：雑巾")]));
    assert_eq!(dates.counts.hand_ins, 1);
    let done = of_school(Category::SchoolNotice, &wanted.replace("requested", "completed"));
    assert_eq!((found(&done), done.counts.total()), (vec![], 0));
}

#[test]
fn nothing_of_a_calendar_is_lost() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a@school\nDTSTART;VALUE=DATE:20261201\nSUMMARY:学校公開\n\
        RRULE:FREQ=WEEKLY;COUNT=2\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261202\nSUMMARY:名のない行事\nEND:VEVENT\n\
        BEGIN:VTODO\nSUMMARY:雑巾\nDUE;VALUE=DATE:20261203\nEND:VTODO\nEND:VCALENDAR\n";
    let dates = of_school(Category::SchoolEvent, text);
    let mut all = found(&dates);
    all.sort();
    let expected =
        [("2026-12-01", "学校公開"), ("2026-12-02", "名のない行事"), ("2026-12-03", "提出期限：雑巾")];
    assert_eq!(all, told(&expected));
    assert_eq!(dates.counts, Counts { school_events: 2, hand_ins: 1, ..Counts::default() });
    assert!(dates.calendar.write(0).contains("RRULE:FREQ=WEEKLY;COUNT=2"), "and it still repeats");
    // One that breaks off is passed on as far as it goes.
    let cut = text.split("BEGIN:VTODO").next().unwrap();
    assert_eq!(found(&of_school(Category::SchoolEvent, cut)).len(), 2);
    assert_eq!(of_school(Category::SchoolEvent, "nothing").counts.total(), 0);
}

#[test]
fn hostile_texts_stay_texts() {
    let event = serde_json::json!({
        "resourceType": "Appointment", "status": "booked", "start": "2026-12-04T00:00:00+09:00",
        "description": "遠足\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:x",
        "comment": "END:VCALENDAR\nATTACH:file:///etc/passwd\n\u{202E}; \\n,",
    });
    let dates = of_school(Category::SchoolEvent, &event.to_string());
    let all = found(&dates);
    assert_eq!(all.len(), 1);
    assert!(all[0].1.starts_with("遠足 END:VEVENT"), "{}", all[0].1);
    let written = dates.calendar.write(0);
    let lines: Vec<&str> = written.split("\r\n").collect();
    assert!(!written.contains('\u{202E}') && !lines.iter().any(|line| line.starts_with("ATTACH")));
    assert_eq!(lines.iter().filter(|line| **line == "END:VCALENDAR").count(), 1);
}

#[test]
fn a_baby_has_vaccinations_and_check_ups_to_come() {
    let mut dates = Dates::default();
    let baby = who("2026-09-20", 1);
    dates.vaccinations(&baby, std::iter::empty());
    dates.checkups(&baby, std::iter::empty());
    let all = found(&dates);
    assert_eq!(all.len(), dates.counts.total());
    assert!(dates.counts.vaccinations > 5 && dates.counts.checkups > 5, "{:?}", dates.counts);
    assert!(all.iter().all(|(first, _)| first.as_str() >= "2026-11-26"), "nothing that is over");
    let titles: Vec<&str> = all.iter().map(|(_, title)| title.as_str()).collect();
    assert!(titles.iter().any(|title| title.contains("公費で受けられる最後の日")));
    assert!(titles.iter().any(|title| title.contains("1歳6か月") && title.contains("時期の始まり")));

    // The same again has the same names, a twin others; a birth date of long ago has nothing to come.
    let uids = |place| {
        let mut dates = Dates::default();
        dates.vaccinations(&who("2026-09-20", place), std::iter::empty());
        dates.calendar.events.into_iter().map(|event| event.uid).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(uids(1), uids(1));
    assert_eq!(uids(1).len(), dates.counts.vaccinations);
    assert!(uids(1).is_disjoint(&uids(2)));
    let mut grown = Dates::default();
    grown.vaccinations(&who("1988-05-05", 0), std::iter::empty());
    grown.checkups(&who("1988-05-05", 0), std::iter::empty());
    assert_eq!(grown.counts.total(), 0);
}

#[test]
fn a_check_up_that_is_recorded_is_not_to_come() {
    let record = r#"{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},
        "type":[{"text":"1歳6か月児健康診査"}],"period":{"start":"2026-11-20"}}"#;
    let records = |given: &str| {
        let mut dates = Dates::default();
        dates.checkups(&who("2025-05-10", 1), [(Category::InfantCheckup, given.as_bytes())].into_iter());
        found(&dates).iter().filter(|(_, title)| title.contains("1歳6か月")).count()
    };
    assert_eq!((records(record), records("{}")), (0, 1));
}

#[test]
fn names_are_apart() {
    assert_ne!(uid(&["ab", "c"]), uid(&["a", "bc"]));
    assert_eq!(Named::read(br#"{"id":"x"}"#), "x");
    assert_ne!(Named::read(b"{}"), Named::read(b"{ }"));
}
