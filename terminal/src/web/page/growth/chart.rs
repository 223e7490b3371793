//! One chart: percentile curves of a reference and a child's points over age.

use hibiki_records::growth::{Kind, Series};

use crate::web::Lang;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 46.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 40.0;
/// Lines of the value axis, about.
const VALUE_TICKS: f64 = 7.0;

/// A chart, in units of its own picture.
pub(super) struct Chart {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) months: Vec<Tick>,
    pub(super) values: Vec<Tick>,
    /// Areas between the outer curves, the widest first.
    pub(super) bands: Vec<Area>,
    pub(super) curves: Vec<Line>,
    /// The child's points, joined.
    pub(super) path: String,
    pub(super) points: Vec<Point>,
}

/// A line of an axis, and what stands beside it.
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// An area between two curves.
pub(super) struct Area {
    pub(super) d: String,
}

/// A percentile.
pub(super) struct Line {
    pub(super) d: String,
    pub(super) label: String,
    pub(super) label_x: f64,
    pub(super) label_y: f64,
    pub(super) median: bool,
}

/// A measurement.
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

struct Scale {
    months: f64,
    from: f64,
    to: f64,
}

impl Scale {
    fn x(&self, months: f64) -> f64 {
        round(LEFT + months / self.months * (WIDTH - LEFT - RIGHT))
    }

    fn y(&self, value: f64) -> f64 {
        round(TOP + (self.to - value) / (self.to - self.from) * (HEIGHT - TOP - BOTTOM))
    }
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The ages a chart shows, in months: as far as the child is, and some more.
fn range(latest: f64) -> f64 {
    [12.0, 24.0, 36.0, 78.0, 156.0].into_iter().find(|range| latest <= range * 0.95).unwrap_or(228.0)
}

/// A round step that makes about [`VALUE_TICKS`] of a span.
fn step(span: f64) -> f64 {
    let rough = span / VALUE_TICKS;
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= rough).unwrap_or(power)
}

impl Chart {
    /// `None` where there is no point to draw.
    pub(super) fn new(series: &Series, lang: Lang) -> Option<Self> {
        let points: Vec<(f64, f64)> = series.points().map(|(entry, value)| (entry.months(), value)).collect();
        let latest = points.iter().map(|(months, _)| *months).fold(f64::NEG_INFINITY, f64::max);
        if points.is_empty() {
            return None;
        }
        let months = range(latest);
        let within = |at: f64| at <= months;
        let curves = series.curves.iter().map(|curve| {
            let points = curve.points.iter().filter(|point| within(point.months));
            (curve.percentile, points.map(|point| (point.months, point.value)).collect::<Vec<_>>())
        });
        let curves: Vec<(u8, Vec<(f64, f64)>)> = curves.filter(|(_, points)| points.len() > 1).collect();
        let all = || curves.iter().flat_map(|(_, points)| points).chain(&points).map(|(_, value)| *value);
        let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
        let step = step((high - low).max(1.0));
        let scale = Scale {
            months,
            from: (low / step).floor() * step,
            to: ((high / step).ceil() * step).max(low + step),
        };
        let lines = curves.iter().filter_map(|(percentile, points)| line(&scale, *percentile, points));
        let pairs = curves.iter().zip(curves.iter().rev()).take(curves.len() / 2);
        Some(Self {
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH - RIGHT,
            top: TOP,
            bottom: HEIGHT - BOTTOM,
            months: month_ticks(&scale, lang),
            values: value_ticks(&scale, step, series.kind),
            bands: pairs.map(|((_, low), (_, high))| area(&scale, low, high)).collect(),
            curves: lines.collect(),
            path: path(&scale, &points),
            points: points.iter().map(|(at, value)| Point { x: scale.x(*at), y: scale.y(*value) }).collect(),
        })
    }
}

fn path(scale: &Scale, points: &[(f64, f64)]) -> String {
    let place = |(at, value): &(f64, f64)| format!("{} {}", scale.x(*at), scale.y(*value));
    points.iter().map(place).collect::<Vec<_>>().join(" L ")
}

fn line(scale: &Scale, percentile: u8, points: &[(f64, f64)]) -> Option<Line> {
    let (at, value) = points.last()?;
    Some(Line {
        d: path(scale, points),
        label: percentile.to_string(),
        label_x: scale.x(*at) + 4.0,
        label_y: scale.y(*value) + 4.0,
        median: percentile == 50,
    })
}

fn area(scale: &Scale, low: &[(f64, f64)], high: &[(f64, f64)]) -> Area {
    let back: Vec<(f64, f64)> = high.iter().rev().copied().collect();
    Area { d: format!("{} L {}", path(scale, low), path(scale, &back)) }
}

fn month_ticks(scale: &Scale, lang: Lang) -> Vec<Tick> {
    let step = match scale.months {
        ..=12.0 => 1,
        ..=24.0 => 3,
        ..=36.0 => 6,
        _ => 12,
    };
    let label = |month: u32| match (month % 12, lang) {
        (0, Lang::Ja) => format!("{}歳", month / 12),
        (0, Lang::En) => format!("{} y", month / 12),
        (_, Lang::Ja) => format!("{month}か月"),
        (_, Lang::En) => format!("{month} m"),
    };
    let last = scale.months as u32;
    (0..=last)
        .step_by(step)
        .map(|month| Tick { at: scale.x(f64::from(month)), label: label(month) })
        .collect()
}

fn value_ticks(scale: &Scale, step: f64, kind: Kind) -> Vec<Tick> {
    let count = ((scale.to - scale.from) / step).round() as u32;
    let label = |value: f64| if step < 1.0 { format!("{value:.1}") } else { format!("{value:.0}") };
    (0..=count)
        .map(|number| {
            let value = scale.from + f64::from(number) * step;
            let unit = if number == count { format!(" {}", kind.unit()) } else { String::new() };
            Tick { at: scale.y(value), label: format!("{}{unit}", label(value)) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_ranges_leave_room() {
        for (span, expected) in [(7.0, 1.0), (60.0, 10.0), (12.0, 2.0), (0.9, 0.2), (140.0, 20.0)] {
            assert!((step(span) - expected).abs() < 1e-9, "{span}: {}", step(span));
        }
        assert!((range(0.0) - 12.0).abs() < 1e-9 && (range(11.9) - 24.0).abs() < 1e-9);
        assert!(range(1e9) > 200.0);
    }
}
