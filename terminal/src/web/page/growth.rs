//! 成長曲線: height, weight and head circumference over a reference, every point also in a table.

mod chart;
mod obesity;
mod scale;

use askama::Template;
use axum::response::Response;
use hibiki_records::category::Category;
use hibiki_records::date::CalendarDate;
use hibiki_records::date::age::CalendarAge;
use hibiki_records::growth::{Ages, Child, Doubt, Entry, Kind, Measurement, OffChart, Reference, Series};
use hibiki_records::person::Sex;

use super::coverage::Coverage;
use super::held::Held;
use super::plain::Plain;
use super::{Frame, Seated, shown};
use crate::web::Lang;
use chart::Chart;
use obesity::Build;

/// What a page lists, each kind with the id of its section.
const KINDS: [(Kind, &str); 7] = [
    (Kind::Height, "height"),
    (Kind::Weight, "weight"),
    (Kind::HeadCircumference, "head"),
    (Kind::ChestCircumference, "chest"),
    (Kind::Bmi, "bmi"),
    (Kind::DegreeOfObesity, "obesity"),
    (Kind::RohrerIndex, "rohrer"),
];

#[derive(Template)]
#[template(path = "growth.html")]
struct Growth {
    f: Frame,
    coverage: Coverage,
    /// With what a child is compared; the card's holder is compared with nothing.
    compared: Option<Compared>,
    /// The registry's birth date is no day, so that nothing has an age.
    without_birth: bool,
    kinds: Vec<KindBlock>,
    build: Option<Build>,
    /// What is no measurement of those, or cannot be read.
    others: Vec<Plain>,
}

/// A reference, explained.
struct Compared {
    who: bool,
    name: &'static str,
    attribution: &'static str,
    /// The sex is not recorded, and there are no curves for it.
    without_curves: bool,
    zones: Vec<Zone>,
    /// Some points are at an age the curves do not reach.
    past_curves: bool,
}

/// A shade of the chart.
struct Zone {
    number: usize,
    said: String,
}

/// A kind of measurement.
struct KindBlock {
    name: &'static str,
    id: &'static str,
    /// The newest value, in a sentence.
    latest: Option<String>,
    chart: Option<Chart>,
    /// Some row has a place among children of the same age.
    placed: bool,
    rows: Vec<Row>,
}

/// A measurement as a row of a table.
struct Row {
    date: String,
    age: String,
    value: String,
    band: String,
    remarks: Vec<&'static str>,
    holder: String,
}

/// What was measured, and where.
struct Measured<'a> {
    holders: Vec<Held<'a>>,
    measurements: Vec<Measurement>,
    today: Option<CalendarDate>,
}

/// `GET /person/{person}/growth`.
pub(super) async fn page(seated: Seated) -> Response {
    over(seated, Reference::Japan2023)
}

/// `GET /person/{person}/growth/who`.
pub(super) async fn page_who(seated: Seated) -> Response {
    over(seated, Reference::Who2006)
}

fn over(seated: Seated, reference: Reference) -> Response {
    let lang = seated.lang();
    let coverage = seated
        .coverage()
        .not("計測していないという意味ではありません。", "This does not mean that nothing was measured.");
    let birth = seated.birth();
    let child = birth.map(|birth| Child { birth, sex: seated.sex(), ages: Ages::FromBirth });
    let (measured, others) = sorted(&seated, child.is_some());
    let compared = child.filter(|_| !seated.oneself());
    let kinds =
        child.map(|child| measured.kinds(&child, reference, compared.is_some(), lang)).unwrap_or_default();
    let build = compared.and_then(|child| Build::new(&measured, &child, lang));
    let compared = compared.map(|child| Compared::new(reference, &child, &kinds, lang));
    let others = Plain::newest_first(others, lang);
    let page =
        Growth { coverage, compared, without_birth: birth.is_none(), kinds, build, others, f: seated.frame };
    shown(&page)
}

