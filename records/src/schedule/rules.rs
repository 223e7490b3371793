//! The rules of the routine schedule, read once and strictly from `rules.json`.
//!
//! Owns their shape and the checks that they make sense; what follows from them is decided elsewhere. A rule
//! that changes is a line in that file, with its source.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use super::moment::{Gap, Moment};
use super::window::{Window, merged};
use crate::category::Label;
use crate::date::CalendarDate;
use crate::immunization::{self, Kind, Stage};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    #[serde(rename = "about")]
    _about: &'static str,
    /// Between two injected live vaccines.
    pub(crate) live_gap: Gap,
    /// What to do when a period is over.
    pub(crate) closed: Label,
    pub(crate) maternal: Maternal,
    pub(crate) groups: Vec<Group>,
    pub(crate) series: Vec<Series>,
}

/// The vaccination of the mother for her child.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Maternal {
    pub(crate) label: Label,
    pub(crate) dose: Label,
    pub(crate) vaccine: &'static str,
    pub(crate) from: &'static str,
    pub(crate) until: &'static str,
    pub(crate) in_force_from: CalendarDate,
    pub(crate) source: Label,
}

/// Ways to be protected against the same diseases: five in one, four in one and Hib, or each by itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Group {
    /// Vaccines that only fit a variant which counts them.
    #[serde(default)]
    pub(crate) binding: Vec<&'static str>,
    /// The most combined first.
    pub(crate) variants: Vec<Variant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Variant {
    pub(crate) series: Vec<&'static str>,
    /// Usual for those born from this day on, when nothing is recorded.
    pub(crate) usual_from: Option<CalendarDate>,
    /// Vaccines that show that this way was begun.
    #[serde(default)]
    pub(crate) evidence: Vec<&'static str>,
    /// One vaccine of each list together show it whatever came first.
    #[serde(default)]
    pub(crate) forced_by: Vec<Vec<&'static str>>,
}

/// A series of doses against one or several diseases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Series {
    pub(crate) id: &'static str,
    pub(crate) label: Label,
    /// Vaccines that count.
    pub(crate) accepts: Vec<&'static str>,
    pub(crate) source: Label,
    pub(crate) sex: Option<OnlyFor>,
    /// Earliest day of birth to which it applies.
    pub(crate) born_from: Option<CalendarDate>,
    /// Given by injected live vaccines.
    #[serde(default)]
    pub(crate) live: bool,
    /// Earlier doses protect too little and do not count.
    pub(crate) counts_from: Option<Moment>,
    /// Legal periods of doses that name none themselves.
    #[serde(default)]
    pub(crate) legal: Vec<Legal>,
    pub(crate) note: Option<Label>,
    pub(crate) closed: Option<Label>,
    /// The first that fits is followed; the last fits always.
    pub(crate) courses: Vec<Course>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnlyFor {
    Female,
}

/// A period in which the law provides for a dose.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct Legal {
    pub(crate) from: Moment,
    pub(crate) until: Moment,
    pub(crate) in_force_from: Option<CalendarDate>,
    pub(crate) in_force_until: Option<CalendarDate>,
    born_from: Option<CalendarDate>,
    born_until: Option<CalendarDate>,
    /// Only for those with a dose of the series in that time.
    needs_dose: Option<Days>,
    /// Why the period differs from the usual one.
    pub(crate) why: Option<Label>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Days {
    from: CalendarDate,
    until: CalendarDate,
}

/// A number of doses, by the age at the start or what else decides it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Course {
    pub(crate) key: &'static str,
    #[serde(default)]
    pub(crate) when: When,
    /// Why this number of doses.
    pub(crate) why: Option<Label>,
    /// The course that is followed when a dose of this one came too early.
    pub(crate) if_too_early: Option<&'static str>,
    pub(crate) doses: Vec<Dose>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
pub(crate) struct When {
    pub(crate) start_until: Option<Moment>,
    pub(crate) first_vaccine: Option<Vec<&'static str>>,
    pub(crate) first_vaccine_not: Option<Vec<&'static str>>,
    pub(crate) born_from: Option<CalendarDate>,
    pub(crate) born_until: Option<CalendarDate>,
    pub(crate) given: Option<GivenOften>,
}

