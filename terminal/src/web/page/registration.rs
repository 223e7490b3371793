//! アレルギー・メールの登録: what this guardian registers for the child at her school, with receipts.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::registration::{
    ConfirmAddress, Delivery, MailKind, RegisterAddress, RegisterAllergens, RegisteredAllergen,
    RegistrationChange, WantedMails, WithdrawAddress,
};
use hibiki_records::allergen::{Allergen, Class};
use hibiki_records::lunch::Removal;
use hibiki_records::words::tidy;

use super::coverage::Coverage;
use super::{Frame, Seated, shown};
use crate::desk::{Institution, Live, MadeRegistration, Order};
use crate::history::Proof;
use crate::registration::{Registering, RegistrationPart, read};
use crate::web::order::{Nothing, Written};
use crate::web::{App, Lang};
use crate::words;

#[derive(Template)]
#[template(path = "registration.html")]
struct Page {
    f: Frame,
    coverage: Coverage,
    made: Vec<Made>,
    schools: Vec<School>,
}

/// A change of this session.
struct Made {
    number: usize,
    said: String,
    /// `pending`, `done` or `failed`.
    state: &'static str,
    became: String,
    receipt: String,
    file: bool,
    /// Sending the same again makes sense.
    again: bool,
}

/// An institution that takes registrations.
struct School {
    number: usize,
    id: String,
    name: String,
    groups: Vec<Group>,
    others: Vec<String>,
    address: String,
    waiting: String,
    until: String,
    mails: Vec<Choice>,
    deliveries: Vec<Line>,
}

/// Allergens of one class of the law.
struct Group {
    name: &'static str,
    allergens: Vec<OneAllergen>,
}

struct OneAllergen {
    id: &'static str,
    label: &'static str,
    registered: bool,
    strict: bool,
}

struct Choice {
    name: &'static str,
    label: String,
    chosen: bool,
}

struct Line {
    when: String,
    what: String,
    state: String,
    class: &'static str,
}

/// `GET /person/{person}/registration`.
pub(super) async fn page(State(app): State<App>, seated: Seated) -> Response {
    let live = seated.registrations_asked(&app).await;
    registrations(seated, &live)
}

/// The page, as far as the schools have answered.
pub(super) fn registrations(seated: Seated, live: &Live<RegistrationPart>) -> Response {
    let lang = seated.lang();
    let today = seated.today();
    let institutions = seated.seat.institutions.iter().enumerate();
    let schools = institutions
        .filter_map(|(number, it)| school(number, it, live.parts.get(&it.id)?, today, lang))
        .collect();
    let made = seated.registered().map(|(number, made)| change_made(number, made, &seated, lang)).collect();
    let coverage = Coverage::new(&seated.seat, live, lang).not(
        "登録できないという意味ではありません。",
        "This does not mean that nothing can be registered there.",
    );
    shown(&Page { f: seated.frame, coverage, made, schools })
}

