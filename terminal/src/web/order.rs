//! Writes: what the person at the page wants, checked and handed to the desk.

use axum::Form;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::guard::TOKEN_HEADER;
use super::{App, Lang};
use crate::card::Pin;
use crate::desk::Order;

/// A form that carries the token.
pub(super) struct Written<T>(pub(super) T);

#[derive(Deserialize)]
struct Tokened<T> {
    token: Option<String>,
    #[serde(flatten)]
    rest: T,
}

impl<T: for<'de> Deserialize<'de> + Send> FromRequest<App> for Written<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let in_header = token_in_header(request.headers());
        let form = Form::<Tokened<T>>::from_request(request, app).await;
        let Form(Tokened { token, rest }) =
            form.map_err(|_| (StatusCode::BAD_REQUEST, "This form is not complete.\n").into_response())?;
        if !in_header.or(token).is_some_and(|token| app.door.accepts(&token)) {
            return Err((StatusCode::FORBIDDEN, "This form is not of this page.\n").into_response());
        }
        Ok(Self(rest))
    }
}

fn token_in_header(headers: &HeaderMap) -> Option<String> {
    headers.get(TOKEN_HEADER)?.to_str().ok().map(str::to_owned)
}

/// A form without anything else.
#[derive(Deserialize)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
pub(super) struct PinForm {
    pin: String,
    last_try: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct AskForm {
    back: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct LanguageForm {
    lang: String,
    back: String,
}

/// `POST /pin`.
pub(super) async fn pin(State(app): State<App>, Written(form): Written<PinForm>) -> Redirect {
    let pin = Pin::new(form.pin);
    app.desk.order(Order::Pin { pin, last_try: form.last_try.is_some() }).await;
    Redirect::to("/")
}

/// `POST /leave`.
pub(super) async fn leave(State(app): State<App>, _: Written<Nothing>) -> Redirect {
    app.desk.order(Order::Leave).await;
    Redirect::to("/")
}

/// `POST /again`.
pub(super) async fn again(State(app): State<App>, _: Written<Nothing>) -> Redirect {
    app.desk.order(Order::Again).await;
    Redirect::to("/")
}

/// `POST /stirred`: somebody is there.
pub(super) async fn stirred(State(app): State<App>, _: Written<Nothing>) -> StatusCode {
    app.desk.order(Order::Stirred).await;
    StatusCode::NO_CONTENT
}

/// `POST /person/{person}/ask`: ask every institution (again) what the page shows that the form stands on.
pub(super) async fn ask(
    State(app): State<App>,
    Path(person): Path<usize>,
    Written(form): Written<AskForm>,
) -> Redirect {
    let own = format!("/person/{person}");
    let back = form.back.filter(|back| is_ours(back)).unwrap_or_else(|| own.clone());
    if let Some(index) = person.checked_sub(1) {
        let question = match back.strip_prefix(&own) {
            Some("/access") => Order::History(index),
            Some("/consent") => Order::Consents(index),
            Some("/registration") => Order::Registrations(index),
            _ => Order::View(index),
        };
        app.desk.order(question).await;
    }
    Redirect::to(&back)
}

/// `POST /language`.
pub(super) async fn language(State(app): State<App>, Written(form): Written<LanguageForm>) -> Redirect {
    app.lang.set(if form.lang == Lang::En.tag() { Lang::En } else { Lang::Ja });
    Redirect::to(if is_ours(&form.back) { &form.back } else { "/" })
}

/// Whether a form leads back to a page of ours, and not to another host.
fn is_ours(back: &str) -> bool {
    back.starts_with('/')
        && back.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-'))
        && !back.starts_with("//")
}
