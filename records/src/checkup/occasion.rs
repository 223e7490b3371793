//! Readings gathered into occasions, and each result beside the previous one.
//!
//! Prenatal check-ups are one occasion a day; those of childhood one for each check-up and day; the
//! school's examinations one for each school year, for eyes, teeth and heart are examined on different days
//! (学校保健安全法施行規則 5条: by 30 June). A body measurement joins the check-up of its day. Must not know how a
//! record is read.

use std::collections::BTreeMap;

use super::childhood::ChildCheckup;
use super::items;
use super::reading::{Gestation, Item, Number, Reading};
use crate::category::Category;
use crate::date::school::{self, Grade};
use crate::date::{CalendarDate, wareki};
use crate::fhir::Standing;
use crate::redacted::redacted;
use crate::words::Summary;

/// Longest gap between two check-ups of one pregnancy, in days: the first is in week 8 and the early ones
/// are four weeks apart, so that longer silence is another pregnancy.
const PREGNANCY_GAP_DAYS: i32 = 140;

/// What kind of occasion it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OccasionKind {
    /// 妊婦健診
    Prenatal,
    /// A check-up of childhood that says which.
    Childhood(ChildCheckup),
    /// A check-up before school that does not say which.
    ChildhoodOther,
    /// The examinations of a school year (定期健康診断), and the grade of the age.
    School {
        /// The year in which the school year begins.
        year: i16,
        /// Where a child of that birth date is in that year.
        grade: Grade,
    },
    /// Any other health examination.
    Other,
}

/// One occasion of a check-up.
#[derive(Clone, PartialEq)]
pub struct Occasion {
    /// What kind.
    pub kind: OccasionKind,
    /// What a guardian reads, such as `妊婦健診(28週)` or `令和8年度 定期健康診断(小学3年)`.
    pub label: Summary,
    /// First day.
    pub from: CalendarDate,
    /// Last day; the same as the first for all but school years.
    pub to: CalendarDate,
    /// Gestational age, where it is stated.
    pub gestation: Option<Gestation>,
    /// Which check-up of the pregnancy, where it is stated.
    pub visit: Option<u8>,
    /// The results, in the order of the form; what no form knows comes last.
    pub outcomes: Vec<Outcome>,
    /// The readings it was made of, by their place in the list given.
    pub readings: Vec<usize>,
    /// [`Standing::Negated`] when all its records say that it did not take place.
    pub standing: Standing,
}

/// One result.
#[derive(Clone, PartialEq)]
pub struct Outcome {
    /// What was examined and found.
    pub item: Item,
    /// The day.
    pub date: CalendarDate,
    /// The reading it comes from, by its place in the list given.
    pub reading: usize,
    /// Whether it was done.
    pub standing: Standing,
    /// The last earlier result of the same item.
    pub previous: Option<Previous>,
}

/// An earlier result.
#[derive(Clone, PartialEq)]
pub struct Previous {
    /// What was found then.
    pub value: Summary,
    /// The day.
    pub date: CalendarDate,
    /// The reading it comes from.
    pub reading: usize,
    /// By how much the number has changed since, where both are numbers of one unit.
    pub change: Option<Change>,
}

/// A difference of two numbers of one unit.
#[derive(Clone, PartialEq)]
pub struct Change {
    /// The later one minus the earlier one.
    pub value: f64,
    /// The same with sign, digits as measured, and unit, such as `+1.2 kg` or `±0 cm`.
    pub text: String,
}

redacted!(Occasion, Outcome, Previous, Change);