fn school(
    number: usize,
    institution: &Institution,
    part: &RegistrationPart,
    today: Option<hibiki_records::date::CalendarDate>,
    lang: Lang,
) -> Option<School> {
    let state = part.state.as_ref()?;
    let own = |allergen: Allergen| {
        let found = state.allergens.iter().filter_map(read).find(|(registered, _)| *registered == allergen);
        found.map(|(_, removal)| removal)
    };
    let of_class = |wanted: Class| -> Vec<OneAllergen> {
        let is = |allergen: &Allergen| {
            let class = today.and_then(|today| allergen.class_on(today)).unwrap_or(Class::Recommended);
            // What has left the list is shown to whoever has registered it.
            class == wanted && (wanted != Class::Removed || own(*allergen).is_some())
        };
        Allergen::all()
            .filter(is)
            .map(|allergen| OneAllergen {
                id: allergen.id(),
                label: lang.label(allergen.label()),
                registered: own(allergen).is_some(),
                strict: own(allergen) == Some(Removal::Strict),
            })
            .collect()
    };
    let groups = [
        (Class::Mandatory, lang.t("表示義務のあるもの（特定原材料）", "Mandatory on labels")),
        (Class::Recommended, lang.t("表示が勧められているもの", "Recommended on labels")),
        (Class::Removed, lang.t("以前の一覧にあったもの", "Of earlier lists")),
    ];
    let groups = groups.into_iter().map(|(class, name)| Group { name, allergens: of_class(class) });
    let kinds = [MailKind::Notice, MailKind::HandIn, MailKind::Gate, MailKind::Event];
    let mails = kinds.into_iter().map(|kind| Choice {
        name: kind.as_str(),
        label: lang.of(&words::registration::kind(kind)).to_owned(),
        chosen: state.mails.contains(&kind),
    });
    let waiting = state.waiting.as_ref();
    Some(School {
        number,
        id: institution.id.to_string(),
        name: lang.t(&institution.name.0, &institution.name.1).to_owned(),
        groups: groups.filter(|group| !group.allergens.is_empty()).collect(),
        others: state
            .others
            .iter()
            .map(|one| lang.of(&words::registration::allergen(one)).to_owned())
            .collect(),
        address: state.address.as_deref().map(tidy).unwrap_or_default(),
        waiting: waiting.map(|waiting| tidy(&waiting.address)).unwrap_or_default(),
        until: waiting.map(|waiting| words::in_japan(waiting.until)).unwrap_or_default(),
        mails: mails.collect(),
        deliveries: state.deliveries.iter().map(|delivery| line(delivery, lang)).collect(),
    })
}

fn line(delivery: &Delivery, lang: Lang) -> Line {
    use hibiki_protocol::registration::DeliveryState::{Delayed, Failed, Sent, Waiting};
    let what = lang.of(&words::registration::kind(delivery.kind)).to_owned();
    let what = match &delivery.lunch {
        Some(lunch) => format!("{what}（{}）", lunch.as_str()),
        None => what,
    };
    let class = match delivery.state {
        Sent => "done",
        Waiting => "later",
        Delayed => "due",
        Failed => "overdue",
    };
    let state = lang.of(&words::registration::delivery(delivery)).to_owned();
    Line { when: words::in_japan(delivery.at), what, state, class }
}

fn change_made(number: usize, made: &MadeRegistration, seated: &Seated, lang: Lang) -> Made {
    let institution = seated.seat.institutions.iter().find(|it| it.id == made.institution);
    let name = institution.map(|it| lang.t(&it.name.0, &it.name.1).to_owned()).unwrap_or_default();
    let what = lang.of(&words::registration::change(&made.change.change)).to_owned();
    let waiting = Made {
        number,
        said: format!("{name}：{what}"),
        state: "pending",
        became: lang.t("学校に伝えています。", "The school is being told.").to_owned(),
        receipt: String::new(),
        file: false,
        again: false,
    };
    match &made.answer {
        None => waiting,
        Some(Err(words)) => {
            Made { state: "failed", became: lang.of(words).to_owned(), again: true, ..waiting }
        }
        Some(Ok(part)) => {
            let receipt = part.receipt.as_ref();
            let believed = receipt.is_some_and(|receipt| !matches!(receipt.entry.proof, Proof::Unproven(_)));
            let refused = part.state.as_ref().is_some_and(|state| state.refused.is_some());
            Made {
                state: if believed { "done" } else { "failed" },
                became: lang.of(&words::registration::outcome(part, &made.change.change)).to_owned(),
                receipt: receipt.map(|it| format!("#{}", it.receipt.index)).unwrap_or_default(),
                file: seated.downloads && receipt.is_some_and(|it| it.file.is_some()),
                again: !believed && !refused,
                ..waiting
            }
        }
    }
}