/// The measurements, and the records that are none or cannot be placed in time.
fn sorted(seated: &Seated, born: bool) -> (Measured<'_>, Vec<(Category, Held<'_>)>) {
    let (mut holders, mut measurements, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for held in seated.held(Category::Growth) {
        match Measurement::read(&held.record.content) {
            Ok(measurement) if born && measurement.kind != Kind::Other => {
                holders.push(held);
                measurements.push(measurement);
            }
            _ => others.push((Category::Growth, held)),
        }
    }
    (Measured { holders, measurements, today: seated.today() }, others)
}

impl Compared {
    fn new(reference: Reference, child: &Child, kinds: &[KindBlock], lang: Lang) -> Self {
        let percentiles = reference.percentiles();
        let pairs = percentiles.iter().zip(percentiles.iter().rev()).take(percentiles.len() / 2);
        let zone = |(number, (low, high)): (usize, (&u8, &u8))| Zone {
            number: number + 1,
            said: match lang {
                Lang::Ja => format!("{low}〜{high}"),
                Lang::En => format!("{low} to {high}"),
            },
        };
        Self {
            who: reference == Reference::Who2006,
            name: lang.label(reference.label()),
            attribution: lang.label(reference.attribution()),
            without_curves: matches!(child.sex, Sex::Other | Sex::Unknown),
            zones: pairs.enumerate().map(zone).collect(),
            past_curves: kinds.iter().filter_map(|kind| kind.chart.as_ref()).any(|chart| chart.past_curves),
        }
    }
}

impl Measured<'_> {
    /// The institution that holds a measurement.
    fn holder(&self, of: usize, lang: Lang) -> &str {
        self.holders.get(of).map_or("", |held| held.holder(lang))
    }

    /// A block for each kind of which there is a record; `compared` with a reference or not.
    fn kinds(&self, child: &Child, reference: Reference, compared: bool, lang: Lang) -> Vec<KindBlock> {
        let block = |(kind, id): (Kind, &'static str)| {
            let series = Series::new(kind, &self.measurements, child, reference);
            let charted = compared && Kind::CHARTED.contains(&kind);
            let said = |entry: &Entry| said(entry, kind, lang);
            let chart = if charted { Chart::new(&series, self.today, lang, said) } else { None };
            let row = |entry: &Entry| self.row(entry, &series, compared, chart.as_ref(), lang);
            let rows: Vec<Row> = series.entries.iter().rev().map(row).collect();
            let drawn = |entry: &Entry| chart.as_ref().is_some_and(|chart| !chart.leaves_out(entry));
            let newest = series.points().filter(|(entry, _)| entry.doubt.is_none() && drawn(entry)).last();
            let latest = newest.map(|(entry, _)| latest(entry, kind, lang));
            let placed = rows.iter().any(|row| !row.band.is_empty());
            KindBlock { name: lang.label(kind.label()), id, latest, chart, placed, rows }
        };
        KINDS.into_iter().map(block).filter(|block| !block.rows.is_empty()).collect()
    }

    fn row(&self, entry: &Entry, series: &Series, compared: bool, chart: Option<&Chart>, lang: Lang) -> Row {
        let exact = self.measurements.get(entry.of).is_none_or(|it| it.exact_day || it.at_birth);
        let mut remarks = Vec::new();
        match (entry.off_chart, entry.doubt) {
            (None | Some(OffChart::Implausible), Some(doubt)) => remarks.push(doubt.label()),
            (off_chart, doubt) => {
                remarks.extend(off_chart.map(OffChart::label));
                remarks.extend(doubt.map(Doubt::label));
            }
        }
        let mut remarks: Vec<&str> = remarks.into_iter().map(|label| lang.label(label)).collect();
        if chart.is_some_and(|chart| chart.leaves_out(entry)) {
            remarks.push(lang.t("グラフの範囲の外です", "Outside the chart"));
        }
        Row {
            date: if exact { lang.day(entry.date) } else { around(entry.date, lang) },
            age: entry.age.map(|age| age_words(age, lang)).unwrap_or_default(),
            value: value(entry, series.kind, lang),
            band: band(entry, lang).filter(|_| compared).unwrap_or_default(),
            remarks,
            holder: self.holder(entry.of, lang).to_owned(),
        }
    }
}

/// A day of which only the month or the year was written. January stands for its year, too.
fn around(day: CalendarDate, lang: Lang) -> String {
    match (day.month(), lang) {
        (1, Lang::Ja) => format!("{}年ごろ", day.year()),
        (month, Lang::Ja) => format!("{}年{month}月ごろ", day.year()),
        (1, Lang::En) => format!("about {}", day.year()),
        (month, Lang::En) => format!("about {}-{month:02}", day.year()),
    }
}

fn age_words(age: CalendarAge, lang: Lang) -> String {
    match (age.years(), age.months % 12, lang) {
        (0, 0, Lang::Ja) => format!("生後{}日", age.days),
        (0, months, Lang::Ja) => format!("{months}か月"),
        (years, months, Lang::Ja) => format!("{years}歳{months}か月"),
        (0, 0, Lang::En) => format!("{} days", age.days),
        (0, months, Lang::En) => format!("{months} m"),
        (years, months, Lang::En) => format!("{years} y {months} m"),
    }
}

/// The value as it was written; in the unit of its kind where nothing is.
fn value(entry: &Entry, kind: Kind, lang: Lang) -> String {
    let written = entry.written.as_ref().map(|written| lang.summary(written).to_owned());
    written.or_else(|| Some(format!("{} {}", entry.value?, kind.unit()))).unwrap_or_default()
}

/// Where a value lies among children of the same age.
fn band(entry: &Entry, lang: Lang) -> Option<String> {
    let placement = entry.placement?;
    let band = match lang {
        Lang::Ja => placement.band.ja(),
        Lang::En => placement.band.en(),
    };
    Some(match (placement.z, lang) {
        (Some(z), Lang::Ja) => format!("{band}（{z:+.1} SD）"),
        (Some(z), Lang::En) => format!("{band} ({z:+.1} SD)"),
        (None, _) => band,
    })
}

/// A point in a few words.
fn said(entry: &Entry, kind: Kind, lang: Lang) -> String {
    let age = entry.age.map(|age| age_words(age, lang)).unwrap_or_default();
    format!("{} {age} {}", lang.day(entry.date), value(entry, kind, lang))
}

/// The newest value in a sentence.
fn latest(entry: &Entry, kind: Kind, lang: Lang) -> String {
    let (value, day) = (value(entry, kind, lang), lang.day(entry.date));
    let age = entry.age.map(|age| age_words(age, lang)).unwrap_or_default();
    match (lang, band(entry, lang)) {
        (Lang::Ja, Some(band)) => {
            format!("{day}、{age}で {value} でした。同じ年齢の子どもの中では{band}です。")
        }
        (Lang::Ja, None) => format!("{day}、{age}で {value} でした。"),
        (Lang::En, Some(band)) => {
            format!("{value} on {day} ({age}); among children of the same age: {band}.")
        }
        (Lang::En, None) => format!("{value} on {day} ({age})."),
    }
}

#[cfg(test)]
mod tests;