/// Gathers readings of one person, in any order, into occasions, newest first. Withdrawn records count for
/// nothing. With the birth date, examinations at school age are told from others.
pub fn occasions(readings: &[Reading], birth: Option<CalendarDate>) -> Vec<Occasion> {
    let holds = |reading: &Reading| reading.standing != Standing::EnteredInError;
    let live = || readings.iter().enumerate().filter(|(_, reading)| holds(reading));
    let mut drafts: Vec<Draft> = Vec::new();
    // Those that say what they are first, so that findings of the same day find them.
    let mut ordered: Vec<(usize, &Reading)> =
        live().filter(|(_, it)| it.category != Category::Growth).collect();
    ordered.sort_by_key(|(place, it)| (it.checkup.is_none(), it.title.is_none(), it.date, *place));
    for (place, reading) in ordered {
        let named_today = |draft: &Draft| draft.category == reading.category && draft.has_day(reading.date);
        let kind = kind_of(reading, birth);
        let home = match kind {
            OccasionKind::ChildhoodOther | OccasionKind::Other => drafts.iter().position(named_today),
            OccasionKind::School { .. } if reading.title.is_none() => drafts
                .iter()
                .position(|draft| named_today(draft) && draft.kind == OccasionKind::Other)
                .or_else(|| drafts.iter().position(|draft| draft.kind == kind)),
            OccasionKind::School { .. } => drafts.iter().position(|draft| draft.kind == kind),
            _ => drafts.iter().position(|draft| draft.kind == kind && draft.has_day(reading.date)),
        };
        match home.and_then(|home| drafts.get_mut(home)) {
            Some(draft) => draft.add(place, reading),
            None => drafts.push(Draft::new(kind, place, reading)),
        }
    }
    for (place, reading) in live().filter(|(_, it)| it.category == Category::Growth) {
        if let Some(draft) = drafts.iter_mut().find(|draft| draft.has_day(reading.date)) {
            draft.add(place, reading);
        }
    }
    drafts.sort_by_key(|draft| (draft.from, draft.kind));
    let mut occasions: Vec<Occasion> = drafts.into_iter().map(|draft| draft.finish(readings)).collect();
    compare(&mut occasions);
    occasions.reverse();
    occasions
}

fn kind_of(reading: &Reading, birth: Option<CalendarDate>) -> OccasionKind {
    match (reading.category, reading.checkup) {
        (Category::PrenatalCheckup, _) => OccasionKind::Prenatal,
        (_, Some(checkup)) => OccasionKind::Childhood(checkup),
        (Category::HealthExam, None) => {
            let grade = birth.and_then(|birth| school::grade(birth, reading.date));
            let at_school = grade.filter(|it| !matches!(it, Grade::Preschool(_) | Grade::After));
            let by_school = reading.title.as_ref().is_none_or(|title| {
                ["定期", "学校", "健康診断票", "school"]
                    .iter()
                    .any(|word| title.ja.contains(word) || title.en.contains(word))
            });
            match at_school.filter(|_| by_school) {
                Some(grade) => OccasionKind::School { year: school::school_year(reading.date), grade },
                None => OccasionKind::Other,
            }
        }
        _ => OccasionKind::ChildhoodOther,
    }
}

/// An occasion while its readings are being collected.
struct Draft {
    kind: OccasionKind,
    category: Category,
    from: CalendarDate,
    to: CalendarDate,
    days: Vec<CalendarDate>,
    readings: Vec<usize>,
}

impl Draft {
    fn new(kind: OccasionKind, place: usize, reading: &Reading) -> Self {
        let date = reading.date;
        Self {
            kind,
            category: reading.category,
            from: date,
            to: date,
            days: vec![date],
            readings: vec![place],
        }
    }

    fn add(&mut self, place: usize, reading: &Reading) {
        self.readings.push(place);
        self.from = self.from.min(reading.date);
        self.to = self.to.max(reading.date);
        if !self.has_day(reading.date) {
            self.days.push(reading.date);
        }
    }

    fn has_day(&self, day: CalendarDate) -> bool {
        self.days.contains(&day)
    }

    fn finish(mut self, all: &[Reading]) -> Occasion {
        self.readings.sort_unstable();
        let of = || self.readings.iter().filter_map(|place| Some((*place, all.get(*place)?)));
        let gestation = of().find_map(|(_, reading)| reading.gestation);
        let visit = of().find_map(|(_, reading)| reading.visit);
        let title = of().find_map(|(_, reading)| reading.title.clone());
        let negated = of().all(|(_, reading)| reading.standing == Standing::Negated);
        let mut outcomes: Vec<Outcome> = of()
            .flat_map(|(place, reading)| {
                reading.items.iter().map(move |item| Outcome {
                    item: item.clone(),
                    date: reading.date,
                    reading: place,
                    standing: reading.standing,
                    previous: None,
                })
            })
            .collect();
        outcomes.sort_by_cached_key(|outcome| {
            let item = &outcome.item;
            let name = format!("{} {}", item.label.ja, item.label.en);
            (items::position(self.category, item.form, &name), item.identity.clone(), outcome.date)
        });
        Occasion {
            kind: self.kind,
            label: label(self.kind, title, gestation, visit),
            from: self.from,
            to: self.to,
            gestation,
            visit,
            outcomes,
            readings: self.readings,
            standing: if negated { Standing::Negated } else { Standing::Valid },
        }
    }
}

