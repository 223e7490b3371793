//! The check-ups of childhood (乳幼児健診 and 就学時健診): when each is held by age, and whether a record is known.
//!
//! Source: 母子保健法 12条 and its 施行規則 2条 (1歳6か月, 3歳), the subsidised 1か月 and 5歳 check-ups (こども家庭庁, since
//! 2023), municipal practice for the others, 学校保健安全法 11条 with 施行令 1条 (就学時, by 30 November). Windows are for
//! display and reminders; the municipality's letter decides. Must not know what was found.

use unicode_normalization::UnicodeNormalization;

use super::occasion::{Occasion, OccasionKind};
use crate::category::Label;
use crate::date::CalendarDate;
use crate::date::age::months_attained_on;
use crate::date::school::entry_year;
use crate::fhir::{Standing, codes};

/// A check-up of childhood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChildCheckup {
    /// 1か月児
    OneMonth,
    /// 3-4か月児
    ThreeToFourMonths,
    /// 6-7か月児
    SixToSevenMonths,
    /// 9-10か月児
    NineToTenMonths,
    /// 1歳6か月児, prescribed by law.
    EighteenMonths,
    /// 3歳児, prescribed by law.
    ThreeYears,
    /// 5歳児
    FiveYears,
    /// 就学時, prescribed by law.
    Preschool,
}

impl ChildCheckup {
    /// All, by age.
    pub const ALL: [Self; 8] = [
        Self::OneMonth,
        Self::ThreeToFourMonths,
        Self::SixToSevenMonths,
        Self::NineToTenMonths,
        Self::EighteenMonths,
        Self::ThreeYears,
        Self::FiveYears,
        Self::Preschool,
    ];

    /// Code in [`codes::CHILD_CHECKUP`].
    pub const fn code(self) -> &'static str {
        match self {
            Self::OneMonth => "1m",
            Self::ThreeToFourMonths => "3-4m",
            Self::SixToSevenMonths => "6-7m",
            Self::NineToTenMonths => "9-10m",
            Self::EighteenMonths => "1y6m",
            Self::ThreeYears => "3y",
            Self::FiveYears => "5y",
            Self::Preschool => "preschool",
        }
    }

    /// The check-up of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|checkup| checkup.code() == code)
    }

    /// What a guardian reads.
    pub fn label(self) -> Label {
        let known = codes::CHILD_CHECKUPS.iter().find(|(code, ..)| *code == self.code());
        known.map_or(Label { ja: "乳幼児健診", en: "Infant check-up" }, |(_, ja, en)| Label { ja, en })
    }

    /// On what the check-up rests.
    pub const fn basis(self) -> Label {
        match self {
            Self::EighteenMonths | Self::ThreeYears => Label {
                ja: "法律で定められた健診(母子保健法)",
                en: "Prescribed by law (Maternal and Child Health Act)",
            },
            Self::Preschool => Label {
                ja: "法律で定められた健診(学校保健安全法)",
                en: "Prescribed by law (School Health and Safety Act)",
            },
            _ => Label { ja: "市町村が行う健診", en: "Offered by the municipality" },
        }
    }

    /// First and last day on which a child of this birth date is usually examined, both included; `None` at
    /// the end of the calendar.
    pub fn window(self, birth: CalendarDate) -> Option<(CalendarDate, CalendarDate)> {
        // From the day itself ("1歳6か月を超え") to the day before the birthday ("満2歳に達しない").
        let months = |from: u32, to: u32| {
            Some((months_attained_on(birth, from)?.plus_days(1)?, months_attained_on(birth, to)?))
        };
        match self {
            // 生後27日を超え 6週未満
            Self::OneMonth => Some((birth.plus_days(28)?, birth.plus_days(41)?)),
            Self::ThreeToFourMonths => months(3, 5),
            Self::SixToSevenMonths => months(6, 8),
            Self::NineToTenMonths => months(9, 11),
            Self::EighteenMonths => months(18, 24),
            Self::ThreeYears => months(36, 48),
            Self::FiveYears => months(54, 66),
            // The school register is drawn up on 1 October of the year before entry.
            Self::Preschool => {
                let year = entry_year(birth)?.checked_sub(1)?;
                Some((CalendarDate::new(year, 10, 1).ok()?, CalendarDate::new(year, 11, 30).ok()?))
            }
        }
    }

    /// The check-up a visit or a report names itself as, such as `1歳6ヶ月児健康診査` or `3~4か月健診`.
    pub(super) fn named(text: &str) -> Option<Self> {
        let plain: String = text
            .nfkc()
            .map(|c| match c {
                'カ' | 'ヶ' | 'ヵ' | 'ケ' | '箇' => 'か',
                '~' | '〜' | '・' | '−' | '–' | 'ー' | '、' => '-',
                other => other.to_ascii_lowercase(),
            })
            .filter(|c| !c.is_whitespace())
            .collect();
        const NAMES: [(&[&str], ChildCheckup); 8] = [
            (&["就学時", "就学前", "pre-school", "preschool"], ChildCheckup::Preschool),
            (&["1歳6か月", "1歳半", "18か月", "1歳6月", "18-month"], ChildCheckup::EighteenMonths),
            (&["3歳", "3-year"], ChildCheckup::ThreeYears),
            (&["5歳", "5-year"], ChildCheckup::FiveYears),
            (&["9-10か月", "9か月", "10か月", "9-10-month"], ChildCheckup::NineToTenMonths),
            (&["6-7か月", "6か月", "7か月", "6-7-month"], ChildCheckup::SixToSevenMonths),
            (&["3-4か月", "3か月-4か月", "3か月", "4か月", "3-4-month"], ChildCheckup::ThreeToFourMonths),
            (&["1か月", "1-month"], ChildCheckup::OneMonth),
        ];
        // A number that is the end of a longer one ("13歳") is another age.
        let whole = |word: &str| {
            plain.match_indices(word).any(|(at, _)| {
                let before = plain.get(..at).and_then(|text| text.chars().next_back());
                !before.is_some_and(|c| c.is_ascii_digit())
            })
        };
        NAMES.iter().find(|(words, _)| words.iter().any(|word| whole(word))).map(|(_, checkup)| *checkup)
    }
}

