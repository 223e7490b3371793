//! 同意: what this guardian lets each institution show, category by category, given and withdrawn with a receipt.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use hibiki_protocol::act::Reach;
use hibiki_protocol::answer::Record;
use hibiki_protocol::ids::{Category, MemberId};
use hibiki_records::category;
use serde::Deserialize;

use super::coverage::Coverage;
use super::{Frame, Seated, shown};
use crate::clock;
use crate::consent::{Choice, ConsentPart};
use crate::desk::{Institution, Live, MadeChoice, Order};
use crate::history::Proof;
use crate::web::order::Written;
use crate::web::{App, Lang};
use crate::words;

#[derive(Template)]
#[template(path = "consent.html")]
struct Consent {
    f: Frame,
    coverage: Coverage,
    made: Vec<Made>,
    institutions: Vec<Place>,
}

/// A choice of this session.
struct Made {
    number: usize,
    said: String,
    /// `pending`, `done` or `failed`.
    state: &'static str,
    became: String,
    receipt: String,
    file: bool,
}

/// An institution that lets her choose.
struct Place {
    id: String,
    name: String,
    rows: Vec<Row>,
}

/// A category at an institution.
struct Row {
    category: String,
    label: String,
    shown: bool,
    since: String,
    reach: &'static str,
    reach_said: String,
}

#[derive(Deserialize)]
pub(super) struct ChoiceForm {
    institution: String,
    category: String,
    reach: String,
    permit: String,
}

/// `GET /person/{person}/consent`.
pub(super) async fn page(State(app): State<App>, seated: Seated) -> Response {
    let live = seated.consents().cloned();
    if live.is_none() {
        app.desk.order(Order::Consents(seated.index())).await;
    }
    let live = live.unwrap_or_else(|| Live::asked(clock::now()));
    let lang = seated.lang();
    let institutions = seated.seat.institutions.iter();
    let place = |it: &Institution| {
        let shown = seated.view.parts.get(&it.id).map(|part| part.records.as_slice()).unwrap_or_default();
        place(it, live.parts.get(&it.id)?, shown, lang)
    };
    let places = institutions.filter_map(place).collect();
    let made = seated.choices().map(|(number, made)| choice_made(number, made, &seated, lang)).collect();
    let coverage = Coverage::new(&seated.seat, &live, lang).not(
        "設定できないという意味ではありません。",
        "This does not mean that nothing can be chosen there.",
    );
    shown(&Consent { f: seated.frame, coverage, made, institutions: places })
}

/// `POST /person/{person}/consent`.
pub(super) async fn choose(
    State(app): State<App>,
    Path(person): Path<usize>,
    Written(form): Written<ChoiceForm>,
) -> Redirect {
    if let Some((index, institution, choice)) = read(person, &form) {
        app.desk.order(Order::Choose { person: index, institution, choice }).await;
    }
    Redirect::to(&format!("/person/{person}/consent"))
}

/// `POST /person/{person}/consent/{number}/again`: the same choice once more, where its outcome is not known.
pub(super) async fn again(
    State(app): State<App>,
    Path((person, number)): Path<(usize, usize)>,
    seated: Seated,
    _: Written<crate::web::order::Nothing>,
) -> Redirect {
    if let Some(MadeChoice { person: index, institution, choice, .. }) =
        seated.seat.choices.get(number).cloned()
    {
        app.desk.order(Order::Choose { person: index, institution, choice }).await;
    }
    Redirect::to(&format!("/person/{person}/consent"))
}

/// `GET /person/{person}/consent/{number}/receipt`: the proof in one file, to keep.
pub(super) async fn receipt(Path((person, number)): Path<(usize, usize)>, seated: Seated) -> Response {
    let answer = seated.seat.choices.get(number).and_then(|made| made.answer.as_ref()?.as_ref().ok());
    let file = answer.and_then(|part| part.receipt.as_ref()?.file.clone());
    let Some(file) = file.filter(|_| seated.downloads) else {
        return Redirect::to(&format!("/person/{person}/consent")).into_response();
    };
    let name = format!("attachment; filename=\"hibiki-receipt-{number}.tlog-proof\"");
    ([(CONTENT_TYPE, "application/octet-stream".to_owned()), (CONTENT_DISPOSITION, name)], file)
        .into_response()
}

