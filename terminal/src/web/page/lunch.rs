//! 給食: the menus of the coming days, and what they mean for this child.
//!
//! A school's menu is judged by what is registered at that school, as the school does for its mails. A day is called clear
//! only if there is an accepted menu, everything in it is known, and what is registered is known, too.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use hibiki_protocol::ids::MemberId;
use hibiki_records::category::Category;
use hibiki_records::date::CalendarDate;
use hibiki_records::lunch::{Decision, LunchDay, Milk, Registration, Verdict, judge, words as reasons};
use hibiki_records::words::{Summary, summary};

use super::coverage::Coverage;
use super::{Frame, Seated, shown};
use crate::desk::Live;
use crate::registration::RegistrationPart;
use crate::web::{App, Lang};
use crate::words;

#[derive(Template)]
#[template(path = "lunch.html")]
struct Lunch {
    f: Frame,
    coverage: Coverage,
    /// What is registered has not come from everywhere yet.
    checking: bool,
    registered: Vec<Registered>,
    coming: Vec<Day>,
    past: Vec<Day>,
}

/// What is registered at one school.
struct Registered {
    holder: String,
    list: Vec<String>,
}

/// One lunch.
struct Day {
    day: Option<CalendarDate>,
    key: String,
    when: String,
    dishes: Vec<String>,
    note: String,
    /// `overdue`, `due`, `done`, `later`: the looks of the tag.
    class: &'static str,
    tag: String,
    contains: Vec<String>,
    doubts: Vec<String>,
    allowed: Vec<String>,
    holder: String,
}

/// `GET /person/{person}/lunch`.
pub(super) async fn page(State(app): State<App>, seated: Seated) -> Response {
    let live = seated.registrations_asked(&app).await;
    lunches(seated, &live)
}

/// The page, with what is registered as far as it is known.
pub(super) fn lunches(seated: Seated, live: &Live<RegistrationPart>) -> Response {
    let (lang, today) = (seated.lang(), seated.today());
    let mut days: Vec<Day> = seated
        .held(Category::SchoolMenu)
        .map(|held| {
            let registration = registration_at(live, &held.part.institution);
            let date = held.record.date.as_str().parse().ok();
            match LunchDay::read(&held.record.content) {
                Ok(lunch) => day(&lunch, registration.as_ref(), held.holder(lang), lang),
                Err(_) => unread(
                    &summary(Category::SchoolMenu, &held.record.content),
                    date,
                    held.holder(lang),
                    lang,
                ),
            }
        })
        .collect();
    days.sort_by_key(|day| day.day);
    let over = |day: &Day| day.day.zip(today).is_some_and(|(day, today)| day < today);
    let (mut past, coming): (Vec<Day>, Vec<Day>) = days.into_iter().partition(over);
    past.reverse();
    let institutions = seated.seat.institutions.iter();
    let registered = institutions.filter_map(|it| {
        let state = live.parts.get(&it.id)?.state.as_ref()?;
        let list = state.allergens.iter().chain(&state.others);
        let mut list: Vec<String> =
            list.map(|one| lang.of(&words::registration::allergen(one)).to_owned()).collect();
        list.sort();
        list.dedup();
        Some(Registered { holder: lang.t(&it.name.0, &it.name.1).to_owned(), list })
    });
    let registered = registered.collect();
    let coverage = seated.coverage().not(
        "給食がない、または安全だという意味ではありません。",
        "This does not mean that there is no lunch, nor that it is safe.",
    );
    shown(&Lunch { f: seated.frame, coverage, checking: live.ended.is_none(), registered, coming, past })
}

/// What the institution works with; `None` while it is not known.
fn registration_at(live: &Live<RegistrationPart>, institution: &MemberId) -> Option<Registration> {
    let part = live.parts.get(institution)?;
    part.state.as_ref().map(|_| part.together())
}

fn day(lunch: &LunchDay, registration: Option<&Registration>, holder: &str, lang: Lang) -> Day {
    let mut dishes = lunch.menu.dishes.clone();
    if lunch.menu.milk == Milk::Served && !dishes.iter().any(|dish| dish == "牛乳") {
        dishes.push(lang.t("牛乳", "milk").to_owned());
    }
    let decision = registration.map(|registration| judge(&lunch.survey, registration));
    let (class, tag) = verdict(decision.as_ref(), registration, lang);
    let decision = decision.unwrap_or_default();
    let said = |said: Summary| lang.summary(&said).to_owned();
    Day {
        day: Some(lunch.menu.date),
        key: lunch.menu.date.to_string(),
        when: lang.day(lunch.menu.date),
        dishes,
        note: lunch.menu.note.clone().unwrap_or_default(),
        class,
        tag,
        contains: decision.contains.iter().map(|it| said(reasons::explain(it))).collect(),
        doubts: decision.doubts.iter().map(|it| said(reasons::explain_doubt(it))).collect(),
        allowed: decision.allowed.iter().map(|it| said(reasons::explain(it))).collect(),
        holder: holder.to_owned(),
    }
}

fn verdict(
    decision: Option<&Decision>,
    registration: Option<&Registration>,
    lang: Lang,
) -> (&'static str, String) {
    let Some((decision, registration)) = decision.zip(registration) else {
        let said =
            lang.t("登録が確認できないため、判定していません", "not judged: what is registered is not known");
        return ("later", said.to_owned());
    };
    if registration.is_empty() {
        return ("later", lang.t("アレルゲンの登録はありません", "no allergen is registered").to_owned());
    }
    match decision.verdict() {
        Verdict::Contains => {
            let mut names: Vec<&str> =
                decision.contains.iter().map(|it| lang.label(it.allergen.label())).collect();
            names.dedup();
            let names = names.join(lang.t("・", ", "));
            ("overdue", format!("{}{names}", lang.t("！ 入っています：", "! Contains: ")))
        }
        Verdict::CannotBeCleared => (
            "due",
            lang.t("？ 確認できません（学校にお尋ねください）", "? Cannot be cleared: please ask the school")
                .to_owned(),
        ),
        Verdict::Clear => {
            ("done", lang.t("○ 登録された食物は入っていません", "Nothing registered is in it").to_owned())
        }
    }
}

/// A record that is no menu we can read: listed, and never called clear.
fn unread(said: &Summary, date: Option<CalendarDate>, holder: &str, lang: Lang) -> Day {
    Day {
        day: date,
        key: date.map(|date| date.to_string()).unwrap_or_default(),
        when: date.map(|date| lang.day(date)).unwrap_or_default(),
        dishes: vec![lang.summary(said).to_owned()],
        note: String::new(),
        class: "due",
        tag: lang
            .t(
                "？ 読めない献立です（学校にお尋ねください）",
                "? This menu cannot be read: please ask the school",
            )
            .to_owned(),
        contains: Vec::new(),
        doubts: Vec::new(),
        allowed: Vec::new(),
        holder: holder.to_owned(),
    }
}
