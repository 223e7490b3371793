//! The five answers to "is there a record of my rubella vaccination?", and which of them is true.
//!
//! Owns the precedence. Of one source:
//!
//! 1. A record **found** is found, whatever else is true: a paid dose may lie where no programme could have put
//!    one.
//! 2. A source that **did not answer** said nothing; no age group, kind of place or retention period makes its
//!    silence into an answer.
//! 3. It answered and has none. Where **no programme** of this person's cohort was ever recorded at such a place, it
//!    could have none.
//! 4. If the last day on which this person could have been vaccinated there lies before the first day from which
//!    it keeps such records, records of that time are **no longer kept** there. Without a published first day
//!    nothing is assumed.
//! 5. Otherwise it has **none although a programme existed**.
//!
//! In sum the strongest knowledge comes first and then the *least*, so that the sum never claims more than its
//! weakest part:
//!
//! 1. Anything **found** is found.
//! 2. A silent source that could hold a record, of a programme or otherwise, leaves the sum at **did not answer**.
//!    A silent pharmacy does not, and is still listed.
//! 3. If a programme existed, but nobody was asked with whom its record could be, nobody who could know has
//!    answered: **did not answer**.
//! 4. If one of those who could have had it no longer keeps that time, the record may have been there: **no longer
//!    kept**.
//! 5. If all of them have none, **none although a programme existed**.
//! 6. There was **no programme** for this cohort.
//!
//! None of the five means "not vaccinated", and no words here say so. Must not know evidence or institutions.

use crate::category::Label;
use crate::date::CalendarDate;

/// One of five answers; they are never merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// There is a record of a vaccination or of an antibody test.
    RecordFound,
    /// The holder answered and has none, although a programme existed for this cohort.
    NoneThoughProgramme,
    /// No programme existed for this cohort (of a source: none whose record could be there).
    NoProgramme,
    /// The holder did not answer.
    DidNotAnswer,
    /// Records of the time in question are no longer kept.
    NoLongerKept,
}

/// What one source is, as far as the outcome depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceFacts {
    /// It answered; with data or with nothing to show.
    pub answered: bool,
    /// Among its answer is a record.
    pub found: bool,
    /// Last day on which this person could have been vaccinated in a programme recorded at such a place;
    /// `None` where there was no such programme.
    pub vaccinated_until: Option<CalendarDate>,
    /// First day from which it keeps such records, as it publishes to everybody; `None` without a statement.
    pub kept_since: Option<CalendarDate>,
}

