//! One person at a glance.

use askama::Template;
use axum::response::Response;

use super::coverage::Coverage;
use super::{Frame, Seated, shown};

#[derive(Template)]
#[template(path = "person.html")]
struct Overview {
    name: String,
    coverage: Coverage,
    f: Frame,
}

/// `GET /person/{person}`.
pub(super) async fn page(seated: Seated) -> Response {
    let coverage = seated.coverage();
    let name = seated.person().name.clone();
    shown(&Overview { name, coverage, f: seated.frame })
}
