//! The answer of all institutions asked, as it is shown and printed on one sheet for the counter.
//!
//! Must not know markup, nor how anybody was asked.

use std::fmt;

use super::advice::{self, Advice, NOT_A_DIAGNOSIS, Situation};
use super::cohort::Cohort;
use super::evidence::{self, Evidence};
use super::holder::HolderKind;
use super::outcome::{Outcome, Part, SourceFacts};
use crate::category::Label;
use crate::date::CalendarDate;
use crate::person::Sex;
use crate::words::Summary;

/// Who asks, as the registry attests.
#[derive(Clone, Copy)]
pub struct Person {
    /// Birth date.
    pub birth: CalendarDate,
    /// Sex.
    pub sex: Sex,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(***)")
    }
}

/// What one institution said.
#[derive(Clone)]
pub enum Reply {
    /// It answered, with data or with nothing to show.
    Answered {
        /// The rubella evidence among its records.
        evidence: Vec<Evidence>,
        /// First day from which it keeps records of vaccinations, as it publishes to everybody; `None` without a
        /// statement.
        kept_since: Option<CalendarDate>,
    },
    /// It did not answer, for whatever reason, or was not asked.
    Silent,
}

impl Reply {
    /// The reply of an institution that answered with these records: the verbatim content of every FHIR record
    /// it sent.
    pub fn answered<'a>(
        contents: impl IntoIterator<Item = &'a [u8]>,
        kept_since: Option<CalendarDate>,
    ) -> Self {
        Self::Answered { evidence: contents.into_iter().flat_map(evidence::find).collect(), kept_since }
    }
}

/// One institution and its reply.
#[derive(Clone)]
pub struct Source {
    /// Its name, Japanese and English.
    pub name: (String, String),
    /// Its kind.
    pub kind: HolderKind,
    /// What it said.
    pub reply: Reply,
}

/// One line of the sheet.
pub struct Row {
    /// Its name, Japanese and English.
    pub name: (String, String),
    /// Its kind.
    pub kind: HolderKind,
    /// One of the five answers.
    pub outcome: Outcome,
    /// How much of the time in question its records cover.
    pub kept: Kept,
    /// What was found there, oldest first; what has no date, last.
    pub evidence: Vec<Evidence>,
}

/// How much of the time in which this person could have been vaccinated an institution still keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It did not answer, or no programme's record could be there: the question does not arise.
    NotAsked,
    /// It makes no statement.
    Unstated,
    /// All of it.
    All,
    /// The part from this day on.
    From(CalendarDate),
    /// Nothing before this day, and so nothing of it.
    Nothing(CalendarDate),
}

/// The whole sheet. Contains personal data: `Debug` prints `***`.
pub struct Sheet {
    /// When the institutions were asked, in milliseconds since the Unix epoch.
    pub asked_at: u64,
    /// Who asked.
    pub person: Person,
    /// Her cohort, with its explanation.
    pub cohort: &'static Cohort,
    /// One of the five answers, in sum.
    pub outcome: Outcome,
    /// Every institution, in the order given.
    pub rows: Vec<Row>,
    /// Kinds of place where a record may lie, whether or not they belong to the federation.
    pub places: Vec<HolderKind>,
    /// Whether the 母子健康手帳 may tell.
    pub handbook: bool,
    /// What to do next.
    pub next: Vec<Advice>,
}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sheet(***)")
    }
}

impl Sheet {
    /// The title of the sheet.
    pub const TITLE: Label = Label {
        ja: "風しんの予防接種・抗体検査の記録",
        en: "Records of rubella vaccination and antibodies",
    };
    /// Stands under it.
    pub const NOT_A_DIAGNOSIS: Label = NOT_A_DIAGNOSIS;

    /// Puts the sheet together. `asked_at` is in milliseconds since the Unix epoch; `today` is the day in Japan
    /// on which it is read.
    pub fn new(person: Person, sources: Vec<Source>, asked_at: u64, today: CalendarDate) -> Self {
        let cohort = Cohort::of(person.birth, person.sex);
        let rows: Vec<Row> =
            sources.into_iter().map(|source| Row::new(cohort, person.birth, source)).collect();
        let parts: Vec<Part> = rows
            .iter()
            .map(|row| Part {
                outcome: row.outcome,
                of_programme: cohort.vaccinated_until(person.birth, row.kind).is_some(),
                treats_anybody: row.kind.treats_anybody(),
            })
            .collect();
        let outcome = Outcome::in_sum(cohort.had_programme(person.birth), &parts);
        let found: Vec<&Evidence> = rows.iter().flat_map(|row| &row.evidence).collect();
        let situation =
            Situation { cohort, birth: person.birth, sex: person.sex, outcome, evidence: &found, today };
        let next = advice::next_steps(&situation);
        let places = cohort.places(person.birth);
        let handbook = cohort.in_the_handbook(person.birth);
        Self { asked_at, person, cohort, outcome, rows, places, handbook, next }
    }
}

impl Row {
    fn new(cohort: &Cohort, birth: CalendarDate, source: Source) -> Self {
        let Source { name, kind, reply } = source;
        let (answered, mut evidence, kept_since) = match reply {
            Reply::Answered { evidence, kept_since } => (true, evidence, kept_since),
            Reply::Silent => (false, Vec::new(), None),
        };
        evidence.sort_by_key(|evidence| {
            let day = evidence.when.as_ref().and_then(evidence::When::day);
            (day.is_none(), day)
        });
        let vaccinated_until = cohort.vaccinated_until(birth, kind);
        let outcome = Outcome::of_source(SourceFacts {
            answered,
            found: !evidence.is_empty(),
            vaccinated_until,
            kept_since,
        });
        let kept = match (answered, cohort.vaccinated_from(birth, kind), vaccinated_until, kept_since) {
            (true, Some(_), Some(_), None) => Kept::Unstated,
            (true, Some(_), Some(until), Some(since)) if until < since => Kept::Nothing(since),
            (true, Some(from), Some(_), Some(since)) if from < since => Kept::From(since),
            (true, Some(_), Some(_), Some(_)) => Kept::All,
            _ => Kept::NotAsked,
        };
        Self { name, kind, outcome, kept, evidence }
    }

    /// What to write beside the outcome about retention; nothing where the question does not arise or everything
    /// is kept.
    pub fn kept_words(&self) -> Option<Summary> {
        use crate::date::wareki::format_long;
        match self.kept {
            Kept::NotAsked | Kept::All => None,
            Kept::Unstated => Some(Summary::new(
                "保存期間の表示なし(古い記録は処分されていることがあります)",
                "No retention period stated; old records may have been disposed of",
            )),
            Kept::From(day) | Kept::Nothing(day) => Some(Summary::new(
                format!("保存されているのは{}以降の記録です", format_long(day)),
                format!("Records are kept from {day} on"),
            )),
        }
    }
}

#[cfg(test)]
mod tests;
