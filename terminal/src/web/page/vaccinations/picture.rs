//! The schedule as a picture: a row for every series, its periods as bars over age, doses as marks.

use hibiki_records::date::CalendarDate;
use hibiki_records::schedule::{DosePlan, Plan, State, Window};

use crate::web::Lang;

const LEFT: f64 = 190.0;
const WIDTH: f64 = 900.0;
const RIGHT: f64 = 20.0;
const ROW: f64 = 30.0;
const TOP: f64 = 44.0;
const DAYS_PER_YEAR: f64 = 365.25;

/// The picture. Everything in it stands in the tables below it, too.
pub(super) struct Picture {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) ticks: Vec<Tick>,
    pub(super) rows: Vec<Row>,
    /// Where today is.
    pub(super) today: f64,
    pub(super) bottom: f64,
}

/// A line of the age axis.
pub(super) struct Tick {
    pub(super) x: f64,
    pub(super) label: String,
}

/// A series.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) text_y: f64,
    pub(super) bars: Vec<Bar>,
    pub(super) marks: Vec<Mark>,
}

/// A period.
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) width: f64,
    pub(super) y: f64,
    pub(super) height: f64,
    /// `legal` or `recommended`.
    pub(super) class: &'static str,
}

/// A dose.
pub(super) struct Mark {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) class: &'static str,
    pub(super) sign: &'static str,
}

/// Ages drawn, in days from birth.
struct Scale {
    birth: CalendarDate,
    last: f64,
}

impl Scale {
    fn x(&self, day: CalendarDate) -> f64 {
        let age = f64::from(day.days_since(self.birth)).clamp(0.0, self.last);
        round(LEFT + age / self.last * (WIDTH - LEFT - RIGHT))
    }
}

/// Tenths of a pixel are enough.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl Picture {
    /// `None` where there is nothing to draw.
    pub(super) fn new(plan: &Plan, birth: CalendarDate, today: CalendarDate, lang: Lang) -> Option<Self> {
        let age = f64::from(today.days_since(birth).max(0)) / DAYS_PER_YEAR;
        // As far as the next years matter: the first three years month by month, later the whole programme.
        let years = if age < 2.0 {
            3.0
        } else if age < 6.0 {
            8.0
        } else {
            17.0
        };
        let scale = Scale { birth, last: years * DAYS_PER_YEAR };
        let end = birth.plus_days((scale.last) as i32)?;
        let mut rows = Vec::new();
        for series in plan.series.iter().filter(|series| series.routine) {
            let y = TOP + ROW * rows.len() as f64;
            let drawn = |window: &&Window| window.first <= end && window.last >= birth;
            let legal = series.doses.iter().flat_map(|dose| &dose.legal).filter(drawn);
            let usual = series.doses.iter().filter_map(|dose| dose.recommended.as_ref()).filter(drawn);
            let mut bars: Vec<Bar> = legal.map(|it| bar(&scale, *it, y + 9.0, 12.0, "legal")).collect();
            bars.dedup_by(|one, other| one.x == other.x && one.width == other.width);
            bars.extend(usual.map(|it| bar(&scale, *it, y + 11.0, 8.0, "recommended")));
            let marks = series.doses.iter().filter_map(|dose| mark(&scale, dose, today, end, y + 15.0));
            let extra = series.extra.iter().filter(|it| it.day.day <= end).map(|it| Mark {
                x: scale.x(it.day.day),
                y: y + 15.0,
                class: "done",
                sign: "✓",
            });
            let marks: Vec<Mark> = marks.chain(extra).collect();
            if bars.is_empty() && marks.is_empty() {
                continue;
            }
            rows.push(Row { name: lang.label(series.label), text_y: y + 20.0, bars, marks });
        }
        if rows.is_empty() {
            return None;
        }
        let bottom = TOP + ROW * rows.len() as f64;
        Some(Self {
            width: WIDTH,
            height: bottom + 14.0,
            ticks: ticks(&scale, years, lang),
            rows,
            today: scale.x(today),
            bottom,
        })
    }
}

fn bar(scale: &Scale, window: Window, y: f64, height: f64, class: &'static str) -> Bar {
    let x = scale.x(window.first);
    Bar { x, width: round((scale.x(window.last) - x).max(2.0)), y, height, class }
}

fn mark(scale: &Scale, dose: &DosePlan, today: CalendarDate, end: CalendarDate, y: f64) -> Option<Mark> {
    let (day, class, sign) = match &dose.state {
        State::Received(received) => (received.day.day, "done", "✓"),
        State::Due { .. } | State::Possible { .. } => (today, "due", "●"),
        State::Overdue { .. } => (today, "overdue", "！"),
        State::NotYet { from, .. } => (*from, "later", "○"),
        _ => return None,
    };
    (day <= end).then(|| Mark { x: scale.x(day), y, class, sign })
}

fn ticks(scale: &Scale, years: f64, lang: Lang) -> Vec<Tick> {
    let step = if years <= 3.0 {
        3
    } else if years <= 8.0 {
        12
    } else {
        24
    };
    let months = (years * 12.0) as i32;
    (0..=months)
        .step_by(step)
        .filter_map(|month| {
            let day = scale.birth.plus_days((f64::from(month) * DAYS_PER_YEAR / 12.0).round() as i32)?;
            let label = match (month % 12, lang) {
                (0, Lang::Ja) => format!("{}歳", month / 12),
                (0, Lang::En) => format!("{} y", month / 12),
                (_, Lang::Ja) => format!("{month}か月"),
                (_, Lang::En) => format!("{month} m"),
            };
            Some(Tick { x: scale.x(day), label })
        })
        .collect()
}
