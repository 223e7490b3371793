//! Which rubella programme a person belongs to, by birth date and sex.
//!
//! Owns the table `cohorts.json` and its reading. Must not know who holds a record or what was answered.

use std::sync::LazyLock;

use serde::Deserialize;

use super::holder::HolderKind;
use crate::category::Label;
use crate::date::{CalendarDate, age, school};
use crate::person::Sex;

/// People to whom the same rubella programmes were open.
#[derive(Debug)]
pub struct Cohort {
    /// Stable name, such as `R1F`.
    pub id: &'static str,
    /// Whom it comprises.
    pub name: Label,
    /// What was offered to them and where its record would be, for a citizen to read.
    pub explanation: Label,
    /// Programmes that were, or are, open to them; none for the oldest.
    pub programmes: Vec<Programme>,
    /// Doses that somebody who took every offer has had in childhood.
    pub doses_expected: u8,
    /// How many took the offer.
    pub uptake: Uptake,
    born: Days,
    sexes: Vec<Sex>,
}

/// One public programme.
#[derive(Clone, Debug, Deserialize)]
pub struct Programme {
    /// Stable name, such as `school_group`.
    pub id: &'static str,
    #[serde(flatten)]
    name: Label,
    law: Days,
    given: Given,
    #[serde(default)]
    born: Days,
    holders: Vec<HolderKind>,
    handbook: bool,
}

/// How many of a cohort took the offer: an order of magnitude, never a statement about one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Uptake {
    /// There was nothing to take.
    None,
    /// Few.
    Low,
    /// Most.
    FairlyHigh,
    /// Nearly all.
    High,
    /// Not known, for it is not known which programme applied.
    Unknown,
}

impl Uptake {
    /// For a citizen to read.
    pub const fn label(self) -> Label {
        match self {
            Self::None => Label { ja: "制度なし", en: "no programme" },
            Self::Low => Label { ja: "受けた方が少なかった年代", en: "few took it" },
            Self::FairlyHigh => {
                Label { ja: "受けた方が比較的多かった年代", en: "most took it" }
            }
            Self::High => Label { ja: "受けた方が多い年代", en: "nearly all took it" },
            Self::Unknown => Label { ja: "不明", en: "not known" },
        }
    }
}

/// First and last day, both included, on which something was possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First day.
    pub first: CalendarDate,
    /// Last day.
    pub last: CalendarDate,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Days {
    from: Option<CalendarDate>,
    to: Option<CalendarDate>,
}

impl Days {
    fn contain(self, day: CalendarDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

/// When, in a life, a programme gives its dose.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
enum Given {
    /// Whenever the law was in force.
    Law,
    /// Between two ages in months, as the law counts them.
    Months { from: u32, to: u32 },
    /// In school years, counted from the first year of elementary school.
    SchoolYear { from: i16, to: i16 },
}

impl Programme {
    /// What it was called.
    pub const fn name(&self) -> Label {
        self.name
    }

    /// Kinds of place where its record would be.
    pub fn holders(&self) -> &[HolderKind] {
        &self.holders
    }

    /// Whether the dose was entered in the 母子健康手帳.
    pub const fn in_the_handbook(&self) -> bool {
        self.handbook
    }

    /// The days on which a person born on `birth` could have been vaccinated in it; `None` if never.
    pub fn window(&self, birth: CalendarDate) -> Option<Window> {
        if !self.born.contain(birth) {
            return None;
        }
        let life = match self.given {
            Given::Law => None,
            Given::Months { from, to } => Some(Window {
                first: age::months_attained_on(birth, from)?,
                last: age::months_attained_on(birth, to)?,
            }),
            Given::SchoolYear { from, to } => {
                let entry = school::entry_year(birth)?;
                let (first, _) = school::school_year_days(entry.checked_add(from)?)?;
                let (_, last) = school::school_year_days(entry.checked_add(to)?)?;
                Some(Window { first, last })
            }
        };
        let first = life.map(|life| life.first).into_iter().chain(self.law.from).max()?;
        let last = life.map(|life| life.last).into_iter().chain(self.law.to).min()?;
        (first <= last).then_some(Window { first, last })
    }
}

impl Cohort {
    /// The cohort of a person.
    ///
    /// There is exactly one for every birth date and sex; a sex that is not recorded, or recorded as another,
    /// leads to the explanation of every programme of the time.
    #[expect(
        clippy::expect_used,
        reason = "the table has neither gaps nor ends, as a test proves for every day"
    )]
    pub fn of(birth: CalendarDate, sex: Sex) -> &'static Self {
        Self::all().iter().find(|cohort| cohort.comprises(birth, sex)).expect("a table without gaps")
    }

    /// Every cohort, oldest first.
    pub fn all() -> &'static [Self] {
        &COHORTS
    }

    /// The last day on which a person born on `birth` could have been vaccinated in a programme whose record
    /// is at such a holder; `None` where no record of this cohort's programmes could be.
    pub fn vaccinated_until(&self, birth: CalendarDate, kind: HolderKind) -> Option<CalendarDate> {
        self.windows(birth, kind).map(|window| window.last).max()
    }

    /// The first such day.
    pub fn vaccinated_from(&self, birth: CalendarDate, kind: HolderKind) -> Option<CalendarDate> {
        self.windows(birth, kind).map(|window| window.first).min()
    }

    /// Whether any programme was open to a person born on `birth`.
    pub fn had_programme(&self, birth: CalendarDate) -> bool {
        self.programmes.iter().any(|programme| programme.window(birth).is_some())
    }

    /// Where else to look, in the order of the programmes: the kinds of holder of a person born on `birth`.
    pub fn places(&self, birth: CalendarDate) -> Vec<HolderKind> {
        let mut places = Vec::new();
        for programme in self.programmes.iter().filter(|programme| programme.window(birth).is_some()) {
            for holder in programme.holders() {
                if !places.contains(holder) {
                    places.push(*holder);
                }
            }
        }
        places
    }

    /// Whether the 母子健康手帳 would tell.
    pub fn in_the_handbook(&self, birth: CalendarDate) -> bool {
        self.programmes.iter().any(|programme| programme.handbook && programme.window(birth).is_some())
    }

    fn comprises(&self, birth: CalendarDate, sex: Sex) -> bool {
        self.born.contain(birth) && self.sexes.contains(&sex)
    }

    fn windows(&self, birth: CalendarDate, kind: HolderKind) -> impl Iterator<Item = Window> {
        self.programmes
            .iter()
            .filter(move |programme| kind == HolderKind::Other || programme.holders.contains(&kind))
            .filter_map(move |programme| programme.window(birth))
    }
}