/// A source's part in the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its outcome.
    pub outcome: Outcome,
    /// A record of this person's programmes could be with it.
    pub of_programme: bool,
    /// It vaccinates or tests outside any programme, too.
    pub treats_anybody: bool,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [
        Self::RecordFound,
        Self::NoneThoughProgramme,
        Self::NoProgramme,
        Self::DidNotAnswer,
        Self::NoLongerKept,
    ];

    /// Stable name for markup and print.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RecordFound => "record_found",
            Self::NoneThoughProgramme => "none_though_programme",
            Self::NoProgramme => "no_programme",
            Self::DidNotAnswer => "did_not_answer",
            Self::NoLongerKept => "no_longer_kept",
        }
    }

    /// The outcome of one source; the precedence is stated above.
    pub fn of_source(facts: SourceFacts) -> Self {
        let SourceFacts { answered, found, vaccinated_until, kept_since } = facts;
        if found {
            return Self::RecordFound;
        }
        if !answered {
            return Self::DidNotAnswer;
        }
        match (vaccinated_until, kept_since) {
            (None, _) => Self::NoProgramme,
            (Some(until), Some(since)) if until < since => Self::NoLongerKept,
            (Some(_), _) => Self::NoneThoughProgramme,
        }
    }

    /// The outcome in sum. `had_programme`: some programme was open to this person.
    pub fn in_sum(had_programme: bool, parts: &[Part]) -> Self {
        let any = |outcome: Self, counts: fn(&Part) -> bool| {
            parts.iter().any(|part| part.outcome == outcome && counts(part))
        };
        if any(Self::RecordFound, |_| true) {
            return Self::RecordFound;
        }
        if any(Self::DidNotAnswer, |part| part.of_programme || part.treats_anybody) {
            return Self::DidNotAnswer;
        }
        if !had_programme {
            return Self::NoProgramme;
        }
        if any(Self::NoLongerKept, |_| true) {
            return Self::NoLongerKept;
        }
        if any(Self::NoneThoughProgramme, |_| true) {
            return Self::NoneThoughProgramme;
        }
        Self::DidNotAnswer
    }

    /// A few words for the column of a table.
    pub const fn label(self) -> Label {
        match self {
            Self::RecordFound => Label { ja: "記録が見つかりました", en: "Record found" },
            Self::NoneThoughProgramme => {
                Label { ja: "この機関に記録はありません", en: "No record here" }
            }
            Self::NoProgramme => {
                Label { ja: "対象となる制度がありませんでした", en: "No programme applied" }
            }
            Self::DidNotAnswer => Label { ja: "応答がありません", en: "No answer" },
            Self::NoLongerKept => Label {
                ja: "当時の記録は保存期間を過ぎています",
                en: "Records of that time are no longer kept",
            },
        }
    }

    /// What it means of one source.
    pub const fn of_source_words(self) -> Label {
        match self {
            Self::RecordFound => Label {
                ja: "風しんの予防接種または抗体検査の記録があります。",
                en: "There is a record of a rubella vaccination or antibody test.",
            },
            Self::NoneThoughProgramme => Label {
                ja: "応答があり、この機関に記録はありませんでした。ほかの場所で接種した記録がある可能性があります。",
                en: "It answered and holds no record. There may be one elsewhere.",
            },
            Self::NoProgramme => Label {
                ja: "あなたの年代には、この種類の機関に記録が残る定期予防接種の制度がありませんでした。記録がないのは自然なことです。",
                en: "For your age group there was no public vaccination programme whose record would be at this kind of \
                     institution; it is normal that it has none.",
            },
            Self::DidNotAnswer => Label {
                ja: "応答がありませんでした。記録があるかどうかは分かりません。",
                en: "It did not answer. Whether it holds a record is not known.",
            },
            Self::NoLongerKept => Label {
                ja: "応答がありましたが、接種の時期の記録はすでに保存されていません。当時の記録があったかどうかは分かりません。",
                en: "It answered, but records of the time in question are no longer kept. Whether there was one is not \
                     known.",
            },
        }
    }

    /// What it means in sum.
    pub const fn in_sum_words(self) -> Label {
        match self {
            Self::RecordFound => Label {
                ja: "風しんの予防接種または抗体検査の記録が見つかりました。内容は下の表をご覧ください。",
                en: "A record of a rubella vaccination or antibody test was found; see the table below.",
            },
            Self::NoneThoughProgramme => Label {
                ja: "問い合わせた機関からは応答があり、記録はありませんでした。あなたの年代には定期予防接種の制度があったため、\
                     ほかの場所に記録が残っている可能性があります。免疫の有無は抗体検査で確かめられます。",
                en: "The institutions asked have answered and hold no record. As there was a programme for your age \
                     group, a record may exist elsewhere. An antibody test shows whether you are immune.",
            },
            Self::NoProgramme => Label {
                ja: "あなたの年代には、風しんの定期予防接種の制度がありませんでした。記録がないのは自然なことです。\
                     免疫の有無は抗体検査で確かめられます。",
                en: "There was no public rubella vaccination programme for your age group; it is normal that there is no \
                     record. An antibody test shows whether you are immune.",
            },
            Self::DidNotAnswer => Label {
                ja: "記録を持っている可能性のある機関のうち、応答のないところがあります。記録があるかどうかはまだ分かりません。",
                en: "Of the institutions that may hold a record not all have answered. Whether there is one is not yet \
                     known.",
            },
            Self::NoLongerKept => Label {
                ja: "応答のあった機関に記録はありませんでしたが、当時の記録がすでに保存されていない機関があります。\
                     接種したかどうかは、この結果からは分かりません。免疫の有無は抗体検査で確かめられます。",
                en: "The institutions that answered hold no record, but not all of them still keep records of that time. \
                     Whether you were vaccinated cannot be told from this. An antibody test shows whether you are \
                     immune.",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> CalendarDate {
        text.parse().unwrap()
    }

    /// The whole table. `until` against `since`: no programme; programme ended before records are kept; on the
    /// day itself; after it.
    #[test]
    fn one_source_in_every_combination() {
        use Outcome::{DidNotAnswer, NoLongerKept, NoProgramme, NoneThoughProgramme, RecordFound};
        let since = day("2000-04-01");
        let untils = [None, Some(day("2000-03-31")), Some(since), Some(day("2000-04-02"))];
        let mut seen = 0;
        for (kept_since, answered_without) in [
            (None, [NoProgramme, NoneThoughProgramme, NoneThoughProgramme, NoneThoughProgramme]),
            (Some(since), [NoProgramme, NoLongerKept, NoneThoughProgramme, NoneThoughProgramme]),
        ] {
            for (vaccinated_until, without) in untils.into_iter().zip(answered_without) {
                for (answered, found, expected) in [
                    (true, true, RecordFound),
                    (false, true, RecordFound),
                    (false, false, DidNotAnswer),
                    (true, false, without),
                ] {
                    let facts = SourceFacts { answered, found, vaccinated_until, kept_since };
                    assert_eq!(Outcome::of_source(facts), expected, "{facts:?}");
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, 2 * 2 * 4 * 2);
    }

    /// Every part there can be, for a person with or without a programme.
    fn every_part(had_programme: bool) -> Vec<Part> {
        let mut parts = Vec::new();
        for outcome in Outcome::ALL {
            for of_programme in [false, true] {
                for treats_anybody in [false, true] {
                    let possible = match outcome {
                        Outcome::NoneThoughProgramme | Outcome::NoLongerKept => of_programme,
                        Outcome::NoProgramme => !of_programme,
                        Outcome::RecordFound | Outcome::DidNotAnswer => true,
                    };
                    if possible && (had_programme || !of_programme) {
                        parts.push(Part { outcome, of_programme, treats_anybody });
                    }
                }
            }
        }
        parts
    }

    /// The sum of up to three sources in every combination, against the rules said in another way.
    #[test]
    fn the_sum_in_every_combination() {
        let mut seen = 0;
        for had_programme in [false, true] {
            let every = every_part(had_programme);
            let mut sets: Vec<Vec<Part>> = vec![vec![]];
            for first in &every {
                sets.push(vec![*first]);
                for second in &every {
                    sets.push(vec![*first, *second]);
                    sets.extend(every.iter().map(|third| vec![*first, *second, *third]));
                }
            }
            for parts in sets {
                let sum = Outcome::in_sum(had_programme, &parts);
                let has = |outcome| parts.iter().any(|part| part.outcome == outcome);
                let silent_and_capable = parts.iter().any(|part| {
                    part.outcome == Outcome::DidNotAnswer && (part.of_programme || part.treats_anybody)
                });
                let context = format!("{had_programme} {parts:?}");
                // Each sum claims exactly what it may.
                assert_eq!(sum == Outcome::RecordFound, has(Outcome::RecordFound), "{context}");
                if sum == Outcome::NoneThoughProgramme {
                    assert!(had_programme && !silent_and_capable && !has(Outcome::NoLongerKept), "{context}");
                    assert!(has(Outcome::NoneThoughProgramme), "{context}");
                }
                if sum == Outcome::NoProgramme {
                    assert!(!had_programme && !silent_and_capable, "{context}");
                }
                if sum == Outcome::NoLongerKept {
                    assert!(had_programme && !silent_and_capable && has(Outcome::NoLongerKept), "{context}");
                }
                if sum == Outcome::DidNotAnswer {
                    let nobody_could_know =
                        !has(Outcome::NoneThoughProgramme) && !has(Outcome::NoLongerKept) && had_programme;
                    assert!(silent_and_capable || nobody_could_know, "{context}");
                }
                // The order in which they were asked does not matter.
                let mut reversed = parts.clone();
                reversed.reverse();
                assert_eq!(Outcome::in_sum(had_programme, &reversed), sum, "{context}");
                seen += 1;
            }
        }
        let sets = |n: usize| 1 + n + n * n + n * n * n;
        assert_eq!(seen, sets(every_part(false).len()) + sets(every_part(true).len()));
        assert_eq!((every_part(false).len(), every_part(true).len()), (6, 14));
    }

    #[test]
    fn no_words_say_that_somebody_was_not_vaccinated() {
        for outcome in Outcome::ALL {
            for label in [outcome.label(), outcome.of_source_words(), outcome.in_sum_words()] {
                for wrong in ["未接種", "接種していません", "受けていません", "接種なし"]
                {
                    assert!(!label.ja.contains(wrong), "{}", label.ja);
                }
                let english = label.en.to_lowercase();
                for wrong in ["not vaccinated", "unvaccinated", "no vaccination", "never vaccinated"] {
                    assert!(!english.contains(wrong), "{}", label.en);
                }
                assert!(!label.ja.contains("  ") && !label.en.contains("  "));
            }
        }
        let words: std::collections::BTreeSet<_> =
            Outcome::ALL.iter().map(|outcome| outcome.in_sum_words().ja).collect();
        assert_eq!(words.len(), Outcome::ALL.len(), "five answers in five words");
    }
}
