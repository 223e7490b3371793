//! Periods of days.

use std::fmt;

use crate::date::CalendarDate;

/// A period of days, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// First day.
    pub first: CalendarDate,
    /// Last day, never before the first.
    pub last: CalendarDate,
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.last)
    }
}

impl Window {
    /// The period, unless it ends before it begins.
    pub fn new(first: CalendarDate, last: CalendarDate) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// Whether the day lies within.
    pub fn contains(self, day: CalendarDate) -> bool {
        self.first <= day && day <= self.last
    }

    pub(crate) fn overlap(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }
}

/// The same days in order, what overlaps or adjoins made one.
pub(crate) fn merged(mut windows: Vec<Window>) -> Vec<Window> {
    windows.sort();
    let mut out: Vec<Window> = Vec::with_capacity(windows.len());
    for window in windows {
        match out.last_mut() {
            Some(before) if before.last.plus_days(1).is_none_or(|next| window.first <= next) => {
                before.last = before.last.max(window.last);
            }
            _ => out.push(window),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::tests::day;

    fn window(first: &str, last: &str) -> Window {
        Window::new(day(first), day(last)).unwrap()
    }

    #[test]
    fn periods_that_adjoin_are_one() {
        let windows = vec![
            window("2025-04-01", "2027-03-31"),
            window("2024-01-01", "2024-12-31"),
            window("2024-03-01", "2025-02-28"),
            window("2027-04-01", "2027-04-01"),
        ];
        assert_eq!(format!("{:?}", merged(windows)), "[2024-01-01..2025-02-28, 2025-04-01..2027-04-01]");
    }

    #[test]
    fn both_ends_belong_to_it() {
        let window = window("2024-02-29", "2024-03-01");
        for (text, within) in
            [("2024-02-28", false), ("2024-02-29", true), ("2024-03-01", true), ("2024-03-02", false)]
        {
            assert_eq!(window.contains(day(text)), within);
        }
        assert_eq!(Window::new(day("2024-03-01"), day("2024-02-29")), None);
    }
}
