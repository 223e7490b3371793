//! What every request must satisfy, and what every response says to the browser.
//!
//! The address is reachable for every program and every web page on this machine. So: the host must be ours
//! (a name that was rebound to this address is not), a write must come from our own origin and carry the
//! token, and everything but the door needs the cookie.

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{App, page};
use crate::words;

/// The header a script's writes carry the token in; forms carry it as a field.
pub(super) const TOKEN_HEADER: &str = "x-hibiki-token";

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Sent with every response.
const SAID: [(HeaderName, &str); 8] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (CACHE_CONTROL, "no-store"),
    // With "no-referrer" a browser would send its forms with the origin `null`.
    (REFERRER_POLICY, "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), browsing-topics=()",
    ),
];

/// Host and origin of every request; headers of every response.
pub(super) async fn everywhere(State(app): State<App>, request: Request, next: Next) -> Response {
    let allowed = ours(&app.door.host(), request.method(), request.headers());
    let mut response = if allowed { next.run(request).await } else { elsewhere() };
    for (name, value) in SAID {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether the request was meant for this page, and, if it writes, was made by it.
fn ours(host: &str, method: &Method, headers: &HeaderMap) -> bool {
    let only = |name: &HeaderName| {
        let mut values = headers.get_all(name).iter();
        (values.next(), values.next())
    };
    let right_host = matches!(only(&HOST), (Some(value), None) if value.as_bytes() == host.as_bytes());
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let right_origin = match only(&ORIGIN) {
        (None, None) => reads,
        (Some(value), None) => value.as_bytes().strip_prefix(b"http://") == Some(host.as_bytes()),
        _ => false,
    };
    let right_site = match site {
        None | Some(b"same-origin") => true,
        // Typed, or opened by a program: a read at most.
        Some(b"none") => reads,
        Some(_) => false,
    };
    right_host && right_origin && right_site
}

/// Only for the browser that opened the link.
pub(super) async fn inside(State(app): State<App>, request: Request, next: Next) -> Response {
    if !app.door.knows(request.headers()) {
        return closed();
    }
    // Whoever turns pages is there; a script that fetches what has landed is nobody.
    if request.headers().get("sec-fetch-dest").is_some_and(|dest| dest == "document") {
        app.desk.order(crate::desk::Order::Stirred).await;
    }
    next.run(request).await
}

fn elsewhere() -> Response {
    (StatusCode::FORBIDDEN, "This address answers to its own page only.\n").into_response()
}

/// The link was used, or there never was one.
pub(super) fn closed() -> Response {
    (StatusCode::FORBIDDEN, page::message(&words::link_used())).into_response()
}

/// There is no such page.
pub(super) async fn nowhere() -> Response {
    (StatusCode::NOT_FOUND, page::message(&words::no_such_page())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn only_our_own_page_writes_and_only_our_own_name_is_answered() {
        const HERE: &str = "127.0.0.1:4000";
        let ours = |method: Method, lines: &[(&'static str, &str)]| ours(HERE, &method, &headers(lines));
        let (host, origin) = (("host", HERE), ("origin", "http://127.0.0.1:4000"));
        assert!(ours(Method::GET, &[host]));
        assert!(ours(Method::GET, &[host, ("sec-fetch-site", "none")]));
        assert!(ours(Method::POST, &[host, origin, ("sec-fetch-site", "same-origin")]));
        for evil in ["evil.example:4000", "localhost:4000", "127.0.0.1", "127.0.0.1:4001", "[::1]:4000", ""] {
            assert!(!ours(Method::GET, &[("host", evil)]), "{evil}");
        }
        assert!(!ours(Method::GET, &[]), "no host");
        assert!(!ours(Method::POST, &[host]), "no origin");
        for evil in ["null", "https://127.0.0.1:4000", "http://127.0.0.1:4001", "http://evil.example"] {
            assert!(!ours(Method::POST, &[host, ("origin", evil)]), "{evil}");
            assert!(!ours(Method::GET, &[host, ("origin", evil)]), "{evil}");
        }
        for site in ["cross-site", "same-site", "nonsense"] {
            assert!(!ours(Method::GET, &[host, ("sec-fetch-site", site)]), "{site}");
        }
        assert!(!ours(Method::POST, &[host, origin, ("sec-fetch-site", "none")]));
    }
}
