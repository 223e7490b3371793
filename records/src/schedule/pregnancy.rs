//! The one routine vaccination that is counted by weeks of pregnancy: RSV, given to the mother.
//!
//! Gestational age counts from 280 days before the due date, which is 40 weeks and 0 days.

use super::rules::rules;
use super::window::Window;
use crate::category::Label;
use crate::date::CalendarDate;

/// Days of a pregnancy at the due date.
const DUE: i32 = 280;

/// The vaccination of a mother for the child she bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaternalPlan {
    /// The vaccine.
    pub label: Label,
    /// How often.
    pub dose: Label,
    /// 妊娠28週0日から36週6日まで.
    pub weeks: Window,
    /// The days of them on which the programme provides for it; none before it began.
    pub legal: Option<Window>,
    /// Where the rule stands.
    pub source: Label,
}

/// The plan for a pregnancy with this due date (出産予定日); `None` at the ends of the calendar.
pub fn maternal(due: CalendarDate) -> Option<MaternalPlan> {
    let rule = &rules().maternal;
    let day = |text| due.plus_days(days(text)? - DUE);
    let weeks = Window::new(day(rule.from)?, day(rule.until)?)?;
    let legal = Window::new(weeks.first.max(rule.in_force_from), weeks.last);
    Some(MaternalPlan { label: rule.label, dose: rule.dose, weeks, legal, source: rule.source })
}

/// Days of a gestational age written as `GA28W0D`.
pub(super) fn days(text: &str) -> Option<i32> {
    let (weeks, days) = text.strip_prefix("GA")?.strip_suffix('D')?.split_once('W')?;
    let (weeks, days): (i32, i32) = (weeks.parse().ok()?, days.parse().ok()?);
    ((0..=45).contains(&weeks) && (0..=6).contains(&days)).then_some(weeks * 7 + days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::tests::day;

    #[test]
    fn weeks_count_back_from_the_due_date() {
        let plan = maternal(day("2026-04-23")).unwrap();
        assert_eq!(format!("{:?}", plan.weeks), "2026-01-29..2026-04-01");
        assert_eq!(format!("{:?}", plan.legal.unwrap()), "2026-04-01..2026-04-01");
        assert_eq!(maternal(day("2026-04-22")).unwrap().legal, None);
        assert!(maternal(day("0001-01-01")).is_none());
        for wrong in ["28W0D", "GA28W", "GA28W7D", "GAxW0D", "GA99W0D"] {
            assert_eq!(days(wrong), None, "{wrong}");
        }
    }
}
