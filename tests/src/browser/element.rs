//! One element of a page.

use serde_json::{Value, json};

use super::BrowserError;
use super::wire::Session;

/// The key under which WebDriver gives an element in JSON.
pub(super) const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// An element. It is of its page and gone with it.
#[derive(Clone)]
pub struct Element<'b> {
    session: &'b Session,
    id: String,
}

impl<'b> Element<'b> {
    /// From WebDriver's JSON; `None` for anything else.
    pub(super) fn read(session: &'b Session, value: &Value) -> Option<Self> {
        value[ELEMENT].as_str().map(|id| Self { session, id: id.to_owned() })
    }

    /// As an argument of a script.
    pub fn argument(&self) -> Value {
        json!({ ELEMENT: self.id })
    }

    /// Clicks in the middle of it, after scrolling it into view. Something that covers it is an error.
    ///
    /// # Errors
    /// It cannot be clicked.
    pub fn click(&self) -> Result<(), BrowserError> {
        self.post("click", &json!({}))
    }

    /// Types into it, after what is there.
    ///
    /// # Errors
    /// It takes no text.
    pub fn type_text(&self, text: &str) -> Result<(), BrowserError> {
        self.post("value", &json!({ "text": text }))
    }

    /// Its visible text.
    ///
    /// # Errors
    /// It is gone.
    pub fn text(&self) -> Result<String, BrowserError> {
        self.word("text")
    }

    /// Its name, as a screen reader says it.
    ///
    /// # Errors
    /// It is gone.
    pub fn name(&self) -> Result<String, BrowserError> {
        self.word("computedlabel")
    }

    /// Its ARIA role.
    ///
    /// # Errors
    /// It is gone.
    pub fn role(&self) -> Result<String, BrowserError> {
        self.word("computedrole")
    }

    /// The name of its tag, in small letters.
    ///
    /// # Errors
    /// It is gone.
    pub fn tag(&self) -> Result<String, BrowserError> {
        self.word("name")
    }

    /// An attribute; `None` where it has none.
    ///
    /// # Errors
    /// It is gone.
    pub fn attribute(&self, name: &str) -> Result<Option<String>, BrowserError> {
        Ok(self.get(&format!("attribute/{name}"))?.as_str().map(str::to_owned))
    }

    /// What is in a field.
    ///
    /// # Errors
    /// It is gone.
    pub fn value(&self) -> Result<String, BrowserError> {
        self.word("property/value")
    }

    /// Whether a person sees it.
    ///
    /// # Errors
    /// It is gone.
    pub fn is_shown(&self) -> Result<bool, BrowserError> {
        Ok(self.get("displayed")? == true)
    }

    /// Whether it can be used.
    ///
    /// # Errors
    /// It is gone.
    pub fn is_enabled(&self) -> Result<bool, BrowserError> {
        Ok(self.get("enabled")? == true)
    }

    fn word(&self, path: &str) -> Result<String, BrowserError> {
        Ok(self.get(path)?.as_str().unwrap_or_default().to_owned())
    }

    fn get(&self, path: &str) -> Result<Value, BrowserError> {
        self.session.get(&format!("element/{}/{path}", self.id))
    }

    fn post(&self, path: &str, body: &Value) -> Result<(), BrowserError> {
        self.session.post(&format!("element/{}/{path}", self.id), body).map(drop)
    }
}
