//! お薬・アレルギー: what not to give, and what was prescribed, handed over and taken.

use askama::Template;
use axum::response::Response;
use hibiki_records::allergy::{Allergy, Criticality, most_important_first};
use hibiki_records::category::Category;
use hibiki_records::date::CalendarDate;
use hibiki_records::fhir::Standing;
use hibiki_records::medicine::{Medicine, newest_first};
use hibiki_records::words::summary;

use super::coverage::Coverage;
use super::held::Held;
use super::{Frame, Seated, shown};
use crate::web::Lang;

#[derive(Template)]
#[template(path = "medicines.html")]
struct Medicines {
    allergies: Vec<AllergyLine>,
    unreadable_allergies: Vec<Unreadable>,
    medicines: Vec<MedicineLine>,
    unreadable_medicines: Vec<Unreadable>,
    coverage: Coverage,
    f: Frame,
}

struct AllergyLine {
    substance: String,
    kind: &'static str,
    current: bool,
    dangerous: bool,
    /// State, danger and certainty, in words.
    said: String,
    reactions: String,
    date: String,
    holder: String,
}

struct MedicineLine {
    name: String,
    act: &'static str,
    dosage: Vec<String>,
    amount: String,
    date: String,
    until: String,
    /// By its days it is being taken today.
    now: bool,
    status: String,
    holder: String,
}

/// A record of which only its one line can be told.
struct Unreadable {
    line: String,
    date: String,
    holder: String,
}

impl Unreadable {
    fn new(category: Category, held: Held<'_>, lang: Lang) -> Self {
        Self {
            line: lang.summary(&summary(category, &held.record.content)).to_owned(),
            date: held.record.date.as_str().to_owned(),
            holder: held.holder(lang).to_owned(),
        }
    }
}

/// `GET /person/{person}/medicines`.
pub(super) async fn page(seated: Seated) -> Response {
    let (lang, today) = (seated.lang(), seated.today());
    let (allergies, holders, unreadable_allergies) =
        read(seated.held(Category::Allergy), Category::Allergy, lang, |content| Allergy::read(content).ok());
    let in_order = most_important_first(&allergies).into_iter();
    let line = |place: usize| Some(allergy(allergies.get(place)?, holders.get(place)?, lang));
    let allergies = in_order.filter_map(line).collect();
    let (medicines, holders, unreadable_medicines) =
        read(seated.held(Category::Prescription), Category::Prescription, lang, |content| {
            Medicine::read(content).ok()
        });
    let in_order = newest_first(&medicines).into_iter();
    let line = |place: usize| Some(medicine(medicines.get(place)?, holders.get(place)?, today, lang));
    let medicines = in_order.filter_map(line).collect();
    let coverage = seated.coverage().not(
        "アレルギーや服薬がないという意味ではありません。",
        "This does not mean that there is no allergy and no medicine.",
    );
    let f = seated.frame;
    shown(&Medicines { allergies, unreadable_allergies, medicines, unreadable_medicines, coverage, f })
}

/// What can be read, with the names of its holders; and what cannot.
fn read<'a, T>(
    all: impl Iterator<Item = Held<'a>>,
    category: Category,
    lang: Lang,
    read: impl Fn(&[u8]) -> Option<T>,
) -> (Vec<T>, Vec<String>, Vec<Unreadable>) {
    let (mut read_ones, mut holders, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
    for held in all {
        match read(&held.record.content) {
            Some(fact) => {
                read_ones.push(fact);
                holders.push(held.holder(lang).to_owned());
            }
            None => unreadable.push(Unreadable::new(category, held, lang)),
        }
    }
    (read_ones, holders, unreadable)
}

fn standing(standing: Standing, lang: Lang) -> Option<&'static str> {
    match standing {
        Standing::Valid => None,
        Standing::Negated => Some(lang.t("実施せず", "not done")),
        Standing::EnteredInError => Some(lang.t("取り消された記録", "withdrawn")),
    }
}

fn allergy(allergy: &Allergy, holder: &str, lang: Lang) -> AllergyLine {
    let words = [
        standing(allergy.standing, lang),
        Some(lang.label(allergy.clinical.label())),
        allergy.criticality.map(|it| lang.label(it.label())),
        allergy.severity.map(|it| lang.label(it.label())),
        allergy.verification.map(|it| lang.label(it.label())),
    ];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    let reactions: Vec<&str> = allergy.reactions.iter().map(|it| lang.summary(it)).collect();
    AllergyLine {
        substance: lang.summary(&allergy.substance).to_owned(),
        kind: lang.label(allergy.kind.label()),
        current: allergy.is_current(),
        dangerous: allergy.criticality == Some(Criticality::High),
        said: words.join(lang.t("・", ", ")),
        reactions: reactions.join(lang.t("、", ", ")),
        date: allergy.date.map(|day| lang.day(day)).unwrap_or_default(),
        holder: holder.to_owned(),
    }
}

fn medicine(medicine: &Medicine, holder: &str, today: Option<CalendarDate>, lang: Lang) -> MedicineLine {
    let status = medicine.status.map(|it| lang.label(it.label(medicine.act)));
    let words: Vec<&str> = [standing(medicine.standing, lang), status].into_iter().flatten().collect();
    let until = medicine.until.map(|day| lang.day(day));
    let days = medicine.days.map(|days| match lang {
        Lang::Ja => format!("{days}日分"),
        Lang::En => format!("{days} days"),
    });
    MedicineLine {
        name: lang.summary(&medicine.name).to_owned(),
        act: lang.label(medicine.act.label()),
        dosage: medicine.dosage.iter().flat_map(|text| text.lines()).map(str::to_owned).collect(),
        amount: [medicine.amount.clone(), days].into_iter().flatten().collect::<Vec<_>>().join(" "),
        date: lang.day(medicine.date),
        until: until.unwrap_or_default(),
        now: today.and_then(|today| medicine.covers(today)).unwrap_or(false),
        status: words.join(lang.t("・", ", ")),
        holder: holder.to_owned(),
    }
}
