//! The plan as a picture: a row for every series, its periods as bars over age, its doses as marks.
//!
//! Owns the layout. The names of the rows are a drawing of their own, so that they can stay in sight while the
//! rest is moved. Everything drawn is also said in the tables of the page.

use hibiki_records::date::CalendarDate;
use hibiki_records::schedule::{DosePlan, Plan, Received, SeriesPlan, State, Window};

use super::age_axis::{AgeAxis, Tick, tenths};
use crate::web::Lang;

/// Widths of the drawing with the names, Japanese and English, and of the one with periods and doses. The style
/// sheet shares the page's width out by the same numbers.
const NAMES_WIDTH: (f64, f64) = (125.0, 165.0);
const WIDTH: f64 = 830.0;
const MARGIN: f64 = 22.0;
const ROW: f64 = 34.0;
const TOP: f64 = 50.0;
/// Two marks of a row are this far apart at least.
const MARKS_APART: f64 = 15.0;

/// The picture.
pub(super) struct Picture {
    pub(super) names_width: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) ticks: Vec<Tick>,
    pub(super) rows: Vec<Row>,
    /// Where today is.
    pub(super) today: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    /// Series of which nothing lies within the ages drawn.
    pub(super) beyond: Vec<&'static str>,
    /// All of it in words.
    pub(super) said: String,
}

/// A series.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) top: f64,
    pub(super) height: f64,
    pub(super) middle: f64,
    /// Every second row has a ground of its own.
    pub(super) shaded: bool,
    pub(super) bars: Vec<Bar>,
    pub(super) marks: Vec<Mark>,
}

/// A period.
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// `legal` or `recommended`.
    pub(super) class: &'static str,
}

/// A dose.
pub(super) struct Mark {
    pub(super) x: f64,
    /// `done`, `due`, `overdue` or `later`.
    pub(super) class: &'static str,
    /// Which dose, and how it stands.
    pub(super) said: String,
}

impl Picture {
    /// `None` where there is nothing to draw.
    pub(super) fn new(plan: &Plan, birth: CalendarDate, today: CalendarDate, lang: Lang) -> Option<Self> {
        let axis = AgeAxis::new(birth, today, MARGIN, WIDTH - MARGIN);
        let mut rows: Vec<Row> = Vec::new();
        let (mut beyond, mut said) = (Vec::new(), Vec::new());
        let mut top = TOP;
        for series in &plan.series {
            let middle = top + ROW / 2.0;
            let (bars, marks) = (bars(series, &axis, birth, middle), marks(series, &axis, today, lang));
            if bars.is_empty() && marks.is_empty() {
                beyond.push(lang.label(series.label));
                continue;
            }
            said.push(in_words(series, &marks, lang));
            let (name, shaded) = (short(lang.label(series.label)), rows.len() % 2 == 1);
            rows.push(Row { name, top, height: ROW, middle, shaded, bars, marks });
            top += ROW;
        }
        let drawn = !rows.is_empty();
        drawn.then(|| Self {
            names_width: match lang {
                Lang::Ja => NAMES_WIDTH.0,
                Lang::En => NAMES_WIDTH.1,
            },
            width: WIDTH,
            height: top + 6.0,
            ticks: axis.ticks(lang),
            rows,
            today: axis.x(today),
            top: TOP,
            bottom: top,
            beyond,
            said: said.concat(),
        })
    }
}

/// What stands before the explanation in brackets.
fn short(name: &'static str) -> &'static str {
    name.split('(').next().map_or(name, str::trim_end)
}

fn bars(series: &SeriesPlan, axis: &AgeAxis, birth: CalendarDate, middle: f64) -> Vec<Bar> {
    let needed = || series.doses.iter().filter(|dose| !matches!(dose.state, State::NotNeeded { .. }));
    let legal = needed().flat_map(|dose| &dose.legal).copied();
    let usual = needed().filter_map(|dose| dose.recommended);
    let of_class = |windows: Vec<Window>, class, height: f64| {
        let mut windows: Vec<Window> =
            windows.into_iter().filter(|it| axis.reaches(it.first) && it.last >= birth).collect();
        windows.sort();
        windows.dedup();
        let bar = move |window: &Window| {
            let x = axis.x(window.first);
            let width = tenths((axis.x(window.last) - x).max(3.0));
            Bar { x, y: middle - height / 2.0, width, height, class }
        };
        windows.iter().map(bar).collect::<Vec<Bar>>()
    };
    let mut bars = of_class(legal.collect(), "legal", 18.0);
    bars.extend(of_class(usual.collect(), "recommended", 10.0));
    bars
}

fn marks(series: &SeriesPlan, axis: &AgeAxis, today: CalendarDate, lang: Lang) -> Vec<Mark> {
    let further = lang.t("そのほかの接種", "A further dose");
    let doses = series.doses.iter().filter_map(|dose| mark(dose, today, lang));
    let extra = series
        .extra
        .iter()
        .map(|received| (received.day.day, "done", received_words(further, received, lang)));
    let mut marks: Vec<(CalendarDate, &'static str, String)> =
        doses.chain(extra).filter(|(day, ..)| axis.reaches(*day)).collect();
    marks.sort_by_key(|(day, ..)| *day);
    let mut free_from = MARGIN;
    let placed = marks.into_iter().map(|(day, class, said)| {
        let x = axis.x(day).max(free_from).min(WIDTH - 9.0);
        free_from = x + MARKS_APART;
        Mark { x: tenths(x), class, said }
    });
    placed.collect()
}

fn mark(dose: &DosePlan, today: CalendarDate, lang: Lang) -> Option<(CalendarDate, &'static str, String)> {
    let label = lang.label(dose.label);
    let (day, class) = match &dose.state {
        State::Received(received) => {
            return Some((received.day.day, "done", received_words(label, received, lang)));
        }
        State::Due { .. } | State::Possible { .. } => (today, "due"),
        State::Overdue { .. } => (today, "overdue"),
        State::NotYet { from, .. } => (*from, "later"),
        State::Closed { .. } | State::NotNeeded { .. } | State::Unrecorded => return None,
    };
    let said = format!("{label}{}{}", lang.t("：", ": "), lang.summary(&dose.sentence()));
    Some((day, class, said))
}

fn received_words(label: &str, received: &Received, lang: Lang) -> String {
    format!("{label}{}{}", lang.t("：", ": "), lang.summary(&received.what()))
}

/// A row for whoever cannot see it.
fn in_words(series: &SeriesPlan, marks: &[Mark], lang: Lang) -> String {
    let kinds = [
        ("done", lang.t("接種済み", "received")),
        ("due", lang.t("いま受けられます", "possible now")),
        ("overdue", lang.t("まだ間に合います", "still in time")),
        ("later", lang.t("これから", "later")),
    ];
    let counted = kinds.iter().filter_map(|(class, words)| {
        let count = marks.iter().filter(|mark| mark.class == *class).count();
        let words = match lang {
            Lang::Ja => format!("{words}{count}回"),
            Lang::En => format!("{count} {words}"),
        };
        (count > 0).then_some(words)
    });
    let counted: Vec<String> = counted.collect();
    let counted = if counted.is_empty() {
        lang.t("印なし", "no mark").to_owned()
    } else {
        counted.join(lang.t("、", ", "))
    };
    match lang {
        Lang::Ja => format!("{}は{counted}。", short(lang.label(series.label))),
        Lang::En => format!("{}: {counted}. ", short(lang.label(series.label))),
    }
}
