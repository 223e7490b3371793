//! A series in a table: every dose with its state, its periods, the records that tell of it and its rule.

use hibiki_records::category::Label;
use hibiki_records::schedule::{DosePlan, Note, Received, SeriesPlan, State};

use super::landed::{Landed, Source};
use super::periods::{Period, periods};
use crate::web::Lang;

/// A series of the plan.
pub(super) struct Series {
    pub(super) name: &'static str,
    /// How far it has come: `3回のうち2回の記録があります`.
    pub(super) count: String,
    pub(super) complete: bool,
    /// Why it has this number of doses; empty where there is nothing to say.
    pub(super) course: &'static str,
    pub(super) note: &'static str,
    /// What to do about doses whose period is over without a record.
    pub(super) advice: &'static str,
    /// Where its rules stand.
    pub(super) source: &'static str,
    pub(super) doses: Vec<Dose>,
}

/// A dose of it.
pub(super) struct Dose {
    pub(super) label: &'static str,
    /// Class of its tag.
    pub(super) class: &'static str,
    pub(super) tag: &'static str,
    pub(super) said: String,
    /// What is to be known about a dose that was given.
    pub(super) remarks: Vec<String>,
    pub(super) periods: Vec<Period>,
    pub(super) sources: Vec<Source>,
    /// No institution tells of it, though it was the time for it.
    pub(super) missing: bool,
    /// The rule in words; empty for a dose that no rule provides for.
    pub(super) rule: String,
}

impl Series {
    pub(super) fn new(series: &SeriesPlan, landed: &Landed<'_>, lang: Lang) -> Self {
        let optional = |label: Option<Label>| label.map(|label| lang.label(label)).unwrap_or_default();
        let further = lang.t("そのほかの接種", "A further dose");
        let extra = series.extra.iter().map(|received| Dose {
            rule: String::new(),
            ..received_dose(further, received, Vec::new(), landed, lang)
        });
        let doses: Vec<Dose> = series.doses.iter().map(|it| dose(it, landed, lang)).chain(extra).collect();
        // A dose that is not needed mostly says why by the same words.
        let course = optional(series.course);
        let said_already = doses.iter().any(|dose| dose.said == course);
        Self {
            name: lang.label(series.label),
            count: count(series, lang),
            complete: series.is_complete(),
            course: if said_already { "" } else { course },
            note: optional(series.note),
            advice: optional(series.advice()),
            source: lang.label(series.source),
            doses,
        }
    }
}

fn count(series: &SeriesPlan, lang: Lang) -> String {
    let needed = series.doses.iter().filter(|dose| !matches!(dose.state, State::NotNeeded { .. })).count();
    let received = series.doses.iter().filter(|dose| dose.state.received().is_some()).count();
    match lang {
        _ if !series.routine => String::new(),
        Lang::Ja => format!("{needed}回のうち{received}回の記録があります"),
        Lang::En => format!("{received} of {needed} doses on record"),
    }
}

fn dose(dose: &DosePlan, landed: &Landed<'_>, lang: Lang) -> Dose {
    let label = lang.label(dose.label);
    let rule = lang.summary(&dose.rule).to_owned();
    if let State::Received(received) = &dose.state {
        return Dose { rule, ..received_dose(label, received, periods(dose, lang), landed, lang) };
    }
    let needed = !matches!(dose.state, State::NotNeeded { .. });
    Dose {
        label,
        class: class(&dose.state),
        tag: lang.label(dose.state.label()),
        said: lang.summary(&dose.sentence()).to_owned(),
        remarks: Vec::new(),
        periods: if needed { periods(dose, lang) } else { Vec::new() },
        sources: Vec::new(),
        missing: needed && !matches!(dose.state, State::NotYet { .. }),
        rule,
    }
}

fn received_dose(
    label: &'static str,
    received: &Received,
    periods: Vec<Period>,
    landed: &Landed<'_>,
    lang: Lang,
) -> Dose {
    let remark = |note: &Note| lang.summary(&note.words()).to_owned();
    Dose {
        label,
        class: "done",
        tag: lang.t("接種済み", "Received"),
        said: lang.summary(&received.what()).to_owned(),
        remarks: received.notes.iter().map(remark).collect(),
        periods,
        sources: landed.sources(&received.sources),
        missing: false,
        rule: String::new(),
    }
}

/// Class of a state's tag.
fn class(state: &State) -> &'static str {
    match state {
        State::Received(_) => "done",
        State::Due { .. } | State::Possible { .. } => "due",
        State::Overdue { .. } => "overdue",
        State::NotYet { .. } => "later",
        State::Closed { .. } | State::Unrecorded => "closed",
        State::NotNeeded { .. } => "not-needed",
    }
}