fn label(
    kind: OccasionKind,
    title: Option<Summary>,
    gestation: Option<Gestation>,
    visit: Option<u8>,
) -> Summary {
    match kind {
        OccasionKind::Prenatal => {
            let (mut ja, mut en) = ("妊婦健診".to_owned(), "Prenatal check-up".to_owned());
            if let Some(visit) = visit {
                ja.push_str(&format!(" 第{visit}回"));
                en.push_str(&format!(" no. {visit}"));
            }
            if let Some(Gestation { weeks, days }) = gestation {
                let (rest_ja, rest_en) = match days {
                    Some(days) => (format!("{days}日"), format!(", day {days}")),
                    None => (String::new(), String::new()),
                };
                ja.push_str(&format!("(妊娠{weeks}週{rest_ja})"));
                en.push_str(&format!(" (week {weeks}{rest_en})"));
            }
            Summary::new(ja, en)
        }
        OccasionKind::Childhood(checkup) => Summary::new(checkup.label().ja, checkup.label().en),
        OccasionKind::School { year, grade } => {
            let of_year = wareki::school_year(year);
            Summary::new(
                format!("{of_year} 定期健康診断({})", grade.ja()),
                format!("School health examination {year} ({})", grade.en()),
            )
        }
        OccasionKind::ChildhoodOther => title.unwrap_or_else(|| of_category(Category::InfantCheckup)),
        OccasionKind::Other => title.unwrap_or_else(|| of_category(Category::HealthExam)),
    }
}

fn of_category(category: Category) -> Summary {
    Summary::new(category.label().ja, category.label().en)
}

/// Puts beside each result the last one of the same item on an earlier day: within one pregnancy, or within
/// all that is not pregnancy.
fn compare(occasions: &mut [Occasion]) {
    let series = pregnancies(occasions);
    let mut earlier: BTreeMap<(Option<usize>, String), Vec<Outcome>> = BTreeMap::new();
    for (occasion, pregnancy) in occasions.iter().zip(&series) {
        let counts =
            occasion.outcomes.iter().filter(|it| it.standing == Standing::Valid && it.item.value.is_some());
        for outcome in counts {
            earlier.entry((*pregnancy, outcome.item.identity.clone())).or_default().push(outcome.clone());
        }
    }
    for results in earlier.values_mut() {
        results.sort_by_key(|outcome| (outcome.date, outcome.reading));
    }
    for (occasion, pregnancy) in occasions.iter_mut().zip(series) {
        for outcome in &mut occasion.outcomes {
            let results = earlier.get(&(pregnancy, outcome.item.identity.clone()));
            let last = results.and_then(|results| results.iter().rfind(|it| it.date < outcome.date));
            outcome.previous = last.and_then(|last| {
                Some(Previous {
                    value: last.item.value.clone()?,
                    date: last.date,
                    reading: last.reading,
                    change: change(last.item.number.as_ref(), outcome.item.number.as_ref()),
                })
            });
        }
    }
}

/// For each occasion, oldest first, to which pregnancy it belongs, if any.
fn pregnancies(occasions: &[Occasion]) -> Vec<Option<usize>> {
    let mut count = 0;
    let mut last: Option<(CalendarDate, Option<Gestation>)> = None;
    let number = |occasion: &Occasion| {
        if occasion.kind != OccasionKind::Prenatal {
            return None;
        }
        let another = last.is_some_and(|(day, gestation)| {
            let back = occasion.gestation.zip(gestation).is_some_and(|(now, then)| now.weeks < then.weeks);
            occasion.from.days_since(day) > PREGNANCY_GAP_DAYS || back
        });
        count += usize::from(another);
        last = Some((occasion.from, occasion.gestation.or_else(|| last.filter(|_| !another)?.1)));
        Some(count)
    };
    occasions.iter().map(number).collect()
}

fn change(before: Option<&Number>, now: Option<&Number>) -> Option<Change> {
    let (before, now) = before.zip(now)?;
    if before.unit != now.unit {
        return None;
    }
    let value = now.value - before.value;
    let decimals = before.decimals.max(now.decimals);
    let rounded = format!("{value:+.decimals$}");
    let zero = rounded.bytes().all(|byte| matches!(byte, b'+' | b'-' | b'0' | b'.'));
    let number = if zero { "±0".to_owned() } else { rounded };
    let text = match now.unit.as_str() {
        "" | "1" => number,
        "%" => format!("{number}%"),
        unit => format!("{number} {unit}"),
    };
    Some(Change { value, text })
}
