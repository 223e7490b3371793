//! Looking at a page: where it is, what stands on it, what it keeps.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Browser, BrowserError, By, Element, PATIENCE};

/// How much of a page's text an error shows, in characters.
const GLIMPSE: usize = 1200;

/// The innermost elements whose visible text holds the words.
const BY_TEXT: &str = "
    const wanted = arguments[0], found = [];
    const holds = element => {
        const words = (element.innerText ?? element.textContent ?? '').replace(/\\s+/g, ' ');
        return words.includes(wanted) && element.checkVisibility({ visibilityProperty: true });
    };
    const look = element => {
        let inner = false;
        for (const child of element.children) inner = look(child) || inner;
        if (inner) return true;
        const here = holds(element);
        if (here) found.push(element);
        return here;
    };
    if (document.body) look(document.body);
    return found;";

/// What a page has put aside in the browser, beside cookies.
const STORED: &str = "
    const done = arguments[arguments.length - 1], found = [];
    (async () => {
        for (const [name, store] of [['localStorage', localStorage], ['sessionStorage', sessionStorage]])
            for (let at = 0; at < store.length; at++) found.push(`${name}: ${store.key(at)}`);
        for (const base of await indexedDB.databases()) found.push(`IndexedDB: ${base.name}`);
        for (const name of await caches.keys()) found.push(`cache: ${name}`);
        for (const worker of await navigator.serviceWorker.getRegistrations())
            found.push(`service worker: ${worker.scope}`);
    })().then(() => done(found), error => done([`could not be read: ${error}`]));";

/// A cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Scripts do not see it.
    pub http_only: bool,
    /// `Strict`, `Lax` or `None`.
    pub same_site: String,
    /// Sent over TLS only.
    pub secure: bool,
    /// Ends with the browser, not at a time of its own.
    pub of_session: bool,
    /// Below which path it is sent.
    pub path: String,
}

impl Browser {
    /// Where the page is.
    ///
    /// # Errors
    /// The browser is gone.
    pub fn url(&self) -> Result<String, BrowserError> {
        Ok(self.session.get("url")?.as_str().unwrap_or_default().to_owned())
    }

    /// Its title.
    ///
    /// # Errors
    /// The browser is gone.
    pub fn title(&self) -> Result<String, BrowserError> {
        Ok(self.session.get("title")?.as_str().unwrap_or_default().to_owned())
    }

