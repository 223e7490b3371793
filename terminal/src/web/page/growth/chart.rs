//! One chart: percentile curves of a reference and a child's points over age.

use std::collections::BTreeSet;

use hibiki_records::date::CalendarDate;
use hibiki_records::growth::{CurvePoint, Entry, Series};

use super::scale::{BOTTOM, HEIGHT, LEFT, RIGHT, Scale, TOP, Tick, WIDTH, last_age};
use crate::web::Lang;

/// Least distance between the labels of two curves.
const LABEL_GAP: f64 = 12.5;

/// A chart, in units of its own picture.
pub(super) struct Chart {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) ages: Vec<Tick>,
    pub(super) values: Vec<Tick>,
    /// What values are measured in.
    pub(super) unit: &'static str,
    /// Outlines of the areas between a low and a high percentile, the widest first.
    pub(super) bands: Vec<String>,
    pub(super) curves: Vec<Line>,
    /// The child's points in no doubt, joined.
    pub(super) path: String,
    pub(super) points: Vec<Point>,
    /// There are points at an age the curves do not reach.
    pub(super) past_curves: bool,
    left_out: BTreeSet<usize>,
}

/// A percentile.
pub(super) struct Line {
    pub(super) d: String,
    pub(super) percentile: u8,
    pub(super) label_x: f64,
    pub(super) label_y: f64,
    pub(super) median: bool,
    /// Left unlabelled where there is little room.
    pub(super) minor: bool,
}

/// A measurement.
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    /// Whether its value should be checked; such a point is joined to no other.
    pub(super) doubtful: bool,
    /// What is said when the pointer rests on it.
    pub(super) said: String,
}

/// A point of a polyline: months and value.
type Place = (f64, f64);

impl Chart {
    /// `None` where there is no point to draw. `said` names a point.
    pub(super) fn new(
        series: &Series,
        today: Option<CalendarDate>,
        lang: Lang,
        said: impl Fn(&Entry) -> String,
    ) -> Option<Self> {
        let all: Vec<(&Entry, f64)> = series.points().collect();
        let places = |counts: &dyn Fn(&Entry) -> bool| -> Vec<Place> {
            let counted = all.iter().filter(|(entry, _)| counts(entry));
            counted.map(|(entry, value)| (entry.months(), *value)).collect()
        };
        // A slip of the pen or of the year must not press everything else flat.
        let sound = places(&|entry| entry.doubt.is_none());
        let of_now = places(&|entry| entry.doubt.is_none() && today.is_none_or(|today| entry.date <= today));
        let places =
            [of_now, sound.clone(), places(&|_| true)].into_iter().find(|places| !places.is_empty())?;
        let months = last_age(places.iter().map(|(at, _)| *at).reduce(f64::max)?);
        let drawn = |points: &[CurvePoint]| {
            let points: Vec<Place> = points.iter().map(|point| (point.months, point.value)).collect();
            until(&points, months)
        };
        let curves: Vec<(u8, Vec<Place>)> = series
            .curves
            .iter()
            .map(|curve| (curve.percentile, drawn(&curve.points)))
            .filter(|(_, points)| points.len() > 1)
            .collect();
        let of_curves = || curves.iter().flat_map(|(_, points)| points).map(|(_, value)| *value);
        let within = places.iter().filter(|(at, _)| *at <= months).map(|(_, value)| *value);
        let values: Vec<f64> = of_curves().chain(within).collect();
        let (low, high) =
            (values.iter().copied().reduce(f64::min)?, values.iter().copied().reduce(f64::max)?);
        let scale = Scale::new(months, low, high);
        let shown = |at: f64, value: f64| scale.shows(at, value);
        let (drawn, left_out): (Vec<_>, Vec<_>) =
            all.iter().partition(|(entry, value)| shown(entry.months(), *value));
        let point = |(entry, value): &(&Entry, f64)| Point {
            x: scale.x(entry.months()),
            y: scale.y(*value),
            doubtful: entry.doubt.is_some(),
            said: said(entry),
        };
        let joined: Vec<Place> = sound.iter().copied().filter(|(at, value)| shown(*at, *value)).collect();
        let reach = curves.iter().filter_map(|(_, points)| points.last()).map(|(at, _)| *at).reduce(f64::max);
        Some(Self {
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: RIGHT,
            top: TOP,
            bottom: BOTTOM,
            ages: scale.ages(lang),
            values: scale.values(),
            unit: series.kind.unit(),
            bands: bands(&scale, &curves),
            past_curves: reach.is_some_and(|reach| joined.iter().any(|(at, _)| *at > reach + 1.0)),
            curves: lines(&scale, &curves),
            path: path(&scale, &joined),
            points: drawn.iter().map(point).collect(),
            left_out: left_out.iter().map(|(entry, _)| entry.of).collect(),
        })
    }