/// How a check-up stands on some day. Never says that a child was not examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A record is known, of this day.
    Recorded(CalendarDate),
    /// It is the usual time.
    Now,
    /// The usual time is yet to come.
    Coming,
    /// The usual time is past and no record has arrived. Says nothing about whether the child was examined.
    NoRecord,
}

impl Progress {
    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::Recorded(_) => Label { ja: "記録あり", en: "Recorded" },
            Self::Now => Label { ja: "いまの時期です", en: "Usual time is now" },
            Self::Coming => Label { ja: "これから", en: "Coming" },
            Self::NoRecord => Label { ja: "記録なし", en: "No record found" },
        }
    }
}

/// A check-up of childhood for one child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub checkup: ChildCheckup,
    /// First day of the usual time.
    pub from: CalendarDate,
    /// Last day of the usual time.
    pub to: CalendarDate,
    /// How it stands.
    pub progress: Progress,
}

/// All check-ups of childhood by age, as they stand on the day `on` for a child of this birth date, given
/// what [`super::occasions`] made of the records that arrived.
pub fn due(birth: CalendarDate, on: CalendarDate, occasions: &[Occasion]) -> Vec<Due> {
    let recorded = |checkup: ChildCheckup| {
        let of = occasions.iter().filter(|occasion| occasion.kind == OccasionKind::Childhood(checkup));
        of.filter(|occasion| occasion.standing == Standing::Valid).map(|occasion| occasion.from).max()
    };
    ChildCheckup::ALL
        .into_iter()
        .filter_map(|checkup| {
            let (from, to) = checkup.window(birth)?;
            let progress = match recorded(checkup) {
                Some(day) => Progress::Recorded(day),
                None if on < from => Progress::Coming,
                None if on <= to => Progress::Now,
                None => Progress::NoRecord,
            };
            Some(Due { checkup, from, to, progress })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::date::tests::{any_day, day};

    #[test]
    fn every_check_up_of_the_code_system_is_known() {
        for (code, ja, _) in codes::CHILD_CHECKUPS {
            let checkup = ChildCheckup::from_code(code).unwrap();
            assert_eq!((checkup.code(), checkup.label().ja), (code, ja));
            assert_eq!(ChildCheckup::named(ja), Some(checkup), "{ja}");
        }
        assert_eq!(ChildCheckup::ALL.len(), codes::CHILD_CHECKUPS.len());
    }

    #[test]
    fn check_ups_are_recognised_by_their_many_names() {
        for (text, expected) in [
            ("1歳6ヶ月児健康診査", Some(ChildCheckup::EighteenMonths)),
            ("1歳6カ月児健診", Some(ChildCheckup::EighteenMonths)),
            ("3~4か月児健診", Some(ChildCheckup::ThreeToFourMonths)),
            ("3〜4ヵ月健診", Some(ChildCheckup::ThreeToFourMonths)),
            ("4か月児健診", Some(ChildCheckup::ThreeToFourMonths)),
            ("10か月児健診", Some(ChildCheckup::NineToTenMonths)),
            ("1ケ月健診", Some(ChildCheckup::OneMonth)),
            ("三歳児健診", None),
            ("13歳児健診", None),
            ("3歳児健康診査", Some(ChildCheckup::ThreeYears)),
            ("就学時健康診断", Some(ChildCheckup::Preschool)),
            ("乳児健診", None),
        ] {
            assert_eq!(ChildCheckup::named(text), expected, "{text}");
        }
    }

    #[test]
    fn windows_are_those_of_the_law() {
        let birth = day("2024-04-02");
        let window = |checkup: ChildCheckup| {
            let (from, to) = checkup.window(birth).unwrap();
            (from.to_string(), to.to_string())
        };
        let days = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(window(ChildCheckup::OneMonth), days("2024-04-30", "2024-05-13"));
        assert_eq!(window(ChildCheckup::ThreeToFourMonths), days("2024-07-02", "2024-09-01"));
        assert_eq!(window(ChildCheckup::EighteenMonths), days("2025-10-02", "2026-04-01"));
        assert_eq!(window(ChildCheckup::ThreeYears), days("2027-04-02", "2028-04-01"));
        assert_eq!(window(ChildCheckup::Preschool), days("2030-10-01", "2030-11-30"));
        let earlier = ChildCheckup::Preschool.window(day("2024-04-01")).unwrap();
        assert_eq!(earlier.0.to_string(), "2029-10-01", "born on 1 April");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn without_records_nothing_is_claimed(birth in any_day(), days in 0i32..3_000) {
            let on = birth.plus_days(days).unwrap();
            let due = due(birth, on, &[]);
            prop_assert_eq!(due.len(), 8);
            prop_assert!(due.windows(2).all(|pair| pair[0].from < pair[1].from));
            for it in due {
                prop_assert!(it.from <= it.to);
                let expected = if on < it.from { Progress::Coming } else if on <= it.to { Progress::Now } else { Progress::NoRecord };
                prop_assert_eq!(it.progress, expected);
                prop_assert!(!it.progress.label().ja.contains("未"));
            }
        }
    }
}
