//! Ages as Japanese law counts them, and as a growth chart does.
//!
//! 年齢計算ニ関スル法律 (Act No. 50 of 1902) counts the day of birth, with 民法 143条2項: an age is attained at
//! the end of the day *before* the anniversary, and where the last month has no such day, at the end of
//! that month. A law that speaks of days therefore treats the day before as the day of attainment; a
//! child born on 29 February attains every age on 28 February. Must not know what an age is good for.

use super::CalendarDate;

/// The day on which `months` months of age are attained; `None` only past the end of the calendar.
/// Zero months are attained on the day of birth.
pub fn months_attained_on(birth: CalendarDate, months: u32) -> Option<CalendarDate> {
    if months == 0 {
        return Some(birth);
    }
    let (_, last) = birth.month_after(months)?;
    match CalendarDate::new(last.year(), last.month(), birth.day()) {
        Ok(anniversary) => anniversary.plus_days(-1),
        Err(_) => Some(last),
    }
}

/// The day on which `years` years of age are attained.
pub fn years_attained_on(birth: CalendarDate, years: u32) -> Option<CalendarDate> {
    months_attained_on(birth, years.checked_mul(12)?)
}

/// Age in completed years in the sense of the law on the day `on`; `None` before birth.
///
/// The day before the anniversary already counts: a child born on 1 April 2020 is six on 31 March 2026.
pub fn attained_age(birth: CalendarDate, on: CalendarDate) -> Option<u32> {
    attained_months(birth, on).map(|months| months / 12)
}

/// Age in completed months in the sense of the law on the day `on`; `None` before birth.
pub fn attained_months(birth: CalendarDate, on: CalendarDate) -> Option<u32> {
    if on < birth {
        return None;
    }
    let apart = (i32::from(on.year()) - i32::from(birth.year())) * 12 + i32::from(on.month())
        - i32::from(birth.month());
    // The answer is the number of calendar months apart, or one less, or (birth on the first) one more.
    let candidates = [apart + 1, apart, apart - 1];
    let attained = candidates
        .into_iter()
        .filter_map(|months| u32::try_from(months).ok())
        .find(|&months| months_attained_on(birth, months).is_some_and(|attained| attained <= on));
    Some(attained.unwrap_or(0))
}

/// Age as people say it and growth charts band it: completed months by the anniversary itself, the
/// remaining days after it. `None` before birth.
pub fn calendar_age(birth: CalendarDate, on: CalendarDate) -> Option<CalendarAge> {
    let months = match on.plus_days(-1) {
        // Lived through the night after the day of attainment: the anniversary itself.
        Some(eve) if eve >= birth => attained_months(birth, eve)?,
        _ if on >= birth => 0,
        _ => return None,
    };
    let since = if months == 0 { birth } else { months_attained_on(birth, months)?.plus_days(1)? };
    Some(CalendarAge { months, days: u32::try_from(on.days_since(since)).ok()? })
}

/// Completed months and the days after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CalendarAge {
    /// Completed months.
    pub months: u32,
    /// Days since the last completed month, 0 to 31.
    pub days: u32,
}

impl CalendarAge {
    /// Completed years.
    pub fn years(self) -> u32 {
        self.months / 12
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{any_day, day};
    use super::*;

    #[test]
    fn an_age_is_attained_the_day_before() {
        let birth = day("2020-04-01");
        assert_eq!(years_attained_on(birth, 6), Some(day("2026-03-31")));
        assert_eq!(attained_age(birth, day("2026-03-30")), Some(5));
        assert_eq!(attained_age(birth, day("2026-03-31")), Some(6));
        assert_eq!(attained_age(birth, day("2020-03-31")), None);
        assert_eq!(attained_age(birth, birth), Some(0));
        assert_eq!(calendar_age(birth, day("2026-03-31")).unwrap().years(), 5);
        assert_eq!(calendar_age(birth, day("2026-04-01")), Some(CalendarAge { months: 72, days: 0 }));
    }

    #[test]
    fn the_leap_day_child_ages_on_28_february() {
        let birth = day("2004-02-29");
        for (years, on) in [(1, "2005-02-28"), (4, "2008-02-28"), (18, "2022-02-28"), (20, "2024-02-28")] {
            assert_eq!(years_attained_on(birth, years), Some(day(on)));
        }
        assert_eq!(years_attained_on(day("2004-03-01"), 4), Some(day("2008-02-29")));
        assert_eq!(years_attained_on(day("2004-03-01"), 5), Some(day("2009-02-28")));
        assert_eq!(calendar_age(birth, day("2005-03-01")), Some(CalendarAge { months: 12, days: 0 }));
        assert_eq!(calendar_age(birth, day("2005-02-28")).unwrap().months, 11);
    }

    #[test]
    fn a_month_without_the_day_ends_the_count() {
        assert_eq!(months_attained_on(day("2024-08-31"), 1), Some(day("2024-09-30")));
        assert_eq!(months_attained_on(day("2024-01-31"), 1), Some(day("2024-02-29")));
        assert_eq!(months_attained_on(day("2024-04-01"), 6), Some(day("2024-09-30")));
        assert_eq!(months_attained_on(day("9999-12-31"), 1), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_age_holds_from_its_day_until_the_next(birth in any_day(), days in 0i32..40_000) {
            let on = birth.plus_days(days).unwrap();
            let months = attained_months(birth, on).unwrap();
            prop_assert!(months_attained_on(birth, months).unwrap() <= on);
            prop_assert!(months_attained_on(birth, months + 1).unwrap() > on);
            prop_assert_eq!(attained_age(birth, on), Some(months / 12));
            let age = calendar_age(birth, on).unwrap();
            prop_assert!(age.days <= 31 && (age.months == months || age.months + 1 == months));
        }

        #[test]
        fn the_first_days_of_life_count_in_months_too(birth in any_day(), days in 0i32..70) {
            let on = birth.plus_days(days).unwrap();
            let reference = (1..4).take_while(|&m| months_attained_on(birth, m).unwrap() <= on).count();
            prop_assert_eq!(attained_months(birth, on), Some(u32::try_from(reference).unwrap()));
        }
    }
}