fn read(person: usize, form: &ChoiceForm) -> Option<(usize, MemberId, Choice)> {
    let category = match form.category.as_str() {
        "" => None,
        name => Some(Category::new(name)?),
    };
    let reach =
        [Reach::OwnView, Reach::EveryGuardian].into_iter().find(|reach| reach.as_str() == form.reach)?;
    let choice = Choice::new(category, form.permit == "yes", reach).ok()?;
    Some((person.checked_sub(1)?, MemberId::new(&form.institution)?, choice))
}

/// An institution, with the kinds of record it has shown and those that are withdrawn; the rest goes with
/// everything.
fn place(institution: &Institution, part: &ConsentPart, shown: &[Record], lang: Lang) -> Option<Place> {
    let choices = part.choices.as_ref()?;
    let everything = choices.withdrawn.iter().find(|withdrawal| withdrawal.category.is_none());
    let row = |wire: &str, label: String, withdrawal: Option<&hibiki_protocol::act::Withdrawal>| Row {
        category: wire.to_owned(),
        label,
        shown: withdrawal.is_none(),
        since: withdrawal.map(|withdrawal| words::in_japan(withdrawal.at)).unwrap_or_default(),
        reach: withdrawal.map_or(Reach::OwnView, |withdrawal| withdrawal.reach).as_str(),
        reach_said: withdrawal
            .map(|withdrawal| lang.of(&words::consent::reach(withdrawal.reach)).to_owned())
            .unwrap_or_default(),
    };
    let mut rows = vec![row("", lang.t("すべて", "Everything").to_owned(), everything)];
    if everything.is_none() {
        for known in category::Category::ALL {
            let wire = known.wire_name();
            let of_it = |withdrawal: &&hibiki_protocol::act::Withdrawal| {
                withdrawal.category.as_ref().is_some_and(|category| category.as_str() == wire)
            };
            let withdrawal = choices.withdrawn.iter().find(of_it);
            if withdrawal.is_none() && !shown.iter().any(|record| record.category.as_str() == wire) {
                continue;
            }
            let label = lang.label(known.label()).to_owned();
            rows.push(row(wire, label, withdrawal));
        }
    }
    let name = lang.t(&institution.name.0, &institution.name.1).to_owned();
    Some(Place { id: institution.id.to_string(), name, rows })
}

fn choice_made(number: usize, made: &MadeChoice, seated: &Seated, lang: Lang) -> Made {
    let institution = seated.seat.institutions.iter().find(|it| it.id == made.institution);
    let name = institution.map(|it| lang.t(&it.name.0, &it.name.1).to_owned()).unwrap_or_default();
    let what = lang.of(&words::consent::about(made.choice.category.as_ref())).to_owned();
    let act = if made.choice.permit {
        lang.t("表示に同意", "consent given")
    } else {
        lang.t("同意を取り下げ", "consent withdrawn")
    };
    let reach = lang.of(&words::consent::reach(made.choice.reach)).to_owned();
    let said = format!("{name}：{what}　{act}（{reach}）");
    let waiting = Made {
        number,
        said,
        state: "pending",
        became: lang.t("施設に伝えています。", "The institution is being told.").to_owned(),
        receipt: String::new(),
        file: false,
    };
    match &made.answer {
        None => waiting,
        Some(Err(words)) => Made { state: "failed", became: lang.of(words).to_owned(), ..waiting },
        Some(Ok(part)) => {
            let receipt = part.receipt.as_ref();
            let believed = receipt.is_some_and(|receipt| !matches!(receipt.entry.proof, Proof::Unproven(_)));
            Made {
                state: if believed { "done" } else { "failed" },
                became: lang.of(&words::consent::outcome(part, &made.choice)).to_owned(),
                receipt: receipt.map(|it| format!("#{}", it.receipt.index)).unwrap_or_default(),
                file: seated.downloads && receipt.is_some_and(|it| it.file.is_some()),
                ..waiting
            }
        }
    }
}
