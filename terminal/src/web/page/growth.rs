//! 成長曲線: height, weight and head circumference over a reference, every point also in a table.

mod chart;

use askama::Template;
use axum::response::Response;
use hibiki_records::category::Category;
use hibiki_records::growth::obesity::days;
use hibiki_records::growth::{Ages, Child, Doubt, Entry, Kind, Measurement, OffChart, Reference, Series};
use hibiki_records::words::summary;

use super::coverage::Coverage;
use super::held::Held;
use super::{Frame, Seated, shown};
use crate::web::Lang;
use chart::Chart;

#[derive(Template)]
#[template(path = "growth.html")]
struct Growth {
    f: Frame,
    coverage: Coverage,
    who: bool,
    reference: &'static str,
    attribution: &'static str,
    kinds: Vec<KindBlock>,
    build: Vec<BuildLine>,
    /// What is no measurement of those, or cannot be read.
    others: Vec<OtherLine>,
}

struct KindBlock {
    name: &'static str,
    id: &'static str,
    chart: Option<Chart>,
    rows: Vec<Row>,
}

/// A measurement as a row of a table.
struct Row {
    date: String,
    age: String,
    value: String,
    band: String,
    remark: &'static str,
    holder: String,
}

/// Degree of obesity on a day.
struct BuildLine {
    date: String,
    percent: String,
    said: &'static str,
}

struct OtherLine {
    line: String,
    date: String,
    holder: String,
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
    let coverage = seated
        .coverage()
        .not("計測していないという意味ではありません。", "This does not mean that nothing was measured.");
    let lang = seated.lang();
    let (kinds, build, others) = content(&seated, reference);
    shown(&Growth {
        f: seated.frame,
        coverage,
        who: reference == Reference::Who2006,
        reference: lang.label(reference.label()),
        attribution: lang.label(reference.attribution()),
        kinds,
        build,
        others,
    })
}

fn content(seated: &Seated, reference: Reference) -> (Vec<KindBlock>, Vec<BuildLine>, Vec<OtherLine>) {
    let lang = seated.lang();
    let (mut holders, mut measurements, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let child = seated.birth().map(|birth| Child { birth, sex: seated.sex(), ages: Ages::FromBirth });
    for held in seated.held(Category::Growth) {
        match Measurement::read(&held.record.content)
            .ok()
            .filter(|it| child.is_some() && it.kind != Kind::Other)
        {
            Some(measurement) => {
                holders.push(held);
                measurements.push(measurement);
            }
            None => others.push(other(held, lang)),
        }
    }
    let Some(child) = child else { return (Vec::new(), Vec::new(), others) };
    let curves = !seated.oneself();
    let kinds = [
        (Kind::Height, "height"),
        (Kind::Weight, "weight"),
        (Kind::HeadCircumference, "head"),
        (Kind::ChestCircumference, "chest"),
        (Kind::Bmi, "bmi"),
        (Kind::DegreeOfObesity, "obesity"),
        (Kind::RohrerIndex, "rohrer"),
    ];
    let kinds = kinds.into_iter().filter_map(|(kind, id)| {
        let series = Series::new(kind, &measurements, &child, reference);
        if series.entries.is_empty() {
            return None;
        }
        let chart = Chart::new(&series, lang).filter(|_| curves && Kind::CHARTED.contains(&kind));
        let rows = series.entries.iter().rev().map(|entry| row(entry, &holders, kind, lang)).collect();
        Some(KindBlock { name: lang.label(kind.label()), id, chart, rows })
    });
    let kinds = kinds.collect();
    let build = if curves { days(&measurements, &child) } else { Vec::new() };
    let build = build.iter().rev().map(|day| BuildLine {
        date: lang.day(day.date),
        percent: format!("{:+.1} %", day.obesity.percent),
        said: lang.label(day.obesity.label()),
    });
    (kinds, build.collect(), others)
}

fn row(entry: &Entry, holders: &[Held<'_>], kind: Kind, lang: Lang) -> Row {
    let age = entry.age.map(|age| match lang {
        Lang::Ja if age.years() == 0 => format!("{}か月", age.months),
        Lang::Ja => format!("{}歳{}か月", age.years(), age.months % 12),
        Lang::En => format!("{} y {} m", age.years(), age.months % 12),
    });
    let band = entry.placement.map(|placement| {
        let band = match lang {
            Lang::Ja => placement.band.ja(),
            Lang::En => placement.band.en(),
        };
        match placement.z {
            Some(z) => format!("{band}（{z:+.1} SD）"),
            None => band,
        }
    });
    let written = entry.written.as_ref().map(|written| lang.summary(written).to_owned());
    let value = entry.value.map(|value| format!("{value} {}", kind.unit()));
    let remark = entry.off_chart.map(OffChart::label).or_else(|| entry.doubt.map(Doubt::label));
    Row {
        date: lang.day(entry.date),
        age: age.unwrap_or_default(),
        value: written.or(value).unwrap_or_default(),
        band: band.unwrap_or_default(),
        remark: remark.map(|label| lang.label(label)).unwrap_or_default(),
        holder: holders.get(entry.of).map(|held| held.holder(lang).to_owned()).unwrap_or_default(),
    }
}

fn other(held: Held<'_>, lang: Lang) -> OtherLine {
    OtherLine {
        line: lang.summary(&summary(Category::Growth, &held.record.content)).to_owned(),
        date: held.record.date.as_str().to_owned(),
        holder: held.holder(lang).to_owned(),
    }
}
