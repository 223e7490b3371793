//! The door: a link that opens once, the cookie behind it, and the token every write carries.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::{Path, State};
use axum::http::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{App, guard};
use crate::trouble::Trouble;

/// Who may come in: whoever opened the last link first.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    /// The link that has not been opened yet.
    link: Option<String>,
    /// The browser that is inside.
    cookie: Option<String>,
    /// What its writes carry.
    token: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Keys(***)")
    }
}

fn secret() -> Result<String, Trouble> {
    let mut bytes = zeroize::Zeroizing::new([0; 24]);
    getrandom::fill(bytes.as_mut()).map_err(|error| Trouble::Machine(error.to_string()))?;
    Ok(hex::encode(bytes.as_ref()))
}

fn same(one: &str, other: &str) -> bool {
    verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

impl Door {
    pub(super) fn new(address: SocketAddr) -> Result<Self, Trouble> {
        Ok(Self { address, keys: Mutex::new(Keys { token: secret()?, ..Keys::default() }) })
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `127.0.0.1:PORT`: the only host this page answers to.
    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    /// A new link; one that was not opened yet no longer does. Whoever is inside stays until it is opened.
    ///
    /// # Errors
    /// This machine has no randomness.
    pub fn link(&self) -> Result<String, Trouble> {
        let link = secret()?;
        let url = format!("http://{}/open/{link}", self.address);
        self.keys().link = Some(link);
        Ok(url)
    }

    /// Shuts out whoever is inside.
    pub(crate) fn shut(&self) {
        self.keys().cookie = None;
    }

    /// Opens the link: the cookie to set, or `None` if it is not the link of now.
    fn enter(&self, link: &str) -> Result<Option<String>, Trouble> {
        let (cookie, token) = (secret()?, secret()?);
        let mut keys = self.keys();
        if !keys.link.as_deref().is_some_and(|known| same(known, link)) {
            return Ok(None);
        }
        *keys = Keys { link: None, cookie: Some(cookie.clone()), token };
        Ok(Some(cookie))
    }

    fn cookie_name(&self) -> String {
        // Cookies do not tell ports apart.
        format!("hibiki-{}", self.address.port())
    }

    /// Whether this request comes from the browser that is inside.
    pub(super) fn knows(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        let keys = self.keys();
        let Some(known) = keys.cookie.as_deref() else { return false };
        let cookies = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
        cookies
            .flat_map(|header| header.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(key, value)| key == name && same(known, value))
    }

    /// What a write must carry.
    pub(super) fn token(&self) -> String {
        self.keys().token.clone()
    }

    /// Whether a write carries it.
    pub(super) fn accepts(&self, token: &str) -> bool {
        same(&self.keys().token, token)
    }
}

/// `GET /open/{token}`: in, once.
pub(super) async fn open(State(app): State<App>, Path(link): Path<String>) -> Response {
    match app.door.enter(&link) {
        Ok(Some(cookie)) => {
            let name = app.door.cookie_name();
            let cookie = format!("{name}={cookie}; Path=/; HttpOnly; SameSite=Strict");
            let Ok(cookie) = HeaderValue::from_str(&cookie) else {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            };
            let headers = [(LOCATION, HeaderValue::from_static("/")), (SET_COOKIE, cookie)];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        Ok(None) => guard::closed(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> Door {
        Door::new(([127, 0, 0, 1], 4000).into()).unwrap()
    }

    fn with(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie).unwrap())])
    }

    #[test]
    fn a_link_opens_once_and_the_next_one_shuts_the_first_out() {
        let door = door();
        assert!(!door.knows(&with("hibiki-4000=")), "nobody is inside");
        let link = door.link().unwrap();
        let link = link.strip_prefix("http://127.0.0.1:4000/open/").unwrap();
        assert_eq!(door.enter("").unwrap(), None);
        let first = door.enter(link).unwrap().unwrap();
        assert_eq!(door.enter(link).unwrap(), None, "once");
        let cookie = format!("a=b; hibiki-4000={first}");
        assert!(door.knows(&with(&cookie)));
        assert!(!door.knows(&with(&format!("hibiki-4001={first}"))));
        assert!(!door.knows(&HeaderMap::new()));
        let token = door.token();
        assert!(door.accepts(&token) && !door.accepts("") && !door.accepts(&first));
        let again = door.link().unwrap();
        assert!(door.knows(&with(&cookie)), "until the new link is opened");
        door.enter(again.rsplit('/').next().unwrap()).unwrap().unwrap();
        assert!(!door.knows(&with(&cookie)) && !door.accepts(&token));
    }
}
