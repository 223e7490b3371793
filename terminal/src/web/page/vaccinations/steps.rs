//! What to do next: the next dose of every series, the most urgent first.

use hibiki_records::date::CalendarDate;
use hibiki_records::schedule::{self, DosePlan, Plan, State, Step, Timing};

use super::periods::{Period, periods};
use crate::web::Lang;

/// Days before the last day of a period from which on they are counted aloud.
const COUNTED_DAYS: i32 = 60;

/// The steps, or why there are none.
pub(super) struct Next {
    pub(super) steps: Vec<NextStep>,
    /// What to heed between injected live vaccines; empty where nothing.
    pub(super) live_gap: String,
    /// How all of it stands, where nothing can be done today.
    pub(super) said: &'static str,
    /// Doses that no institution told of are among what is over.
    pub(super) missing: bool,
}

/// One of them.
pub(super) struct NextStep {
    pub(super) name: String,
    pub(super) class: &'static str,
    pub(super) tag: &'static str,
    /// How many days are left, where they are few; else empty.
    pub(super) left: String,
    pub(super) said: String,
    pub(super) periods: Vec<Period>,
}

impl Next {
    pub(super) fn new(plan: &Plan, today: CalendarDate, lang: Lang) -> Self {
        let steps = schedule::next(plan, today);
        let live_gap = schedule::live_gap_words(&steps);
        let missing = plan
            .series
            .iter()
            .filter(|series| series.routine)
            .flat_map(|series| &series.doses)
            .any(|dose| matches!(dose.state, State::Closed { .. } | State::Unrecorded));
        let routine = plan.series.iter().any(|series| series.routine);
        let said = match (steps.is_empty(), steps.iter().any(|step| step.timing != Timing::Later)) {
            (false, true) => "",
            (false, false) => lang.t(
                "いますぐ受けるものはありません。次は、下の時期になったらで大丈夫です。",
                "Nothing has to be done today. The next ones can wait until the days below.",
            ),
            (true, _) if !routine => lang.t(
                "生年月日から見て、対象になる定期接種はありません。",
                "By the birth date, the routine programme provides for nothing.",
            ),
            (true, _) if missing => lang.t(
                "いま受けられる定期接種も、これからの定期接種もありません。",
                "No routine vaccination is open or still to come.",
            ),
            (true, _) => lang.t(
                "定期接種は、すべて済んでいます。ここまで、おつかれさまでした。",
                "Every routine vaccination is done. You have come all the way: well done.",
            ),
        };
        Self {
            steps: steps.iter().map(|step| next_step(plan, step, today, lang)).collect(),
            live_gap: live_gap.map(|words| lang.summary(&words).to_owned()).unwrap_or_default(),
            said,
            missing,
        }
    }
}

fn next_step(plan: &Plan, step: &Step, today: CalendarDate, lang: Lang) -> NextStep {
    let series = plan.series.iter().find(|series| series.id == step.series);
    let dose: Option<&DosePlan> =
        series.and_then(|series| series.doses.iter().find(|dose| dose.key == step.dose));
    let left = step.until.days_since(today);
    let counted = step.timing != Timing::Later && left <= COUNTED_DAYS;
    NextStep {
        name: format!("{} {}", lang.label(step.series_label), lang.label(step.dose_label)),
        class: match step.timing {
            Timing::Late => "overdue",
            Timing::Now | Timing::Early => "due",
            Timing::Later => "later",
        },
        tag: lang.label(step.timing.label()),
        left: match (counted, left, lang) {
            (false, ..) => String::new(),
            (true, ..=0, Lang::Ja) => "今日までです".to_owned(),
            (true, ..=0, Lang::En) => "today is the last day".to_owned(),
            (true, _, Lang::Ja) => format!("あと{left}日です"),
            (true, _, Lang::En) => format!("{left} days left"),
        },
        said: lang.summary(&dose.map_or_else(|| step.sentence(), DosePlan::sentence)).to_owned(),
        periods: dose.map(|dose| periods(dose, lang)).unwrap_or_default(),
    }
}
