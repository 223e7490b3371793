//! The staff's page: log in, see what is to be done, do it. Plain forms, no script; on the loopback interface alone.
//!
//! A page is a title, tables made from what commands answer, and forms that give commands (`screens`). Whoever is logged in
//! sees the pages and forms of her roles; the commands are checked again when they come ([`super::permits`]).

mod guard;
mod json;
mod screens;
mod sessions;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::extract::{DefaultBodyLimit, Form, Multipart, Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router as Web, middleware};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use super::accounts::{Account, Accounts, NotIn};
use super::permits::permits;
use crate::admin::{AdminError, Body, Event, Request, Responder, Router};
use crate::institution::Means;
use crate::shutdown::Shutdown;
use screens::{Form as FormSpec, Kind, SCREENS, Screen, Table};
use sessions::Sessions;

/// Largest form with its file, in bytes.
const FORM_BYTES_MAX: usize = 34 * 1024 * 1024;

/// What the page works with.
#[derive(Clone)]
pub struct Page {
    inner: Arc<Inner>,
}

struct Inner {
    accounts: Arc<Accounts>,
    sessions: Sessions,
    router: Router,
    means: Means,
    /// The institution's name.
    name: String,
    /// Where it listens.
    address: SocketAddr,
}

/// Whoever is logged in.
struct Seen {
    account: Account,
    csrf: String,
}

#[derive(Template)]
#[template(path = "staff/login.html")]
struct Login<'a> {
    name: &'a str,
    said: &'a str,
}

#[derive(Template)]
#[template(path = "staff/page.html")]
struct Shown<'a> {
    name: &'a str,
    display: &'a str,
    csrf: &'a str,
    here: &'a str,
    title: &'a str,
    links: Vec<(&'static str, &'static str)>,
    said: Vec<String>,
    wrong: bool,
    tables: Vec<Table>,
    forms: Vec<FormShown>,
}

/// A form, filled in as far as the address says.
struct FormShown {
    spec: &'static FormSpec,
    preset: BTreeMap<String, String>,
}

impl FormShown {
    fn preset(&self, name: &str) -> &str {
        self.preset.get(name).map_or("", String::as_str)
    }
}

#[derive(Deserialize)]
struct LoginForm {
    name: String,
    password: String,
}

#[derive(Deserialize)]
struct LeaveForm {
    csrf: String,
}

impl Page {
    /// Binds the page; it is served by [`Self::serve`].
    ///
    /// # Errors
    /// The address cannot be used.
    pub async fn bind(
        address: SocketAddr,
        accounts: Arc<Accounts>,
        router: Router,
        means: Means,
        name: String,
    ) -> std::io::Result<(Self, TcpListener)> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let sessions = Sessions::default();
        Ok((Self { inner: Arc::new(Inner { accounts, sessions, router, means, name, address }) }, listener))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.inner.address
    }

    /// Serves until the node stops.
    pub async fn serve(self, listener: TcpListener, mut shutdown: Shutdown) {
        let served = axum::serve(listener, self.web())
            .with_graceful_shutdown(async move { shutdown.draining().await })
            .await;
        if let Err(error) = served {
            tracing::error!(%error, "the staff page has ended");
        }
    }

    fn web(self) -> Web {
        Web::new()
            .route("/", get(home))
            .route("/login", get(login_page).post(login))
            .route("/logout", post(logout))
            .route("/staff.css", get(style))
            .route("/calendar.ics", get(calendar))
            .route("/{screen}", get(screen).post(give))
            .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
            .layer(middleware::from_fn_with_state(self.clone(), guard::guard))
            .with_state(self)
    }

    fn seen(&self, headers: &HeaderMap) -> Option<Seen> {
        let token = guard::cookie(headers)?;
        let session = self.inner.sessions.see(&token, self.inner.means.env.now())?;
        // An account that was removed, or whose roles were changed, is so at once.
        let account = self.inner.accounts.standing(&session.name)?;
        Some(Seen { account, csrf: session.csrf })
    }

    /// Gives a command in somebody's name; its answer and what it warned of.
    async fn command(
        &self,
        account: &Account,
        command: &str,
        arguments: Value,
        body: Body,
    ) -> (Result<Value, AdminError>, Vec<String>) {
        if !permits(&account.roles, command) {
            let refused = AdminError::new("あなたの役割ではできません / your role does not allow this")
                .next("ask whoever gives out the accounts");
            return (Err(refused), Vec::new());
        }
        let mut request = Request::local(command, arguments, Some(&account.name));
        request.body = body;
        let (responder, mut events, _cancel) = Responder::channel();
        let work = self.inner.router.dispatch(request, responder);
        let listen = async {
            let mut warnings = Vec::new();
            while let Some(event) = events.recv().await {
                if let Event::Warning(warning) = event {
                    let place = warning.place.map(|place| format!("{place}: ")).unwrap_or_default();
                    warnings.push(format!("{place}{}", warning.what));
                }
            }
            warnings
        };
        tokio::join!(work, listen)
    }
}

