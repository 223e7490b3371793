//! Degree of obesity (肥満度): by how many percent a weight differs from the standard weight for the height.
//!
//! Before school: the curve of standard weight for height of the infant survey (幼児身長体重曲線, heights from 70 to
//! under 120 cm; 国立保健医療科学院 乳幼児身体発育評価マニュアル). At school: the standard weight by sex, age and
//! height of the 学校保健統計調査. The words are those of the 母子健康手帳 and of the 児童生徒等の健康診断マニュアル.
//! Must not know records.

use std::sync::LazyLock;

use super::tables::{Damaged, compiled_in, number, rows};
use super::{Child, Kind, Measurement};
use crate::category::Label;
use crate::date::school::{self, Grade};
use crate::date::{CalendarDate, age};
use crate::fhir::Standing;
use crate::person::Sex;

/// Which standard weight it was computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// 幼児: by height alone, from the first birthday until school.
    Preschool,
    /// 児童生徒: by height and the age of the school grade.
    School,
}

/// A degree of obesity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Obesity {
    /// Percent above (or, negative, below) the standard weight.
    pub percent: f64,
    /// How it was computed.
    pub method: Method,
}

impl Obesity {
    /// The range of the handbook or the school manual it lies in.
    pub fn label(self) -> Label {
        const fn words(ja: &'static str, en: &'static str) -> Label {
            Label { ja, en }
        }
        let p = self.percent;
        match self.method {
            Method::Preschool if p >= 30.0 => words("ふとりすぎ", "30% or more above"),
            Method::Preschool if p >= 20.0 => words("ややふとりすぎ", "20% or more above"),
            Method::Preschool if p >= 15.0 => words("ふとりぎみ", "15% or more above"),
            Method::Preschool if p > -15.0 => words("ふつう", "Usual range"),
            Method::Preschool if p > -20.0 => words("やせ", "15% or more below"),
            Method::Preschool => words("やせすぎ", "20% or more below"),
            Method::School if p >= 50.0 => words("高度肥満", "50% or more above"),
            Method::School if p >= 30.0 => words("中等度肥満", "30% or more above"),
            Method::School if p >= 20.0 => words("軽度肥満", "20% or more above"),
            Method::School if p > -20.0 => words("ふつう", "Usual range"),
            Method::School if p > -30.0 => words("やせ", "20% or more below"),
            Method::School => words("高度やせ", "30% or more below"),
        }
    }
}

/// The degree of obesity on a day; `None` where no standard weight is defined: before the first birthday,
/// outside the heights of the curve, past high school, for a sex that is not recorded.
pub fn degree_of_obesity(child: &Child, on: CalendarDate, height_cm: f64, weight_kg: f64) -> Option<Obesity> {
    let grade = school::grade(child.birth, on)?;
    let (standard, method) = match grade {
        Grade::Preschool(_) if age::attained_age(child.birth, on)? >= 1 => {
            (before_school(child.sex, height_cm)?, Method::Preschool)
        }
        Grade::Preschool(_) | Grade::After => return None,
        Grade::Elementary(n) => (at_school(child.sex, 5 + n, height_cm)?, Method::School),
        Grade::JuniorHigh(n) => (at_school(child.sex, 11 + n, height_cm)?, Method::School),
        Grade::High(n) => (at_school(child.sex, 14 + n, height_cm)?, Method::School),
    };
    let percent = (weight_kg - standard) / standard * 100.0;
    (weight_kg > 0.0 && standard > 0.0 && percent.is_finite()).then_some(Obesity { percent, method })
}

/// Standard weight in kg by height: 0.00206X²-0.1166X+6.5273 for boys, 0.00249X²-0.1858X+9.0360 for girls.
fn before_school(sex: Sex, height_cm: f64) -> Option<f64> {
    let (square, linear, constant) = match sex {
        Sex::Male => (0.002_06, -0.1166, 6.5273),
        Sex::Female => (0.002_49, -0.1858, 9.0360),
        Sex::Other | Sex::Unknown => return None,
    };
    let defined = (70.0..120.0).contains(&height_cm);
    defined.then_some(square * height_cm * height_cm + linear * height_cm + constant)
}

/// Coefficients of the standard weight of pupils: sex, age of the grade, `a` and `b`.
static SCHOOL: LazyLock<Vec<(Sex, u8, f64, f64)>> = LazyLock::new(|| compiled_in(school_table()));

fn school_table() -> Result<Vec<(Sex, u8, f64, f64)>, Damaged> {
    rows(include_str!("../../data/school_standard_weight.csv"), |[sex, age, a, b]| {
        Some((Sex::from_fhir(sex)?, number(age)?, number(a)?, number(b)?))
    })
}

