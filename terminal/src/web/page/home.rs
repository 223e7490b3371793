//! The beginning: the login, or everybody the card may act for.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use hibiki_protocol::session::Relation;

use super::coverage::Coverage;
use super::glance::{Glance, born};
use super::{Frame, login, shown};
use crate::desk::{Order, Phase};
use crate::web::App;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    f: Frame,
    people: Vec<Person>,
}

struct Person {
    number: usize,
    name: String,
    kana: String,
    born: String,
    oneself: bool,
    glance: Option<Glance>,
    coverage: Option<Coverage>,
}

/// `GET /`.
pub(super) async fn page(State(app): State<App>) -> Response {
    let snapshot = app.desk.sight();
    let Phase::Open(seat) = &snapshot.phase else { return login::page(&app, &snapshot) };
    let f = Frame::new(&app, &snapshot, "/".to_owned(), None);
    let mut people = Vec::new();
    for (index, person) in seat.persons.iter().enumerate() {
        let oneself = person.relation == Relation::Oneself;
        let view = seat.views.get(index).and_then(Option::as_ref);
        // Children are asked about at once; her own records only when she opens them.
        if view.is_none() && !oneself {
            app.desk.order(Order::View(index)).await;
        }
        people.push(Person {
            number: index + 1,
            name: person.name.clone(),
            kana: person.kana.clone(),
            born: born(person, f.lang),
            oneself,
            glance: view.map(|view| Glance::new(person, seat, view, f.lang)),
            coverage: view.map(|view| Coverage::new(seat, view, f.lang)),
        });
    }
    people.sort_by_key(|person| person.oneself);
    shown(&Home { f, people })
}
