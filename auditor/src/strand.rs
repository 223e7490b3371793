//! One question of an audit, and what was found.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The most problems that are listed; the rest are counted.
const LISTED: usize = 30;

/// Every question: its name, what is asked in Japanese, and in English.
const ASKED: &str = include_str!("questions.tsv");

/// A question and its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strand {
    /// Its name.
    pub name: String,
    /// What was asked, Japanese and English.
    pub asked: [String; 2],
    /// Whether the answer is as it must be, and everything needed for it was there.
    pub passed: bool,
    /// What was counted.
    pub figures: BTreeMap<String, u64>,
    /// What is wrong.
    pub problems: Vec<String>,
    /// How many problems are not listed.
    pub more_problems: u64,
    /// What was not there, so that the question is not answered.
    pub missing: Vec<String>,
}

impl Strand {
    /// The question of that name.
    pub fn new(name: &str) -> Self {
        let of_name = |line: &'static str| line.strip_prefix(name)?.strip_prefix('\t')?.split_once('\t');
        let (ja, en) = ASKED.lines().find_map(of_name).unwrap_or_default();
        Self { name: name.to_owned(), asked: [ja.to_owned(), en.to_owned()], ..Self::default() }
    }

    /// Counts something.
    pub fn count(&mut self, what: &str, count: u64) {
        let figure = self.figures.entry(what.to_owned()).or_default();
        *figure = figure.saturating_add(count);
    }

    /// What was counted so far.
    pub fn figure(&self, what: &str) -> u64 {
        self.figures.get(what).copied().unwrap_or_default()
    }

    /// Something is wrong.
    pub fn problem(&mut self, problem: impl Into<String>) {
        if self.problems.len() < LISTED {
            self.problems.push(problem.into());
        } else {
            self.more_problems += 1;
        }
    }

    /// Something is wrong unless it is `right`.
    pub fn must(&mut self, right: bool, problem: impl FnOnce() -> String) {
        if !right {
            self.problem(problem());
        }
    }

    /// Takes over what is wrong with a part of what was asked about.
    pub fn blame(&mut self, part: &str, found: &Self) {
        found.problems.iter().for_each(|problem| self.problem(format!("{part}: {problem}")));
        self.more_problems += found.more_problems;
    }

    /// Something is not there.
    pub fn missing(&mut self, what: impl Into<String>) {
        self.missing.push(what.into());
    }

    /// Something is not there unless it is `present`.
    pub fn wants(&mut self, present: bool, what: impl FnOnce() -> String) {
        if !present {
            self.missing(what());
        }
    }

    /// Takes what is there, or notes that it is not.
    pub fn need<T>(&mut self, found: Result<T, String>) -> Option<T> {
        found.map_err(|why| self.missing(why)).ok()
    }

    /// The answer.
    #[must_use]
    pub fn done(mut self) -> Self {
        self.passed = self.problems.is_empty() && self.missing.is_empty() && !self.figures.is_empty();
        self
    }
}

/// For people, line by line.
impl fmt::Display for Strand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  {}", if self.passed { "PASSED " } else { "NOT PASSED" }, self.name)?;
        writeln!(f, "         {}", self.asked.join(" / "))?;
        self.figures.iter().try_for_each(|(what, count)| writeln!(f, "  {count:>12}  {what}"))?;
        self.problems.iter().try_for_each(|problem| writeln!(f, "WRONG    {problem}"))?;
        if self.more_problems > 0 {
            writeln!(f, "WRONG    … and {} more", self.more_problems)?;
        }
        self.missing.iter().try_for_each(|missing| writeln!(f, "MISSING  {missing}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_asked_in_both_languages() {
        for line in ASKED.lines() {
            let parts: Vec<&str> = line.split('\t').collect();
            let [name, ja, en] = parts[..] else { panic!("{line}") };
            assert_eq!(Strand::new(name).asked, [ja, en]);
            assert!(!ja.is_ascii() && en.is_ascii() && ja.ends_with('。') && en.ends_with('?'), "{line}");
        }
        assert_eq!(Strand::new("nonsense").asked, ["", ""]);
    }
}