static COHORTS: LazyLock<Vec<Cohort>> = LazyLock::new(read);

#[expect(clippy::expect_used, reason = "the table is compiled in and read by every test")]
fn read() -> Vec<Cohort> {
    let table: Table = serde_json::from_str(include_str!("cohorts.json")).expect("a well-formed table");
    let named = |id: &&'static str| table.programmes.iter().find(|programme| programme.id == *id).cloned();
    table
        .cohorts
        .into_iter()
        .map(|row| Cohort {
            programmes: row
                .programmes
                .iter()
                .map(|id| named(id).expect("a programme of the table"))
                .collect(),
            id: row.id,
            name: row.name,
            explanation: row.explanation,
            doses_expected: row.doses_expected,
            uptake: row.uptake,
            born: row.born,
            sexes: row.sexes,
        })
        .collect()
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
struct Table {
    programmes: Vec<Programme>,
    cohorts: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: &'static str,
    born: Days,
    sexes: Vec<Sex>,
    programmes: Vec<&'static str>,
    doses_expected: u8,
    uptake: Uptake,
    name: Label,
    explanation: Label,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SEXES: [Sex; 4] = [Sex::Female, Sex::Male, Sex::Other, Sex::Unknown];

    fn day(text: &str) -> CalendarDate {
        text.parse().unwrap()
    }

    fn every_day() -> impl Iterator<Item = CalendarDate> {
        let first = day("1950-01-01");
        let days = day("2025-12-31").days_since(first);
        (0..=days).map(move |n| first.plus_days(n).unwrap())
    }

    #[test]
    fn every_birth_date_and_sex_has_exactly_one_cohort() {
        for birth in every_day() {
            for sex in SEXES {
                let found: Vec<_> =
                    Cohort::all().iter().filter(|cohort| cohort.comprises(birth, sex)).collect();
                assert_eq!(found.len(), 1, "{birth}");
                assert_eq!(found[0].id, Cohort::of(birth, sex).id);
            }
        }
        for end in ["0001-01-01", "1868-01-25", "9999-12-31"] {
            let _ = Cohort::of(day(end), Sex::Unknown);
        }
    }

    #[test]
    fn the_boundaries_are_those_of_the_published_tables() {
        let id = |birth: &str, sex| Cohort::of(day(birth), sex).id;
        for (birth, female, male) in [
            ("1962-04-01", "R0", "R0"),
            ("1962-04-02", "R1F", "R1M"),
            ("1979-04-01", "R1F", "R1M"),
            ("1979-04-02", "R2", "R2"),
            ("1987-10-01", "R2", "R2"),
            ("1987-10-02", "R3", "R3"),
            ("1990-04-01", "R3", "R3"),
            ("1990-04-02", "R4a", "R4a"),
            ("1995-04-01", "R4a", "R4a"),
            ("1995-04-02", "R4b", "R4b"),
            ("2000-04-01", "R4b", "R4b"),
            ("2000-04-02", "R5", "R5"),
            ("2025-12-31", "R5", "R5"),
        ] {
            assert_eq!((id(birth, Sex::Female), id(birth, Sex::Male)), (female, male), "{birth}");
        }
        assert_eq!(id("1970-01-01", Sex::Unknown), "R1U");
        assert_eq!(id("1990-01-01", Sex::Other), "R3");
    }

    /// Everybody but the oldest had a programme, and its main one was really open to everybody of the cohort.
    #[test]
    fn every_day_s_children_could_really_have_been_vaccinated() {
        for birth in every_day() {
            for sex in SEXES {
                let cohort = Cohort::of(birth, sex);
                assert_eq!(cohort.had_programme(birth), cohort.id != "R0", "{birth}");
                assert_eq!(cohort.places(birth).is_empty(), cohort.id == "R0");
                let main = match cohort.id {
                    "R1F" => &["school_group"][..],
                    "R1M" => &["fifth_term"],
                    "R1U" => &["school_group", "fifth_term"],
                    "R2" => &["junior_high_individual"],
                    "R3" => &["first_graders"],
                    "R4a" => &["infant", "fourth_term"],
                    "R4b" => &["infant", "third_term"],
                    "R5" => &["second_term"],
                    _ => &[],
                };
                for id in main {
                    let programme = cohort.programmes.iter().find(|programme| programme.id == *id).unwrap();
                    let window = programme.window(birth).unwrap_or_else(|| panic!("{birth} {id}"));
                    assert!(birth < window.first && window.first <= window.last, "{birth} {id}");
                }
            }
        }
    }

    #[test]
    fn windows_follow_law_age_and_school_year() {
        let window = |birth: &str, sex, id: &str| {
            let cohort = Cohort::of(day(birth), sex);
            let programme = cohort.programmes.iter().find(|programme| programme.id == id)?;
            programme.window(day(birth)).map(|window| (window.first.to_string(), window.last.to_string()))
        };
        let days = |first: &str, last: &str| Some((first.to_owned(), last.to_owned()));
        // Junior high school, cut by the beginning of the programme.
        assert_eq!(window("1962-04-02", Sex::Female, "school_group"), days("1977-08-01", "1978-03-31"));
        assert_eq!(window("1970-05-05", Sex::Female, "school_group"), days("1983-04-01", "1986-03-31"));
        // Second term of a child of 2018, and its extension.
        assert_eq!(window("2018-04-02", Sex::Male, "second_term"), days("2024-04-01", "2025-03-31"));
        assert_eq!(window("2018-04-02", Sex::Male, "second_term_extended"), days("2025-04-01", "2027-03-31"));
        assert_eq!(window("2018-04-01", Sex::Male, "second_term_extended"), None);
        // 12 to 24 months as the law counts them.
        assert_eq!(window("2024-04-02", Sex::Female, "first_term"), days("2025-04-01", "2026-04-01"));
        // MMR ended in April 1993.
        assert_eq!(window("1988-06-10", Sex::Female, "mmr"), days("1989-06-09", "1993-04-27"));
        assert_eq!(window("1980-06-10", Sex::Female, "mmr"), None);
        assert_eq!(window("1992-05-10", Sex::Female, "mmr"), None);
    }

    #[test]
    fn the_table_s_words_are_there_in_both_languages_and_its_ids_once() {
        let mut ids = BTreeSet::new();
        for cohort in Cohort::all() {
            assert!(ids.insert(cohort.id));
            for label in [cohort.name, cohort.explanation, cohort.uptake.label()] {
                assert!(!label.ja.is_ascii() && label.en.is_ascii());
            }
            for programme in &cohort.programmes {
                assert!(!programme.name().ja.is_ascii() && !programme.holders().is_empty());
                assert!(programme.law.to.is_some() || !matches!(programme.given, Given::Law));
            }
            assert_eq!(cohort.programmes.is_empty(), cohort.uptake == Uptake::None);
        }
    }

    #[test]
    fn a_kind_we_do_not_know_counts_for_every_programme() {
        let birth = day("1970-05-05");
        let cohort = Cohort::of(birth, Sex::Female);
        assert_eq!(cohort.vaccinated_until(birth, HolderKind::Other), Some(day("1986-03-31")));
        assert_eq!(cohort.vaccinated_until(birth, HolderKind::School), Some(day("1986-03-31")));
        assert_eq!(cohort.vaccinated_until(birth, HolderKind::Clinic), None);
        assert_eq!(cohort.vaccinated_until(birth, HolderKind::Pharmacy), None);
    }
}
