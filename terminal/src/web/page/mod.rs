//! The pages. Each is a file here and a template beside it; all are made from a snapshot of the desk.

mod access;
mod checkups;
mod consent;
mod coverage;
mod day;
mod export;
mod frame;
mod glance;
mod growth;
mod held;
mod home;
mod login;
mod lunch;
mod medicines;
mod person;
mod plain;
mod registration;
mod rubella;
mod school;
mod seated;
#[cfg(test)]
mod tests;
mod vaccinations;

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};

use super::App;
use crate::words::Words;
use frame::Frame;
use seated::Seated;

/// Every page of a session.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(home::page))
        .route("/person/{person}", get(person::page))
        .route("/person/{person}/vaccinations", get(vaccinations::page))
        .route("/person/{person}/growth", get(growth::page))
        .route("/person/{person}/growth/who", get(growth::page_who))
        .route("/person/{person}/checkups", get(checkups::page))
        .route("/person/{person}/medicines", get(medicines::page))
        .route("/person/{person}/school", get(school::page))
        .route("/person/{person}/school/attachment/{number}", get(school::attachment))
        .route("/person/{person}/lunch", get(lunch::page))
        .route("/person/{person}/registration", get(registration::page).post(registration::register))
        .route("/person/{person}/registration/{number}/again", post(registration::again))
        .route("/person/{person}/registration/{number}/receipt", get(registration::receipt))
        .route("/person/{person}/rubella", get(rubella::page))
        .route("/person/{person}/export", get(export::page))
        .route("/person/{person}/export/ips.json", get(export::ips))
        .route("/person/{person}/export/calendar.ics", get(export::calendar))
        .route("/person/{person}/access", get(access::page))
        .route("/person/{person}/access/older", post(access::older))
        .route("/person/{person}/consent", get(consent::page).post(consent::choose))
        .route("/person/{person}/consent/{number}/again", post(consent::again))
        .route("/person/{person}/consent/{number}/receipt", get(consent::receipt))
}

/// The page of a template. Templates cannot fail but by a formatter that does.
fn shown(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    said: &'a Words,
}

/// A page that says one thing, to whoever is outside.
pub(super) fn message(said: &Words) -> Html<String> {
    Html(Message { said }.render().unwrap_or_default())
}
