//! The timetable of a class (時間割), which neither FHIR nor iCalendar has a form for that a school would write.
//!
//! Content of a record of category school event, of media type [`crate::category::SCHOOL_CBOR`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cbor::{self, tidied};
use crate::date::{CalendarDate, Weekday};
use crate::fhir::Reason;
use crate::redacted::redacted;
use crate::words::tidy;

/// Most periods of one day.
const PERIODS_MAX: usize = 12;

/// What a class is taught in an ordinary week.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timetable {
    /// The class, as the school calls it.
    pub class: String,
    /// From which day it holds, where the school says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<CalendarDate>,
    /// The subjects of each day, by period from the first; an empty one is a period without lesson.
    pub days: BTreeMap<Weekday, Vec<String>>,
}

redacted!(Timetable);

/// The record: other kinds of content may come to stand beside a timetable.
#[derive(Serialize, Deserialize)]
struct Content<T> {
    timetable: T,
}

/// Whether content may be of the school's own schema: CBOR maps begin with no letter of JSON or iCalendar.
pub(crate) fn is_cbor(content: &[u8]) -> bool {
    content.first().is_some_and(|byte| (0xa0..=0xbf).contains(byte))
}

impl Timetable {
    /// The content of a record.
    ///
    /// # Errors
    /// [`Self::read`] would refuse it: it has no class, no lesson, or more periods than a day can have.
    pub fn to_cbor(&self) -> Result<Vec<u8>, Reason> {
        self.clone().tidy()?;
        cbor::write(&Content { timetable: self })
    }

    /// Reads the content of a record. Texts are lines fit to be shown.
    ///
    /// # Errors
    /// It is no timetable, or one without a class or a lesson.
    pub fn read(content: &[u8]) -> Result<Self, Reason> {
        cbor::read::<Content<Self>>(content)?.timetable.tidy()
    }

    /// How many periods the longest day has.
    pub fn periods(&self) -> usize {
        self.days.values().map(Vec::len).max().unwrap_or(0)
    }

    /// The subject of a period, counted from 0; `None` where there is no lesson.
    pub fn lesson(&self, day: Weekday, period: usize) -> Option<&str> {
        self.days.get(&day)?.get(period).map(String::as_str).filter(|subject| !subject.is_empty())
    }

    fn tidy(mut self) -> Result<Self, Reason> {
        tidied(&mut self.class, "class")?;
        for periods in self.days.values_mut() {
            if periods.len() > PERIODS_MAX {
                return Err(Reason::ListTooLong("days"));
            }
            periods.iter_mut().for_each(|subject| *subject = tidy(subject));
            while periods.last().is_some_and(String::is_empty) {
                periods.pop();
            }
        }
        self.days.retain(|_, periods| !periods.is_empty());
        if self.days.is_empty() { Err(Reason::Impossible("days")) } else { Ok(self) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Matter, read};
    use super::*;
    use crate::category::Category;
    use crate::words::summary;

    fn timetable() -> Timetable {
        let day = |subjects: &str| subjects.split(' ').map(str::to_owned).collect::<Vec<_>>();
        Timetable {
            class: "3年2組".to_owned(),
            from: Some("2026-04-08".parse().unwrap()),
            days: [
                (Weekday::Monday, day("国語 算数 体育")),
                (Weekday::Friday, vec![String::new(), "音楽".to_owned()]),
            ]
            .into(),
        }
    }

    #[test]
    fn a_timetable_is_a_matter_of_the_school() {
        let table = timetable();
        let content = table.to_cbor().unwrap();
        assert_eq!(summary(Category::SchoolEvent, &content).ja, "時間割 3年2組");
        assert_eq!(summary(Category::SchoolEvent, &content).en, "Timetable of 3年2組");
        let matters = read(Category::SchoolEvent, &content).unwrap();
        let [Matter::Timetable(read_back)] = &matters[..] else { panic!("a timetable expected") };
        assert_eq!(read_back, &table);
        assert_eq!(table.periods(), 3);
        assert_eq!(table.lesson(Weekday::Monday, 1), Some("算数"));
        assert_eq!(table.lesson(Weekday::Friday, 0), None);
        assert_eq!(table.lesson(Weekday::Sunday, 0), None);
        assert!(read(Category::SchoolNotice, &content).is_err(), "no notice is CBOR");
        assert_eq!(format!("{table:?}"), "Timetable(***)");
    }

    #[test]
    fn what_is_no_timetable_is_refused() {
        let with = |change: &dyn Fn(&mut Timetable)| {
            let mut table = timetable();
            change(&mut table);
            let raw = cbor4ii::serde::to_vec(Vec::new(), &Content { timetable: &table }).unwrap();
            assert_eq!(table.to_cbor().unwrap_err(), Timetable::read(&raw).unwrap_err());
            table.to_cbor().unwrap_err()
        };
        assert_eq!(with(&|it| it.class = "\u{200B}".to_owned()), Reason::Impossible("class"));
        assert_eq!(with(&|it| it.days.clear()), Reason::Impossible("days"));
        assert_eq!(
            with(&|it| _ = it.days.insert(Weekday::Monday, vec!["x".to_owned(); 13])),
            Reason::ListTooLong("days")
        );
        for content in [&b"\xa0"[..], b"\xbf\xff", b"\xa1\x69timetable\x60"] {
            assert_eq!(Timetable::read(content), Err(Reason::NotSchoolCbor));
            assert!(read(Category::SchoolEvent, content).is_err());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_reads_back_tidied(class in "[\\PC\u{202E}]{0,20}組", days in proptest::collection::btree_map(prop::sample::select(Weekday::ALL.to_vec()), proptest::collection::vec("[\\PC\n]{0,6}", 0..8), 0..7)) {
            let table = Timetable { class, from: None, days };
            match table.to_cbor() {
                Ok(content) => prop_assert_eq!(Timetable::read(&content), table.tidy()),
                Err(reason) => prop_assert_eq!(table.tidy(), Err(reason)),
            }
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = read(Category::SchoolEvent, &[&b"\xa1\x69timetable"[..], &bytes].concat());
        }
    }
}
