//! Growth of a child: measurements as typed facts, the references they are compared with, and what a chart
//! and its table show.
//!
//! - [`Measurement::read`] makes a typed value in cm or kg of a stored record of category growth;
//! - [`place`] finds its percentile band in a [`Reference`], and a z-score where the reference has one;
//! - [`Series`] is a chart: reference curves and the child's entries, the same entries serving as table;
//! - [`obesity`] computes the degree of obesity (肥満度) before and at school age.
//!
//! Nothing here judges a child: a band says where a value lies among children of the survey. Must not know
//! where records are kept or how a chart is drawn.

mod measurement;
pub mod obesity;
mod place;
mod series;
mod tables;

pub use measurement::{Doubt, Measurement};
pub use place::{Band, Placement, place};
pub use series::{Entry, OffChart, Series};

use crate::category::Label;
use crate::date::CalendarDate;
use crate::person::Sex;
use crate::redacted::redacted;

/// Mean length of a month in days, by which WHO turns days of life into months.
pub const DAYS_PER_MONTH: f64 = 30.4375;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// 身長, in cm; lying or standing.
    Height,
    /// 体重, in kg; the weight at birth among them.
    Weight,
    /// 頭囲, in cm.
    HeadCircumference,
    /// 胸囲, in cm.
    ChestCircumference,
    /// BMI (カウプ指数), in kg/m².
    Bmi,
    /// 肥満度 as the institution computed it, in %.
    DegreeOfObesity,
    /// ローレル指数.
    RohrerIndex,
    /// Anything else an institution files under growth.
    Other,
}

impl Kind {
    /// The kinds for which a reference has curves, in the order of a page.
    pub const CHARTED: [Self; 3] = [Self::Height, Self::Weight, Self::HeadCircumference];

    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::Height => Label { ja: "身長", en: "Height" },
            Self::Weight => Label { ja: "体重", en: "Weight" },
            Self::HeadCircumference => Label { ja: "頭囲", en: "Head circumference" },
            Self::ChestCircumference => Label { ja: "胸囲", en: "Chest circumference" },
            Self::Bmi => Label { ja: "BMI(カウプ指数)", en: "BMI" },
            Self::DegreeOfObesity => Label { ja: "肥満度", en: "Degree of obesity" },
            Self::RohrerIndex => Label { ja: "ローレル指数", en: "Rohrer index" },
            Self::Other => Label { ja: "その他の計測", en: "Other measurement" },
        }
    }

    /// Unit of every value of this kind, for display; empty where there is none.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Height | Self::HeadCircumference | Self::ChestCircumference => "cm",
            Self::Weight => "kg",
            Self::Bmi => "kg/m²",
            Self::DegreeOfObesity => "%",
            Self::RohrerIndex | Self::Other => "",
        }
    }
}

/// A population whose measurements others are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// 令和5年 乳幼児身体発育調査: seven percentiles from birth to under 6 years 6 months (head circumference:
    /// under 3 years). Its columns are *intervals* of age; a curve passes through their middles.
    Japan2023,
    /// WHO Child Growth Standards: birth to 5 years, by the day.
    Who2006,
}

impl Reference {
    /// Both, the one of the country first.
    pub const ALL: [Self; 2] = [Self::Japan2023, Self::Who2006];

    /// The percentiles whose curves are drawn, rising.
    pub const fn percentiles(self) -> &'static [u8] {
        match self {
            Self::Japan2023 => &[3, 10, 25, 50, 75, 90, 97],
            Self::Who2006 => &[3, 15, 50, 85, 97],
        }
    }

    /// Short name.
    pub const fn label(self) -> Label {
        match self {
            Self::Japan2023 => Label { ja: "日本(令和5年調査)", en: "Japan (survey of 2023)" },
            Self::Who2006 => Label { ja: "WHO(世界保健機関)", en: "WHO" },
        }
    }

    /// Where the curves come from; to be shown beside every chart.
    pub const fn attribution(self) -> Label {
        match self {
            Self::Japan2023 => Label {
                ja: "出典:こども家庭庁「令和5年 乳幼児身体発育調査」のパーセンタイル値をもとに作成。月齢の区間ごとの値を、区間の中央の月齢に置いて線で結んでいます。",
                en: "Source: Children and Families Agency, National Growth Survey of Infants and Preschool Children 2023. Each value stands for an interval of age and is drawn at its middle.",
            },
            Self::Who2006 => Label {
                ja: "出典:WHO(世界保健機関)Child Growth Standards(2006年)。身長は2歳未満は寝た姿勢、2歳からは立った姿勢の値です。",
                en: "Source: WHO Child Growth Standards (2006). Length lying down under 2 years, height standing from 2 years.",
            },
        }
    }

    /// The reference curves of one kind for one sex, lowest percentile first; none where the reference has
    /// none (other kinds, a sex that is not recorded).
    pub fn curves(self, kind: Kind, sex: Sex) -> Vec<Curve> {
        tables::curves(self, kind, sex)
    }
}

/// One percentile over age.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The percentile, 3 to 97.
    pub percentile: u8,
    /// The polyline, by rising age.
    pub points: Vec<CurvePoint>,
}

/// A point of a reference curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Age in months of [`DAYS_PER_MONTH`] days.
    pub months: f64,
    /// Value in the unit of the kind.
    pub value: f64,
}

/// Whose growth it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Child {
    /// Day of birth.
    pub birth: CalendarDate,
    /// Sex, by which the references differ.
    pub sex: Sex,
    /// How ages are counted.
    pub ages: Ages,
}

redacted!(Child);

/// From when the age of a child counts in a comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ages {
    /// From birth (暦月齢).
    FromBirth,
    /// From the day it was expected (修正月齢), for a child born early. Only ever used when asked for.
    FromTerm {
        /// Days from birth to the expected date of delivery.
        days_early: u16,
    },
}

redacted!(Ages);

impl Child {
    /// The day from which ages count; `None` past the end of the calendar.
    fn counted_from(&self) -> Option<CalendarDate> {
        match self.ages {
            Ages::FromBirth => Some(self.birth),
            Ages::FromTerm { days_early } => self.birth.plus_days(i32::from(days_early)),
        }
    }
}

#[cfg(test)]
mod tests;