/// The page with what there is to say.
async fn show(
    page: &Page,
    seen: &Seen,
    screen: &'static Screen,
    query: &BTreeMap<String, String>,
    (mut said, mut wrong): (Vec<String>, bool),
) -> Response {
    let roles = &seen.account.roles;
    let mut tables = Vec::new();
    for ask in screen.asks.iter().filter(|ask| permits(roles, ask.command)) {
        let Some(arguments) = (ask.arguments)(query) else { continue };
        match page.command(&seen.account, ask.command, arguments, Body::empty()).await.0 {
            Ok(value) => tables.extend((ask.table)(&value)),
            Err(error) => {
                said.extend(words(&error));
                wrong = true;
            }
        }
    }
    let forms = screen.forms.iter().filter(|form| permits(roles, form.command));
    let forms = forms.map(|spec| FormShown { spec, preset: query.clone() }).collect();
    let links = SCREENS.iter().filter(|other| other.is_for(roles)).map(|other| (other.slug, other.title));
    html(&Shown {
        name: &page.inner.name,
        display: &seen.account.display,
        csrf: &seen.csrf,
        here: screen.slug,
        title: screen.title,
        links: links.collect(),
        said,
        wrong,
        tables,
        forms,
    })
}

fn html(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn words(error: &AdminError) -> Vec<String> {
    let next = error.next.as_ref().map(|next| format!("→ {next}"));
    std::iter::once(error.what.clone()).chain(next).collect()
}

async fn home(State(page): State<Page>, headers: HeaderMap) -> Response {
    let Some(seen) = page.seen(&headers) else { return Redirect::to("/login").into_response() };
    match SCREENS.iter().find(|screen| screen.is_for(&seen.account.roles)) {
        Some(first) => show(&page, &seen, first, &BTreeMap::new(), (Vec::new(), false)).await,
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

async fn login_page(State(page): State<Page>) -> Response {
    html(&Login { name: &page.inner.name, said: "" })
}

async fn login(State(page): State<Page>, Form(form): Form<LoginForm>) -> Response {
    let entered = page.inner.accounts.enter(&form.name, Zeroizing::new(form.password)).await;
    let said = match entered {
        Ok(account) => {
            let now = page.inner.means.env.now();
            let token = page.inner.sessions.begin(
                &account.name,
                now,
                page.inner.means.env.random(),
                page.inner.means.env.random(),
            );
            let cookie = format!("{}={token}; HttpOnly; SameSite=Strict; Path=/", guard::COOKIE);
            return ([(SET_COOKIE, cookie)], Redirect::to("/")).into_response();
        }
        Err(NotIn::Wait(seconds)) => {
            format!(
                "まちがいが続きました。{seconds} 秒待ってください。 / Too many wrong passwords: wait {seconds} seconds."
            )
        }
        Err(NotIn::Wrong) => "名前か合言葉がちがいます。 / The name or the password is wrong.".to_owned(),
        Err(NotIn::Fault) => "いまは入れません。 / Nobody can log in at present.".to_owned(),
    };
    (StatusCode::FORBIDDEN, html(&Login { name: &page.inner.name, said: &said })).into_response()
}

async fn logout(State(page): State<Page>, headers: HeaderMap, Form(form): Form<LeaveForm>) -> Response {
    if let Some(seen) = page.seen(&headers)
        && guard::same(&seen.csrf, &form.csrf)
        && let Some(token) = guard::cookie(&headers)
    {
        page.inner.sessions.end(&token);
    }
    Redirect::to("/login").into_response()
}

async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../assets/staff.css")).into_response()
}

/// The school's events as iCalendar.
async fn calendar(State(page): State<Page>, headers: HeaderMap) -> Response {
    let Some(seen) = page.seen(&headers) else { return Redirect::to("/login").into_response() };
    let command = crate::school::events::commands::EXPORT;
    match page.command(&seen.account, command, serde_json::json!({}), Body::empty()).await.0 {
        Ok(value) => {
            let text = value["calendar"].as_str().unwrap_or_default().to_owned();
            let headers = [
                (CONTENT_TYPE, "text/calendar; charset=utf-8"),
                (CONTENT_DISPOSITION, "attachment; filename=\"school.ics\""),
            ];
            (headers, text).into_response()
        }
        Err(_) => StatusCode::FORBIDDEN.into_response(),
    }
}

async fn screen(
    State(page): State<Page>,
    headers: HeaderMap,
    Path(slug): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let Some(seen) = page.seen(&headers) else { return Redirect::to("/login").into_response() };
    match SCREENS.iter().find(|screen| screen.slug == slug) {
        None => (StatusCode::NOT_FOUND, "ありません / There is no such page.\n").into_response(),
        Some(screen) if !screen.is_for(&seen.account.roles) => {
            (StatusCode::FORBIDDEN, "この役割の画面ではありません / This page is not for your role.\n")
                .into_response()
        }
        Some(screen) => show(&page, &seen, screen, &query, (Vec::new(), false)).await,
    }
}

/// A form: the command it names, with its fields as arguments and its file as body.
async fn give(
    State(page): State<Page>,
    headers: HeaderMap,
    Path(slug): Path<String>,
    multipart: Multipart,
) -> Response {
    let Some(seen) = page.seen(&headers) else { return Redirect::to("/login").into_response() };
    let bad =
        || (StatusCode::BAD_REQUEST, "この送信は読めません / This form cannot be read.\n").into_response();
    let Some(filled) = guard::Filled::read(multipart).await else { return bad() };
    if !filled.one("csrf").is_some_and(|csrf| guard::same(&seen.csrf, csrf)) {
        return (
            StatusCode::FORBIDDEN,
            "この画面からの送信ではありません / This form is not of this page.\n",
        )
            .into_response();
    }
    let Some(screen) = SCREENS.iter().find(|screen| screen.slug == slug) else { return bad() };
    let form = filled.one("form").and_then(|name| screen.forms.iter().find(|form| form.name == name));
    let Some(form) = form else { return bad() };
    let arguments = json::arguments(form, &filled);
    let body = filled.file.map_or_else(Body::empty, Body::of);
    let (done, mut said) = page.command(&seen.account, form.command, arguments, body).await;
    let wrong = done.is_err();
    match done {
        Ok(value) => said.insert(0, (form.said)(&value)),
        Err(error) => said.splice(0..0, words(&error)).for_each(drop),
    }
    // What a page was about stays: the form carries it.
    let query = screen
        .keeps
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), filled.fields.get(*name)?.first()?.clone())));
    let query = query.collect();
    show(&page, &seen, screen, &query, (said, wrong)).await
}
