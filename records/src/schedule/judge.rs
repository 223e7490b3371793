//! The state of every dose of a course.
//!
//! Owns the reading of the rules against days: earliest day by age, by gap and by the gap between injected
//! live vaccines; standard period; what is skipped. Must not know which course was chosen or why.

use super::moment::label_words;
use super::place::{Placed, left_out};
use super::rules::{Course, Dose, Series, rules};
use super::taken::Taken;
use super::window::Window;
use super::{DosePlan, Note, Received, State, words};
use crate::category::Label;
use crate::date::CalendarDate;
use crate::immunization::Vaccination;

/// Whom the plan is for, and what was given to them.
pub(super) struct Person<'a> {
    pub(super) birth: CalendarDate,
    pub(super) today: CalendarDate,
    /// Days of injected live vaccines of every kind, in order.
    pub(super) live: &'a [CalendarDate],
    pub(super) vaccinations: &'a [Vaccination],
}

/// A course with its states.
pub(super) struct Judged {
    pub(super) doses: Vec<DosePlan>,
    pub(super) extra: Vec<Received>,
    pub(super) routine: bool,
    /// Whether a dose came before its gap was over.
    pub(super) too_early: bool,
}

/// The day of an earlier dose: given, or supposed to be given as early as possible.
#[derive(Clone, Copy)]
struct Anchor {
    key: &'static str,
    day: CalendarDate,
    given: bool,
}

pub(super) fn judge(
    series: &'static Series,
    course: &'static Course,
    windows: Vec<Vec<Window>>,
    placed: &Placed,
    person: &Person<'_>,
) -> Judged {
    let routine = windows.iter().any(|list| !list.is_empty());
    let mut bench =
        Bench { series, course, person, placed, anchors: Vec::new(), skipped: false, too_early: false };
    let mut doses = Vec::new();
    for (place, (rule, legal)) in course.doses.iter().zip(windows).enumerate() {
        let taken = placed.slots.get(place).and_then(Option::as_ref);
        let recommended = bench.recommended(rule, &legal);
        let state = match taken {
            Some(taken) => State::Received(bench.receive(rule, &legal, taken)),
            None if legal.is_empty() => continue,
            None => bench.missing(place, rule, &legal, recommended),
        };
        doses.push(DosePlan {
            key: rule.key,
            label: rule.label,
            legal,
            recommended,
            rule: words::rule(series, course, rule, person.birth),
            state,
        });
    }
    let extra = placed.extra.iter().map(|taken| bench.received(taken, Vec::new())).collect();
    Judged { doses, extra, routine, too_early: bench.too_early }
}

/// The course being judged, dose by dose.
struct Bench<'a> {
    series: &'static Series,
    course: &'static Course,
    person: &'a Person<'a>,
    placed: &'a Placed,
    anchors: Vec<Anchor>,
    /// Whether an earlier dose was left out.
    skipped: bool,
    too_early: bool,
}

