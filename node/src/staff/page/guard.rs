//! What every request must have, and every answer gets.

use std::collections::BTreeMap;

use axum::extract::{Multipart, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE as COOKIE_HEADER, HOST, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;

use super::Page;

/// Name of the cookie.
pub(super) const COOKIE: &str = "hibiki-staff";

/// Fields of a form, at most.
const FIELDS_MAX: usize = 2_000;
/// Bytes of a text field, at most.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Refuses other hosts' names (a page elsewhere whose name was made to point here), and forbids the browser everything that
/// this page does not need.
pub(super) async fn guard(State(page): State<Page>, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let port = page.inner.address.port();
    let ours = [page.inner.address.to_string(), format!("localhost:{port}")];
    if !ours.iter().any(|own| own == host) {
        return (StatusCode::FORBIDDEN, "Not by this name.\n").into_response();
    }
    let mut response = next.run(request).await;
    let policy =
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The session's token, as the browser brings it.
pub(super) fn cookie(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(COOKIE_HEADER).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then(|| value.to_owned())
    })
}

/// Compares without telling by the time it takes.
pub(super) fn same(known: &str, given: &str) -> bool {
    known.as_bytes().ct_eq(given.as_bytes()).into()
}

/// A form as it was filled in.
#[derive(Default)]
pub(super) struct Filled {
    /// Every field with its values.
    pub(super) fields: BTreeMap<String, Vec<String>>,
    /// The file, if there is one.
    pub(super) file: Option<Vec<u8>>,
    /// What it is called.
    pub(super) file_name: Option<String>,
}

impl Filled {
    /// Reads a form; `None` if it is none, or too much.
    pub(super) async fn read(mut multipart: Multipart) -> Option<Self> {
        let mut filled = Self::default();
        let mut count = 0;
        while let Some(field) = multipart.next_field().await.ok()? {
            count += 1;
            if count > FIELDS_MAX {
                return None;
            }
            let name = field.name()?.to_owned();
            if name == "file" {
                filled.file_name = field.file_name().map(str::to_owned).filter(|name| !name.is_empty());
                let bytes = field.bytes().await.ok()?.to_vec();
                filled.file = filled.file_name.is_some().then_some(bytes);
            } else {
                let bytes = field.bytes().await.ok()?;
                if bytes.len() > TEXT_BYTES_MAX {
                    return None;
                }
                let text = String::from_utf8(bytes.to_vec()).ok()?;
                filled.fields.entry(name).or_default().push(text);
            }
        }
        Some(filled)
    }

    /// The one value of a field.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.first().map(String::as_str)
    }
}