    /// Whether an entry that could be a point lies outside the picture.
    pub(super) fn leaves_out(&self, entry: &Entry) -> bool {
        self.left_out.contains(&entry.of)
    }
}

/// A polyline as far as an age, cut exactly there.
fn until(points: &[Place], last: f64) -> Vec<Place> {
    let mut drawn: Vec<Place> = points.iter().copied().take_while(|(at, _)| *at <= last).collect();
    let next = points.get(drawn.len());
    if let (Some((before, low)), Some((after, high))) = (drawn.last().copied(), next.copied())
        && before < last
    {
        drawn.push((last, low + (high - low) * (last - before) / (after - before)));
    }
    drawn
}

fn path(scale: &Scale, points: &[Place]) -> String {
    let place = |(at, value): &Place| format!("{} {}", scale.x(*at), scale.y(*value));
    points.iter().map(place).collect::<Vec<_>>().join(" L ")
}

/// The areas between the outermost two curves, the next two, and so on.
fn bands(scale: &Scale, curves: &[(u8, Vec<Place>)]) -> Vec<String> {
    let pairs = curves.iter().zip(curves.iter().rev()).take(curves.len() / 2);
    pairs
        .map(|((_, low), (_, high))| {
            let back: Vec<Place> = high.iter().rev().copied().collect();
            format!("{} L {}", path(scale, low), path(scale, &back))
        })
        .collect()
}

/// The curves, lowest first, each with its label at the right, and no label over another.
fn lines(scale: &Scale, curves: &[(u8, Vec<Place>)]) -> Vec<Line> {
    let last = curves.len().saturating_sub(1);
    let mut lines: Vec<Line> = curves
        .iter()
        .enumerate()
        .filter_map(|(number, (percentile, points))| {
            let (at, value) = points.last()?;
            let median = *percentile == 50;
            Some(Line {
                d: path(scale, points),
                percentile: *percentile,
                label_x: scale.x(*at) + 5.0,
                label_y: scale.y(*value) + 4.0,
                median,
                minor: !median && number != 0 && number != last,
            })
        })
        .collect();
    let middle = lines.iter().position(|line| line.median).unwrap_or(0);
    let (below, above) = lines.split_at_mut(middle);
    let Some(at) = above.first().map(|line| line.label_y) else { return lines };
    let mut free = at;
    for line in above.iter_mut().skip(1) {
        line.label_y = line.label_y.min(free - LABEL_GAP);
        free = line.label_y;
    }
    let mut free = at;
    for line in below.iter_mut().rev() {
        line.label_y = line.label_y.max(free + LABEL_GAP);
        free = line.label_y;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_cut_at_the_last_age() {
        let curve = [(0.0, 50.0), (11.5, 73.0), (12.5, 75.0), (13.5, 77.0)];
        assert_eq!(until(&curve, 12.0), [(0.0, 50.0), (11.5, 73.0), (12.0, 74.0)]);
        assert_eq!(until(&curve, 11.5), [(0.0, 50.0), (11.5, 73.0)]);
        assert_eq!(until(&curve, 40.0), curve);
        assert_eq!(until(&[], 12.0), []);
    }

    #[test]
    fn labels_of_close_curves_stand_apart() {
        let scale = Scale::new(12.0, 0.0, 100.0);
        let curves: Vec<(u8, Vec<Place>)> = [3u8, 10, 25, 50, 75, 90, 97]
            .into_iter()
            .map(|percentile| (percentile, vec![(0.0, 40.0), (12.0, 50.0 + f64::from(percentile) / 50.0)]))
            .collect();
        let lines = lines(&scale, &curves);
        assert_eq!(lines.len(), 7);
        assert!(lines.windows(2).all(|pair| pair[0].label_y - pair[1].label_y >= LABEL_GAP - 1e-9));
        assert_eq!(lines.iter().filter(|line| !line.minor).count(), 3, "the outermost and the median");
        assert_eq!(bands(&scale, &curves).len(), 3);
    }
}
