//! 予防接種: what is next, a picture of all of it, and every dose with its records, its state and its rule.
//!
//! Every record of a vaccination that has landed is on the page: at its dose, among the other vaccinations, or among
//! what was not given or withdrawn. The card's holder sees her own as a list, without the plan of a childhood.

mod age_axis;
mod landed;
mod periods;
mod picture;
mod series;
mod steps;

#[cfg(test)]
mod tests;

use askama::Template;
use axum::response::Response;
use hibiki_records::category::Category;
use hibiki_records::date::{CalendarDate, Precision};
use hibiki_records::immunization::Day;
use hibiki_records::person::Sex;
use hibiki_records::schedule::{self, Plan};

use super::coverage::Coverage;
use super::{Frame, Seated, shown};
use crate::web::Lang;
use landed::{Entry, Landed, Share};
use picture::Picture;
use series::Series;
use steps::Next;

#[derive(Template)]
#[template(path = "vaccinations.html")]
struct Vaccinations {
    content: Content,
    /// Since when which institution keeps such records, where that is within this life.
    kept: Vec<String>,
    coverage: Coverage,
    f: Frame,
}

/// What the page tells, as far as records have landed.
struct Content {
    /// How many records there are, and who holds them.
    records: usize,
    shares: Vec<Share>,
    outline: Outline,
    /// Vaccinations that stand in no series; without a plan, all of them.
    given: Vec<Entry>,
    not_given: Vec<Entry>,
    withdrawn: Vec<Entry>,
}

/// What the records are laid over.
enum Outline {
    /// The programme of childhood.
    Planned { next: Next, picture: Option<Box<Picture>>, series: Vec<Series> },
    /// A child whose birth date cannot be read.
    NoBirth,
    /// The holder herself: her vaccinations, and nothing to be done.
    Oneself,
}

impl Outline {
    fn is_plan(&self) -> bool {
        matches!(self, Self::Planned { .. })
    }
}

/// For whom a plan is made, and on which day.
#[derive(Clone, Copy)]
struct Child {
    birth: CalendarDate,
    sex: Sex,
    today: CalendarDate,
}

/// `GET /person/{person}/vaccinations`.
pub(super) async fn page(seated: Seated) -> Response {
    let coverage = seated.coverage().not(
        "接種していないという意味ではありません。母子健康手帳で確かめてください。",
        "This does not mean that a vaccination was not given. Please check the Mother and Child Handbook.",
    );
    let landed = Landed::new(seated.held(Category::Immunization), seated.lang());
    let content = match seated.birth().zip(seated.today()) {
        _ if seated.oneself() => Content::listed(&landed, Outline::Oneself),
        Some((birth, today)) => {
            Content::planned(&landed, Child { birth, sex: seated.sex(), today }, seated.lang())
        }
        None => Content::listed(&landed, Outline::NoBirth),
    };
    let kept = kept(&seated);
    shown(&Vaccinations { content, kept, coverage, f: seated.frame })
}

impl Content {
    fn planned(landed: &Landed<'_>, child: Child, lang: Lang) -> Self {
        let Child { birth, sex, today } = child;
        let plan: Plan = schedule::plan(birth, sex, &landed.read, today);
        let outline = Outline::Planned {
            next: Next::new(&plan, today, lang),
            picture: Picture::new(&plan, birth, today, lang).map(Box::new),
            series: plan.series.iter().map(|series| Series::new(series, landed, lang)).collect(),
        };
        let other = |other: &schedule::Other| landed.entry(&other.sources, lang.label(other.why.label()));
        Self { given: plan.other.iter().map(other).collect(), ..Self::listed(landed, outline) }
    }

    fn listed(landed: &Landed<'_>, outline: Outline) -> Self {
        Self {
            records: landed.read.len(),
            shares: landed.shares(),
            given: match outline {
                Outline::Planned { .. } => Vec::new(),
                Outline::NoBirth | Outline::Oneself => landed.given(),
            },
            not_given: landed.not_given(),
            withdrawn: landed.withdrawn(),
            outline,
        }
    }
}

/// Institutions that keep records of vaccinations only since a day of this life.
fn kept(seated: &Seated) -> Vec<String> {
    let (lang, birth) = (seated.lang(), seated.birth());
    let parts = seated.seat.institutions.iter().filter_map(|it| seated.view.parts.get(&it.id));
    let said = parts.filter_map(|part| {
        let mut kept = part.kept_since.iter();
        let kept = kept.find(|kept| kept.category.as_str() == Category::Immunization.wire_name())?;
        let since: CalendarDate = kept.since.as_str().parse().ok()?;
        let words = Day { day: since, precision: Precision::Day }.words();
        let (day, holder) = (lang.summary(&words), lang.t(&part.name.0, &part.name.1));
        birth.is_none_or(|birth| birth < since).then(|| match lang {
            Lang::Ja => format!("{holder}にあるのは、{day}からの予防接種の記録です。"),
            Lang::En => format!("{holder} keeps records of vaccinations since {day}."),
        })
    });
    said.collect()
}
