//! School years: April to March, and who belongs to which.
//!
//! 学校教育法 17条: a child enters elementary school at the beginning of the first school year after the day
//! on which it attains six. Born on 1 April means attaining six on 31 March, hence the earlier year.
//! Must not know of children who are moved up or kept down: this is the age cohort, not the register.

use super::CalendarDate;
use super::age::years_attained_on;

/// Where the age cohort of a child stands on some day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Before elementary school; years until entry, 1 being the year before it (年長).
    Preschool(u8),
    /// 小学校, 1 to 6.
    Elementary(u8),
    /// 中学校, 1 to 3.
    JuniorHigh(u8),
    /// 高等学校 age, 1 to 3.
    High(u8),
    /// Past school age.
    After,
}

impl Grade {
    /// `小学3年`, `年長`.
    pub fn ja(self) -> String {
        match self {
            Self::Preschool(1) => "年長".to_owned(),
            Self::Preschool(2) => "年中".to_owned(),
            Self::Preschool(3) => "年少".to_owned(),
            Self::Preschool(_) => "就学前".to_owned(),
            Self::Elementary(n) => format!("小学{n}年"),
            Self::JuniorHigh(n) => format!("中学{n}年"),
            Self::High(n) => format!("高校{n}年"),
            Self::After => "学齢後".to_owned(),
        }
    }

    /// `elementary school, grade 3`.
    pub fn en(self) -> String {
        match self {
            Self::Preschool(_) => "before school".to_owned(),
            Self::Elementary(n) => format!("elementary school, grade {n}"),
            Self::JuniorHigh(n) => format!("junior high school, grade {n}"),
            Self::High(n) => format!("high school, grade {n}"),
            Self::After => "after school age".to_owned(),
        }
    }
}

/// The school year (年度) a day belongs to, named by the year in which it begins.
pub fn school_year(on: CalendarDate) -> i16 {
    if on.month() >= 4 { on.year() } else { on.year() - 1 }
}

/// First and last day of a school year; `None` outside the calendar.
pub fn school_year_days(year: i16) -> Option<(CalendarDate, CalendarDate)> {
    let first = CalendarDate::new(year, 4, 1).ok()?;
    let last = CalendarDate::new(year.checked_add(1)?, 3, 31).ok()?;
    Some((first, last))
}

/// School year in which a child of this birth date enters elementary school.
pub fn entry_year(birth: CalendarDate) -> Option<i16> {
    // "After the day": attaining six on 31 March is in time for 1 April, attaining it on 1 April is not.
    let attained = years_attained_on(birth, 6)?;
    school_year(attained).checked_add(1)
}

/// Grade of the age cohort on a day; `None` before birth.
pub fn grade(birth: CalendarDate, on: CalendarDate) -> Option<Grade> {
    if on < birth {
        return None;
    }
    let year = i32::from(school_year(on)) - i32::from(entry_year(birth)?) + 1;
    let small = |n: i32| u8::try_from(n).unwrap_or(u8::MAX);
    Some(match year {
        ..=0 => Grade::Preschool(small(1 - year)),
        1..=6 => Grade::Elementary(small(year)),
        7..=9 => Grade::JuniorHigh(small(year - 6)),
        10..=12 => Grade::High(small(year - 9)),
        _ => Grade::After,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{any_day, day};
    use super::*;

    #[test]
    fn the_first_of_april_belongs_to_the_earlier_year() {
        assert_eq!(entry_year(day("2024-04-01")), Some(2030));
        assert_eq!(entry_year(day("2024-04-02")), Some(2031));
        assert_eq!(grade(day("2024-04-01"), day("2030-04-01")), Some(Grade::Elementary(1)));
        assert_eq!(grade(day("2024-04-02"), day("2030-04-01")), Some(Grade::Preschool(1)));
        assert_eq!(grade(day("2016-05-05"), day("2026-03-31")), Some(Grade::Elementary(3)));
        assert_eq!(grade(day("2010-05-05"), day("2026-04-01")), Some(Grade::High(1)));
        assert_eq!(grade(day("2001-05-05"), day("2026-04-01")), Some(Grade::After));
        assert_eq!(grade(day("2024-04-02"), day("2024-04-01")), None);
    }

    #[test]
    fn a_school_year_runs_from_april_to_march() {
        assert_eq!(school_year(day("2026-03-31")), 2025);
        assert_eq!(school_year(day("2026-04-01")), 2026);
        assert_eq!(school_year_days(2026), Some((day("2026-04-01"), day("2027-03-31"))));
        assert_eq!(school_year_days(9999), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn everybody_enters_at_six(birth in any_day()) {
            let (first, _) = school_year_days(entry_year(birth).unwrap()).unwrap();
            let six = years_attained_on(birth, 6).unwrap();
            prop_assert!(six < first && first.days_since(six) <= 366);
            prop_assert_eq!(grade(birth, first), Some(Grade::Elementary(1)));
        }
    }
}