/// `POST /person/{person}/registration`.
pub(super) async fn register(
    State(app): State<App>,
    Path(person): Path<usize>,
    Written(form): Written<BTreeMap<String, String>>,
) -> Redirect {
    let institution = form.get("institution").and_then(|id| MemberId::new(id));
    let change = asked_for(&form).and_then(|change| Registering::new(change).ok());
    if let Some(((index, institution), change)) = person.checked_sub(1).zip(institution).zip(change) {
        app.desk.order(Order::Register { person: index, institution, change }).await;
    }
    Redirect::to(&format!("/person/{person}/registration"))
}

/// `POST /person/{person}/registration/{number}/again`: the same once more, where its outcome is not known.
pub(super) async fn again(
    State(app): State<App>,
    Path((person, number)): Path<(usize, usize)>,
    seated: Seated,
    _: Written<Nothing>,
) -> Redirect {
    if let Some(MadeRegistration { person: index, institution, change, .. }) =
        seated.seat.registered.get(number).cloned()
    {
        app.desk.order(Order::Register { person: index, institution, change }).await;
    }
    Redirect::to(&format!("/person/{person}/registration"))
}

/// `GET /person/{person}/registration/{number}/receipt`: the proof in one file, to keep.
pub(super) async fn receipt(Path((person, number)): Path<(usize, usize)>, seated: Seated) -> Response {
    let answer = seated.seat.registered.get(number).and_then(|made| made.answer.as_ref()?.as_ref().ok());
    let file = answer.and_then(|part| part.receipt.as_ref()?.file.clone());
    let Some(file) = file.filter(|_| seated.downloads) else {
        return Redirect::to(&format!("/person/{person}/registration")).into_response();
    };
    let name = format!("attachment; filename=\"hibiki-registration-{number}.tlog-proof\"");
    ([(CONTENT_TYPE, "application/octet-stream".to_owned()), (CONTENT_DISPOSITION, name)], file)
        .into_response()
}

/// What a form asks for.
fn asked_for(form: &BTreeMap<String, String>) -> Option<RegistrationChange> {
    let typed = |name: &str| form.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
    let ticked = |name: String| form.contains_key(&name);
    Some(match form.get("what")?.as_str() {
        "allergens" => {
            let chosen = Allergen::all().filter(|allergen| ticked(format!("allergen-{allergen}")));
            let allergens = chosen.map(|allergen| RegisteredAllergen {
                code: allergen.jfagy().to_owned(),
                strict: ticked(format!("strict-{allergen}")),
            });
            RegisterAllergens { allergens: allergens.collect() }.into()
        }
        "address" => RegisterAddress { address: typed("address") }.into(),
        "confirm" => ConfirmAddress { code: typed("code") }.into(),
        "withdraw" => WithdrawAddress { version: 1 }.into(),
        "mails" => {
            let kinds = MailKind::ALL.iter().copied().filter(|kind| ticked(format!("mail-{kind}")));
            WantedMails { kinds: kinds.collect() }.into()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_form_asks_for_what_is_ticked() {
        let ticked = form(&[
            ("what", "allergens"),
            ("allergen-egg", "on"),
            ("allergen-milk", "on"),
            ("strict-milk", "on"),
            ("strict-soy", "on"),
        ]);
        let Some(RegistrationChange::Allergens(list)) = asked_for(&ticked) else { panic!("a list") };
        let read: Vec<_> = list.allergens.iter().filter_map(read).collect();
        let of = |id: &str| Allergen::from_id(id).unwrap();
        assert_eq!(read, [(of("egg"), Removal::Usual), (of("milk"), Removal::Strict)]);
        let typed = asked_for(&form(&[("what", "address"), ("address", " a@example.jp ")]));
        assert_eq!(typed, Some(RegisterAddress { address: "a@example.jp".to_owned() }.into()));
        assert_eq!(asked_for(&form(&[("what", "everything")])), None);
        assert_eq!(asked_for(&form(&[])), None);
    }
}