impl Bench<'_> {
    fn receive(&mut self, rule: &Dose, legal: &[Window], taken: &Taken) -> Received {
        let day = taken.day.day;
        let mut notes = Vec::new();
        if taken.day.is_exact() {
            if legal.is_empty() {
                notes.push(Note::NotRoutine);
            } else if !legal.iter().any(|window| window.contains(day)) {
                notes.push(Note::OutsidePeriod);
            }
            let earliest = self.earliest(rule, true).filter(|(earliest, _)| day < *earliest);
            if let Some((earliest, _)) = earliest {
                notes.push(Note::TooEarly(earliest));
                self.too_early = true;
            }
            let close = |other: &&CalendarDate| {
                **other < day && rules().live_gap.after(**other).is_some_and(|free| day < free)
            };
            if let Some(other) = self.person.live.iter().rev().find(close).filter(|_| self.series.live)
                && earliest.is_none()
            {
                notes.push(Note::LiveGap(*other));
            }
        } else {
            notes.push(Note::Inexact);
        }
        self.anchors.push(Anchor { key: rule.key, day, given: taken.day.is_exact() });
        self.received(taken, notes)
    }

    fn received(&self, taken: &Taken, mut notes: Vec<Note>) -> Received {
        if taken.day.day > self.person.today {
            notes.push(Note::Ahead);
        }
        let first = taken.sources.first().and_then(|index| self.person.vaccinations.get(*index));
        let vaccine = first.map_or_else(|| label_words(taken.vaccine.label), |it| it.name.clone());
        Received { day: taken.day, vaccine, sources: taken.sources.clone(), notes }
    }

    /// The state of a dose that no record tells of.
    fn missing(&mut self, place: usize, rule: &Dose, legal: &[Window], recommended: Option<Window>) -> State {
        let today = self.person.today;
        let Some(over) = legal.last().map(|window| window.last) else { return State::Unrecorded };
        if rule.not_needed {
            return State::NotNeeded { why: self.course.why.unwrap_or(words::NOT_NEEDED) };
        }
        if left_out(self.course, rule, self.placed, self.person.birth) || self.will_be_left_out(rule) {
            self.skipped = true;
            return State::NotNeeded { why: words::LEFT_OUT };
        }
        let alike = |later: &Dose| later.period == rule.period;
        let later = self.course.doses.iter().zip(&self.placed.slots).skip(place + 1);
        let later = later.filter(|(dose, _)| alike(dose)).find_map(|(_, taken)| taken.as_ref());
        if let Some(later) = later {
            if rule.skip_when_over && later.day.day > over {
                self.skipped = true;
                return State::NotNeeded { why: words::LEFT_OUT };
            }
            return State::Unrecorded;
        }
        let earliest = self.earliest(rule, false);
        let gap = earliest.map_or(self.person.birth, |(day, _)| day);
        let open = legal.iter().find(|window| window.last >= gap && window.last >= today);
        let Some(window) = open else {
            if rule.skip_when_over {
                self.skipped = true;
                return State::NotNeeded { why: words::LEFT_OUT };
            }
            if today <= over {
                // The gap ends after the period does; what follows would come later still.
                self.anchors.push(Anchor { key: rule.key, day: gap.max(today), given: false });
            }
            return State::Closed { since: over, advice: self.advice() };
        };
        let from = window.first.max(gap);
        self.anchors.push(Anchor { key: rule.key, day: from.max(today), given: false });
        // Of this period: a special measure may follow after a pause, and then says so itself.
        let until = window.last;
        match recommended {
            _ if today < from => State::NotYet {
                from,
                after_previous: earliest.is_some_and(|(day, given)| !given && day == from),
            },
            Some(best) if today < best.first => State::Possible { recommended_from: best.first, until },
            Some(best) if today > best.last => State::Overdue { until, caution: rule.late },
            _ => State::Due { until },
        }
    }

    fn advice(&self) -> Label {
        self.series.closed.unwrap_or_else(|| rules().closed)
    }

    /// The first day that keeps every gap to earlier doses and, for one that is still to be given, to other
    /// injected live vaccines; whether all of those doses were given. `None` where nothing has to be waited for.
    fn earliest(&self, rule: &Dose, given_only: bool) -> Option<(CalendarDate, bool)> {
        let after = rule.after.iter().filter_map(|after| {
            let anchor = self.anchor(after.dose).filter(|anchor| anchor.given || !given_only)?;
            let gap = after.if_skipped.filter(|_| self.skipped).unwrap_or(after.min);
            Some((gap.after(anchor.day)?, anchor.given))
        });
        let live = self.person.live.last().filter(|_| self.series.live && !given_only);
        let live = live.and_then(|day| Some((rules().live_gap.after(*day)?, true)));
        after.chain(live).max_by_key(|(day, _)| *day)
    }

    fn anchor(&self, key: &str) -> Option<Anchor> {
        match key {
            "previous" => self.anchors.last().copied(),
            _ => self.anchors.iter().find(|anchor| anchor.key == key).copied(),
        }
    }

    /// Whether the dose before, still to come, will come too late for this one.
    fn will_be_left_out(&self, rule: &Dose) -> bool {
        rule.skip_if.is_some_and(|skip| {
            let limit = skip.later_than.of(self.person.birth);
            self.anchor(skip.dose).is_some_and(|anchor| limit.is_some_and(|limit| anchor.day > limit))
        })
    }

    /// The standard period, within the legal ones: counted from the dose before once that was given, else by
    /// age, else from the dose before as it may be given.
    fn recommended(&self, rule: &Dose, legal: &[Window]) -> Option<Window> {
        let (first, last) = (legal.first()?.first, legal.last()?.last);
        let by_age = rule.recommended.and_then(|rec| {
            let until = match rec.until {
                Some(until) => until.of(self.person.birth)?,
                None => last,
            };
            Window::new(rec.from.of(self.person.birth)?, until)
        });
        let by_dose = rule.recommended_after.and_then(|rec| {
            let anchor = self.anchor(rec.dose)?;
            let from = rec.from.after(anchor.day)?;
            let until = match rec.until {
                Some(gap) => gap.after(anchor.day)?,
                None => by_age.map(|window| window.last).filter(|until| *until > from).unwrap_or(last),
            };
            Some((Window::new(from, until)?, anchor.given))
        });
        let by_given = by_dose.filter(|(_, given)| *given).map(|(window, _)| window);
        let window = by_given.or(by_age).or_else(|| by_dose.map(|(window, _)| window))?;
        window.overlap(Window::new(first, last)?)
    }
}
