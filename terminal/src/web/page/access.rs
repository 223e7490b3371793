//! だれが見たか: who looked at a person's records, from every institution, each entry with its proof.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use hibiki_protocol::ids::MemberId;
use serde::Deserialize;

use super::coverage::Coverage;
use super::{Frame, Seated, shown};
use crate::clock;
use crate::desk::{Live, Order};
use crate::history::{HistoryEntry, HistoryPart, Proof};
use crate::web::order::Written;
use crate::web::{App, Lang};
use crate::words;

#[derive(Template)]
#[template(path = "access.html")]
struct Access {
    f: Frame,
    coverage: Coverage,
    entries: Vec<Entry>,
    /// Entries whose proof does not verify.
    doubtful: usize,
    older: Vec<Older>,
}

/// One line of the history.
struct Entry {
    at: String,
    holder: String,
    who: String,
    what: String,
    proof: String,
    /// `proven`, `pending` or `unproven`.
    state: &'static str,
    mark: &'static str,
    index: u64,
}

/// An institution with more entries than it has shown.
struct Older {
    institution: String,
    holder: String,
    before: u64,
}

#[derive(Deserialize)]
pub(super) struct OlderForm {
    institution: String,
    before: String,
}

/// `GET /person/{person}/access`.
pub(super) async fn page(State(app): State<App>, seated: Seated) -> Response {
    let live = seated.history().cloned();
    if live.is_none() {
        app.desk.order(Order::History(seated.index())).await;
    }
    let live = live.unwrap_or_else(|| Live::asked(clock::now()));
    let lang = seated.lang();
    let mut entries = Vec::new();
    let mut older = Vec::new();
    for institution in seated.seat.institutions.iter() {
        let Some(part) = live.parts.get(&institution.id) else { continue };
        let holder = lang.t(&institution.name.0, &institution.name.1);
        entries.extend(part.entries.iter().map(|entry| (entry.at, line(entry, &institution.name, lang))));
        older.extend(more(part, holder));
    }
    entries.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let entries: Vec<Entry> = entries.into_iter().map(|(_, entry)| entry).collect();
    let doubtful = entries.iter().filter(|entry| entry.state == "unproven").count();
    let coverage = Coverage::new(&seated.seat, &live, lang)
        .not("だれも見ていないという意味ではありません。", "This does not mean that nobody looked.");
    shown(&Access { f: seated.frame, coverage, entries, doubtful, older })
}

/// `POST /person/{person}/access/older`: what came before, at one institution.
pub(super) async fn older(
    State(app): State<App>,
    Path(person): Path<usize>,
    Written(form): Written<OlderForm>,
) -> Redirect {
    let index = person.checked_sub(1);
    if let (Some(person), Some(institution), Ok(before)) =
        (index, MemberId::new(&form.institution), form.before.parse())
    {
        app.desk.order(Order::OlderHistory { person, institution, before }).await;
    }
    Redirect::to(&format!("/person/{person}/access"))
}

fn more(part: &HistoryPart, holder: &str) -> Option<Older> {
    let institution = part.standing.institution.to_string();
    part.older.map(|before| Older { institution, holder: holder.to_owned(), before })
}

fn line(entry: &HistoryEntry, institution: &(String, String), lang: Lang) -> Entry {
    let (state, mark) = match entry.proof {
        Proof::Proven => ("proven", "✓"),
        Proof::Pending => ("pending", "…"),
        Proof::Unproven(_) => ("unproven", "！"),
    };
    let say = |words: words::Words| lang.of(&words).to_owned();
    let said = entry.said.as_ref();
    Entry {
        at: entry.at.map(words::in_japan).unwrap_or_default(),
        holder: lang.t(&institution.0, &institution.1).to_owned(),
        who: said.map(|said| say(words::history::who(said.who, institution))).unwrap_or_default(),
        what: said.map_or_else(
            || lang.t("読み取れない記録です", "an entry that cannot be read").to_owned(),
            |said| say(words::history::what(said)),
        ),
        proof: say(words::history::proof(entry.proof)),
        state,
        mark,
        index: entry.index,
    }
}
