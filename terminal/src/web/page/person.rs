//! One person at a glance.

use askama::Template;
use axum::response::Response;

use super::coverage::Coverage;
use super::glance::{Glance, born};
use super::{Frame, Seated, shown};

#[derive(Template)]
#[template(path = "person.html")]
struct Overview {
    name: String,
    born: String,
    glance: Glance,
    coverage: Coverage,
    f: Frame,
}

/// `GET /person/{person}`.
pub(super) async fn page(seated: Seated) -> Response {
    let coverage = seated.coverage().not(
        "接種や健診を受けていないという意味ではありません。",
        "This does not mean that a vaccination or check-up was not done.",
    );
    let (glance, person) = (seated.glance(), seated.person());
    let (name, born) = (person.name.clone(), born(person, seated.lang()));
    shown(&Overview { name, born, glance, coverage, f: seated.frame })
}