    /// All visible text of the page.
    ///
    /// # Errors
    /// There is no page.
    pub fn text(&self) -> Result<String, BrowserError> {
        let text = self.script("return document.body ? document.body.innerText : ''", &[])?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// The page as HTML, as it is now.
    ///
    /// # Errors
    /// There is no page.
    pub fn source(&self) -> Result<String, BrowserError> {
        Ok(self.session.get("source")?.as_str().unwrap_or_default().to_owned())
    }

    /// The beginning of the text, for an error.
    pub(super) fn glimpse(&self) -> String {
        let url = self.url().unwrap_or_default();
        let text = self.text().unwrap_or_default();
        format!("{url}\n{}", text.chars().take(GLIMPSE).collect::<String>())
    }

    /// Everything of this kind that is there now, in the order of the page.
    ///
    /// # Errors
    /// The page cannot be asked.
    pub fn find_all(&self, by: By<'_>) -> Result<Vec<Element<'_>>, BrowserError> {
        let found = match by {
            By::Css(selector) => {
                self.session.post("elements", &json!({ "using": "css selector", "value": selector }))?
            }
            By::Text(text) => self.script(BY_TEXT, &[json!(text)])?,
            By::Role(role) => return self.accessible(&json!({ "role": role })),
            By::Named(role, name) => {
                return self.accessible(&json!({ "role": role, "accessibleName": name }));
            }
        };
        let found = found.as_array().cloned().unwrap_or_default();
        Ok(found.iter().filter_map(|value| Element::read(&self.session, value)).collect())
    }

    /// The first of this kind that is there now.
    ///
    /// # Errors
    /// There is none.
    pub fn find(&self, by: By<'_>) -> Result<Element<'_>, BrowserError> {
        let first = self.find_all(by)?.into_iter().next();
        first.ok_or_else(|| BrowserError::NotThere { what: by.to_string(), page: self.glimpse() })
    }

    /// Whether there is one now.
    ///
    /// # Errors
    /// The page cannot be asked.
    pub fn has(&self, by: By<'_>) -> Result<bool, BrowserError> {
        Ok(!self.find_all(by)?.is_empty())
    }

    /// Waits until there is one that can be seen.
    ///
    /// # Errors
    /// There is none in time.
    pub fn wait_for(&self, by: By<'_>) -> Result<Element<'_>, BrowserError> {
        self.wait_for_within(by, PATIENCE)
    }

    /// The same with another deadline.
    ///
    /// # Errors
    /// There is none in time.
    pub fn wait_for_within(&self, by: By<'_>, patience: Duration) -> Result<Element<'_>, BrowserError> {
        // What was seen is what is given: a second look may meet the next page.
        let mut found = None;
        self.wait_until(&by.to_string(), patience, |_| {
            found = self.find_all(by)?.into_iter().find(|element| element.is_shown().unwrap_or(false));
            Ok(found.is_some())
        })?;
        found.ok_or_else(|| BrowserError::NotThere { what: by.to_string(), page: self.glimpse() })
    }

    /// Waits until there is none any more that can be seen.
    ///
    /// # Errors
    /// It does not go.
    pub fn wait_gone(&self, by: By<'_>) -> Result<(), BrowserError> {
        self.wait_until(&format!("{by} goes"), PATIENCE, |browser| {
            Ok(!browser.find_all(by)?.iter().any(|element| element.is_shown().unwrap_or(false)))
        })
    }

    /// What has the focus.
    ///
    /// # Errors
    /// There is no page.
    pub fn focused(&self) -> Result<Element<'_>, BrowserError> {
        let active = self.session.get("element/active")?;
        Element::read(&self.session, &active).ok_or(BrowserError::Answer("an element"))
    }

    /// From the browser's own accessibility tree, which is what a screen reader gets.
    fn accessible(&self, question: &Value) -> Result<Vec<Element<'_>>, BrowserError> {
        let document = self.devtools("DOM.getDocument", &json!({ "depth": 0 }))?;
        let mut question = question.clone();
        question["nodeId"] = document["root"]["nodeId"].clone();
        let found = self.devtools("Accessibility.queryAXTree", &question)?;
        let mut elements = Vec::new();
        for node in found["nodes"].as_array().into_iter().flatten().filter(|node| node["ignored"] != true) {
            elements.extend(self.of_node(&node["backendDOMNodeId"])?);
        }
        Ok(elements)
    }

    /// The element of a node of DevTools: handed over by way of the page.
    fn of_node(&self, node: &Value) -> Result<Option<Element<'_>>, BrowserError> {
        let object = self.devtools("DOM.resolveNode", &json!({ "backendNodeId": node }))?;
        let give = json!({
            "objectId": object["object"]["objectId"],
            "functionDeclaration": "function() { window.__handed = this.nodeType === 1 ? this : this.parentElement; }",
        });
        self.devtools("Runtime.callFunctionOn", &give)?;
        let taken = self.script("const it = window.__handed; delete window.__handed; return it;", &[])?;
        Ok(Element::read(&self.session, &taken))
    }

    /// Every cookie the page has.
    ///
    /// # Errors
    /// There is no page.
    pub fn cookies(&self) -> Result<Vec<Cookie>, BrowserError> {
        let cookies = self.session.get("cookie")?;
        let read = |cookie: &Value| {
            let word = |name: &str| cookie[name].as_str().unwrap_or_default().to_owned();
            Cookie {
                name: word("name"),
                value: word("value"),
                http_only: cookie["httpOnly"] == true,
                same_site: word("sameSite"),
                secure: cookie["secure"] == true,
                of_session: cookie["expiry"].is_null(),
                path: word("path"),
            }
        };
        Ok(cookies.as_array().into_iter().flatten().map(read).collect())
    }

    /// What the page has put aside beside cookies: storages, databases, caches, service workers.
    ///
    /// # Errors
    /// There is no page.
    pub fn stored(&self) -> Result<Vec<String>, BrowserError> {
        let stored = self.script_that_waits(STORED, &[])?;
        let words = stored.as_array().into_iter().flatten();
        Ok(words.map(|word| word.as_str().unwrap_or_default().to_owned()).collect())
    }
}