fn at_school(sex: Sex, age: u8, height_cm: f64) -> Option<f64> {
    let (.., a, b) = SCHOOL.iter().find(|row| (row.0, row.1) == (sex, age))?;
    // Far below any pupil's height the straight line leaves the ground.
    (80.0..=230.0).contains(&height_cm).then_some(a * height_cm - b)
}

/// A day on which both height and weight were measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Day {
    /// The day.
    pub date: CalendarDate,
    /// Which of the measurements given is the height.
    pub height: usize,
    /// Which is the weight.
    pub weight: usize,
    /// What follows.
    pub obesity: Obesity,
}

/// The degree of obesity on every day that has a height and a weight in no doubt, oldest first. Where a day
/// has several, the first of each counts.
pub fn days(measurements: &[Measurement], child: &Child) -> Vec<Day> {
    let sound = |kind: Kind| {
        measurements.iter().enumerate().filter(move |(_, it)| {
            let holds = it.standing == Standing::Valid && it.exact_day && it.doubt.is_none();
            it.kind == kind && holds && !it.at_birth
        })
    };
    let mut days: Vec<Day> = Vec::new();
    for (height, measured) in sound(Kind::Height) {
        let date = measured.date;
        if days.iter().any(|day| day.date == date) {
            continue;
        }
        let found = sound(Kind::Weight).find(|(_, it)| it.date == date).and_then(|(weight, weighed)| {
            let obesity = degree_of_obesity(child, date, measured.value?, weighed.value?)?;
            Some(Day { date, height, weight, obesity })
        });
        days.extend(found);
    }
    days.sort_by_key(|day| day.date);
    days
}

#[cfg(test)]
mod tests {
    use super::super::Ages;
    use super::*;
    use crate::date::tests::day;

    #[test]
    fn the_school_table_has_every_grade() {
        let table = school_table().unwrap();
        for sex in [Sex::Male, Sex::Female] {
            let ages: Vec<u8> = table.iter().filter(|row| row.0 == sex).map(|row| row.1).collect();
            assert_eq!(ages, (5..=17).collect::<Vec<u8>>());
        }
    }

    #[test]
    fn the_standard_weight_is_zero_percent() {
        let child = |sex| Child { birth: day("2016-04-02"), sex, ages: Ages::FromBirth };
        let (boy, girl) = (child(Sex::Male), child(Sex::Female));
        let percent = |child: &Child, on, height, weight| {
            degree_of_obesity(child, day(on), height, weight)
                .map(|found| (found.percent * 10.0).round() / 10.0)
        };
        // 100 cm: 0.00206*10000 - 11.66 + 6.5273 = 15.4673 kg for boys, 0.00249*10000 - 18.58 + 9.036 = 15.356.
        assert_eq!(percent(&boy, "2020-06-01", 100.0, 15.4673), Some(0.0));
        assert_eq!(percent(&girl, "2020-06-01", 100.0, 15.356 * 1.2), Some(20.0));
        // Third grade (age 8): 0.592*130 - 48.804 = 28.156 kg; girls 0.561*130 - 45.006 = 27.924 kg.
        assert_eq!(percent(&boy, "2025-04-22", 130.0, 28.156), Some(0.0));
        assert_eq!(percent(&girl, "2025-04-22", 130.0, 27.924 * 0.7), Some(-30.0));
        assert_eq!(percent(&boy, "2017-03-31", 72.0, 9.0), None, "before the first birthday");
        assert_eq!(percent(&boy, "2020-06-01", 120.0, 20.0), None);
        assert_eq!(percent(&boy, "2020-06-01", 69.9, 9.0), None);
        assert_eq!(percent(&child(Sex::Unknown), "2020-06-01", 100.0, 15.0), None);
        assert_eq!(percent(&boy, "2040-06-01", 170.0, 60.0), None);
        assert_eq!(percent(&boy, "2025-04-22", 130.0, -1.0), None);
    }

    #[test]
    fn the_ranges_have_the_words_of_handbook_and_school() {
        let words = |method, percent| Obesity { percent, method }.label().ja;
        for (percent, expected) in [
            (30.0, "ふとりすぎ"),
            (29.9, "ややふとりすぎ"),
            (19.9, "ふとりぎみ"),
            (14.9, "ふつう"),
            (-14.9, "ふつう"),
            (-15.0, "やせ"),
            (-20.0, "やせすぎ"),
        ] {
            assert_eq!(words(Method::Preschool, percent), expected, "{percent}");
        }
        for (percent, expected) in [
            (50.0, "高度肥満"),
            (30.0, "中等度肥満"),
            (20.0, "軽度肥満"),
            (0.0, "ふつう"),
            (-20.0, "やせ"),
            (-30.0, "高度やせ"),
        ] {
            assert_eq!(words(Method::School, percent), expected, "{percent}");
        }
    }
}