impl When {
    fn holds_always(&self) -> bool {
        let Self { start_until, first_vaccine, first_vaccine_not, born_from, born_until, given } = self;
        let vaccines = first_vaccine.is_some() || first_vaccine_not.is_some() || given.is_some();
        !vaccines && start_until.is_none() && born_from.is_none() && born_until.is_none()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GivenOften {
    pub(crate) vaccine: &'static str,
    pub(crate) at_least: usize,
}

/// One dose of a course.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dose {
    pub(crate) key: &'static str,
    pub(crate) label: Label,
    /// 第n期.
    pub(crate) period: Option<u8>,
    pub(crate) stage: Option<Stage>,
    #[serde(default)]
    legal: Vec<Legal>,
    /// Standard period by age.
    pub(crate) recommended: Option<Recommended>,
    /// Gaps that have to be kept.
    #[serde(default)]
    pub(crate) after: Vec<After>,
    /// Standard period by an earlier dose; it comes before the one by age.
    pub(crate) recommended_after: Option<RecommendedAfter>,
    /// The dose is left out when its period is over.
    #[serde(default)]
    pub(crate) skip_when_over: bool,
    pub(crate) skip_if: Option<SkipIf>,
    /// Listed for completeness: this course does without it.
    #[serde(default)]
    pub(crate) not_needed: bool,
    /// What to know when the standard period is over.
    pub(crate) late: Option<Label>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recommended {
    pub(crate) from: Moment,
    pub(crate) until: Option<Moment>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    /// Key of an earlier dose, or `previous` for the last one given or to be given.
    pub(crate) dose: &'static str,
    pub(crate) min: Gap,
    /// Instead, when doses before this one were left out.
    pub(crate) if_skipped: Option<Gap>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecommendedAfter {
    pub(crate) dose: &'static str,
    pub(crate) from: Gap,
    pub(crate) until: Option<Gap>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SkipIf {
    pub(crate) dose: &'static str,
    pub(crate) later_than: Moment,
}

impl Series {
    /// The rules of the legal period of one of its doses.
    pub(crate) fn legal<'a>(&'a self, dose: &'a Dose) -> &'a [Legal] {
        if dose.legal.is_empty() { &self.legal } else { &dose.legal }
    }

    pub(crate) fn counts(&self, vaccine: &str) -> bool {
        self.accepts.contains(&vaccine)
    }

    /// The legal periods of a dose, in order and apart. Empty where the law never provided for it.
    pub(crate) fn windows(&self, dose: &Dose, birth: CalendarDate, given: &[CalendarDate]) -> Vec<Window> {
        if self.born_from.is_some_and(|from| birth < from) {
            return Vec::new();
        }
        merged(self.legal(dose).iter().filter_map(|legal| legal.window(birth, given)).collect())
    }
}

impl Legal {
    /// Whether the rule can concern somebody born on that day, whatever was given.
    pub(crate) fn may_apply(&self, birth: CalendarDate) -> bool {
        let all_days = self.needs_dose.map(|days| days.from);
        self.window(birth, all_days.as_slice()).is_some()
    }

    /// The period for somebody born on that day, as far as the rule was in force.
    pub(crate) fn window(&self, birth: CalendarDate, given: &[CalendarDate]) -> Option<Window> {
        let born = self.born_from.is_none_or(|from| from <= birth)
            && self.born_until.is_none_or(|until| birth <= until);
        let entitled = self
            .needs_dose
            .is_none_or(|days| given.iter().any(|day| days.from <= *day && *day <= days.until));
        if !born || !entitled {
            return None;
        }
        let window = Window::new(self.from.of(birth)?.max(birth), self.until.of(birth)?)?;
        let first = self.in_force_from.map_or(window.first, |from| from.max(window.first));
        let last = self.in_force_until.map_or(window.last, |until| until.min(window.last));
        Window::new(first, last)
    }
}

#[expect(clippy::expect_used, reason = "part of the program, not input; a test reads it")]
static RULES: LazyLock<Rules> =
    LazyLock::new(|| read(include_str!("rules.json")).expect("the rules of the schedule are sound"));

pub(crate) fn rules() -> &'static Rules {
    &RULES
}

pub(crate) fn series(id: &str) -> Option<&'static Series> {
    rules().series.iter().find(|series| series.id == id)
}

/// Reads and checks the rules; the error is for whoever edits them.
fn read(text: &'static str) -> Result<Rules, String> {
    let rules: Rules = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut ids = BTreeSet::new();
    for series in &rules.series {
        let place = |what: &str| format!("series {}: {what}", series.id);
        if !ids.insert(series.id) {
            return Err(place("listed twice"));
        }
        for id in &series.accepts {
            let vaccine = immunization::vaccine(id).ok_or_else(|| place(&format!("no vaccine {id}")))?;
            if series.live != (vaccine.kind == Kind::LiveInjected) {
                return Err(place(&format!("{id} and the series disagree about being live")));
            }
        }
        let Some((last, _)) = series.courses.split_last() else { return Err(place("no course")) };
        if !last.when.holds_always() {
            return Err(place("its last course has a condition"));
        }
        for course in &series.courses {
            check_course(series, course).map_err(|what| place(&what))?;
        }
    }
    let mut listed = BTreeSet::new();
    for id in rules.groups.iter().flat_map(|group| &group.variants).flat_map(|variant| &variant.series) {
        listed.insert(*id);
        if !ids.contains(id) {
            return Err(format!("a group names the series {id}, which is none"));
        }
    }
    if let Some(id) = ids.difference(&listed).next() {
        return Err(format!("series {id} is in no group"));
    }
    immunization::vaccine(rules.maternal.vaccine).ok_or("the maternal vaccine is none")?;
    super::pregnancy::days(rules.maternal.from).ok_or("maternal.from is no gestational age")?;
    super::pregnancy::days(rules.maternal.until).ok_or("maternal.until is no gestational age")?;
    Ok(rules)
}

fn check_course(series: &Series, course: &Course) -> Result<(), String> {
    if let Some(other) = course.if_too_early
        && !series.courses.iter().any(|course| course.key == other)
    {
        return Err(format!("no course {other}"));
    }
    let mut keys: Vec<&str> = Vec::new();
    for dose in &course.doses {
        let named = dose.after.iter().map(|after| after.dose);
        let named = named.chain(dose.recommended_after.map(|after| after.dose));
        for earlier in named.chain(dose.skip_if.map(|skip| skip.dose)) {
            if earlier != "previous" && !keys.contains(&earlier) {
                return Err(format!("dose {} follows {earlier}, which does not come before it", dose.key));
            }
        }
        if series.legal(dose).is_empty() {
            return Err(format!("dose {} has no legal period", dose.key));
        }
        if keys.contains(&dose.key) || dose.key == "previous" {
            return Err(format!("dose {} is listed twice", dose.key));
        }
        keys.push(dose.key);
    }
    let first =
        series.courses.first().map(|course| course.doses.iter().map(|dose| dose.key).collect::<Vec<_>>());
    if first.as_deref() != Some(keys.as_slice()) {
        return Err("its courses do not list the same doses".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::tests::day;

    #[test]
    fn the_rules_are_sound_and_damage_is_noticed() {
        let text = include_str!("rules.json");
        assert_eq!(read(text).err(), None);
        for (from, to) in [
            ("\"id\": \"bcg\"", "\"id\": \"hbv\""),
            ("\"P14W6D\"", "\"P14X6D\""),
            ("\"accepts\": [\"bcg\"]", "\"accepts\": [\"je\"]"),
            ("\"accepts\": [\"bcg\"]", "\"accepts\": [\"plague\"]"),
            ("\"dose\": \"i1\"", "\"dose\": \"i9\""),
            ("\"if_too_early\": \"three\"", "\"if_too_early\": \"four\""),
            ("\"series\": [\"bcg\"]", "\"series\": [\"hbv\"]"),
            ("\"series\": [\"bcg\"]", "\"series\": [\"plague\"]"),
            ("\"GA28W0D\"", "\"28W\""),
            ("\"born_from\"", "\"born\""),
            ("\"27D\"", "\"27 days\""),
        ] {
            let damaged: &'static str = Box::leak(text.replacen(from, to, 1).into_boxed_str());
            assert_ne!(damaged, text, "{from}");
            assert!(read(damaged).is_err(), "{to}");
        }
    }

    #[test]
    fn every_period_begins_before_it_ends() {
        let births = [
            "1996-05-05",
            "2005-02-28",
            "2008-06-01",
            "2012-12-31",
            "2019-03-31",
            "2022-08-08",
            "2024-02-29",
        ];
        for series in &rules().series {
            for dose in series.courses.iter().flat_map(|course| &course.doses) {
                let mut known = 0;
                for birth in births.map(day) {
                    let windows = series.windows(dose, birth, &[]);
                    assert!(windows.iter().zip(windows.iter().skip(1)).all(|(a, b)| a.last < b.first));
                    assert!(windows.iter().all(|window| window.first >= birth));
                    known += windows.len();
                    let by_age = dose.recommended.and_then(|rec| Some((rec.from, rec.until?)));
                    if let Some((from, until)) = by_age {
                        assert!(from.of(birth) < until.of(birth), "{} {}", series.id, dose.key);
                    }
                }
                assert!(known > 0 || dose.key == "4", "{} {} is never provided for", series.id, dose.key);
            }
        }
    }

    #[test]
    fn the_law_is_applied_as_it_was_in_force() {
        let windows = |id: &str, key: &str, birth: &str| {
            let series = series(id).unwrap();
            let course = series.courses.last().unwrap();
            let dose = course.doses.iter().find(|dose| dose.key == key).unwrap();
            format!("{:?}", series.windows(dose, day(birth), &[]))
        };
        for (id, key, birth, expected) in [
            ("hbv", "1", "2016-03-31", "[]"),
            ("hbv", "1", "2016-04-01", "[2016-10-01..2017-03-31]"),
            ("rota", "1", "2020-07-31", "[]"),
            ("rota", "1", "2020-08-01", "[2020-10-01..2021-03-13]"),
            ("varicella", "1", "2011-10-02", "[2014-10-01..2014-10-01]"),
            ("varicella", "1", "2011-10-01", "[]"),
            ("bcg", "1", "2013-01-01", "[2013-01-01..2013-12-31]"),
            ("bcg", "1", "2012-01-01", "[2012-01-01..2012-06-30]"),
            ("pcv", "i1", "2008-04-01", "[]"),
            ("pcv", "i1", "2008-04-02", "[2013-04-01..2013-04-01]"),
            ("mr", "1", "2022-04-01", "[2023-03-31..2024-03-31]"),
            ("mr", "1", "2022-04-02", "[2023-04-01..2024-04-01, 2025-04-01..2027-03-31]"),
            ("mr", "1", "2023-04-01", "[2024-03-31..2027-03-31]"),
            ("mr", "1", "2023-04-02", "[2024-04-01..2025-04-01]"),
            ("mr", "2", "2018-04-01", "[2023-04-01..2024-03-31]"),
            ("mr", "2", "2018-04-02", "[2024-04-01..2027-03-31]"),
            ("mr", "2", "2019-04-02", "[2025-04-01..2026-03-31]"),
            ("mr", "3", "1996-05-05", "[2009-04-01..2010-03-31]"),
            ("mr", "3", "2000-04-02", "[]"),
            ("mr", "4", "1992-05-05", "[2010-04-01..2011-03-31]"),
            ("dpt_ipv", "i1", "2023-01-15", "[2023-04-01..2030-07-14]"),
            ("dpt_ipv", "i1", "2022-12-15", "[2023-03-14..2030-06-14]"),
            ("dpt_ipv_hib", "i1", "2024-01-31", "[2024-04-01..2031-07-30]"),
            ("hpv", "1", "1997-04-01", "[]"),
            ("hpv", "1", "1997-04-02", "[2013-04-01..2014-03-31, 2022-04-01..2025-03-31]"),
            ("hpv", "1", "2008-04-01", "[2019-04-01..2025-03-31]"),
            ("hpv", "1", "2008-04-02", "[2020-04-01..2025-03-31]"),
        ] {
            assert_eq!(windows(id, key, birth), expected, "{id} {key} born {birth}");
        }
    }

    #[test]
    fn the_catch_up_goes_on_only_for_those_who_began() {
        let hpv = series("hpv").unwrap();
        let third = hpv.courses.last().unwrap().doses.last().unwrap();
        let last = |birth: &str, given: &[CalendarDate]| {
            hpv.windows(third, day(birth), given).last().unwrap().last.to_string()
        };
        assert_eq!(last("2009-04-01", &[]), "2025-03-31");
        assert_eq!(last("2009-04-01", &[day("2025-03-31")]), "2026-03-31");
        assert_eq!(last("2009-04-01", &[day("2022-03-31")]), "2025-03-31");
        assert_eq!(last("2009-04-02", &[day("2025-03-31")]), "2026-03-31");
        assert_eq!(last("1997-04-02", &[day("2023-05-05")]), "2026-03-31");
    }
}
