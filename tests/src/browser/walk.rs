//! A page by keyboard alone: where the focus goes, and whether one sees it.

use serde_json::Value;

use super::{Browser, BrowserError, Key};

/// What has the focus, and whether anything shows that it has: compared with the same element without it.
const FOCUSED: &str = "
    const it = document.activeElement;
    if (!it || it === document.body || it === document.documentElement) return null;
    const look = () => {
        const s = getComputedStyle(it);
        return [s.outlineStyle === 'none' || parseFloat(s.outlineWidth) === 0 ? 'none' : s.outline,
                s.boxShadow, s.borderColor, s.backgroundColor, s.textDecorationLine, s.color].join('|');
    };
    const box = it.getBoundingClientRect();
    const on = look();
    it.blur();
    const off = look();
    it.focus({ preventScroll: true, focusVisible: true });
    return {
        visible: on !== off,
        inside: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight
             && box.right > 0 && box.left < innerWidth,
        height: Math.round(box.height), width: Math.round(box.width),
        id: it.id,
    };";

/// The next Tab begins before everything else: where an element that had the focus is no more.
const FROM_THE_TOP: &str = "
    const top = document.createElement('span');
    top.tabIndex = -1;
    document.body.prepend(top);
    top.focus({ preventScroll: true });
    top.remove();
    scrollTo(0, 0);";

/// An element that had the focus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Focused {
    /// Its ARIA role.
    pub role: String,
    /// Its accessible name.
    pub name: String,
    /// Its tag.
    pub tag: String,
    /// Its id; empty where it has none.
    pub id: String,
    /// It looks different with the focus.
    pub visible: bool,
    /// At least a part of it is on the screen.
    pub on_screen: bool,
    /// Width in CSS pixels.
    pub width: i64,
    /// Height in CSS pixels.
    pub height: i64,
}

impl Browser {
    /// What has the focus; `None` where nothing has.
    ///
    /// # Errors
    /// There is no page.
    pub fn focus(&self) -> Result<Option<Focused>, BrowserError> {
        let seen = self.script(FOCUSED, &[])?;
        if seen.is_null() {
            return Ok(None);
        }
        let element = self.focused()?;
        let number = |value: &Value| value.as_i64().unwrap_or_default();
        Ok(Some(Focused {
            role: element.role()?,
            name: element.name()?,
            tag: element.tag()?,
            id: seen["id"].as_str().unwrap_or_default().to_owned(),
            visible: seen["visible"] == true,
            on_screen: seen["inside"] == true,
            width: number(&seen["width"]),
            height: number(&seen["height"]),
        }))
    }

    /// Presses a key again and again from the top of the page and returns what had the focus after each, until
    /// the focus leaves the page, returns to the first or has moved `most` times. With [`Key::Tab`]: everything
    /// that can be reached.
    ///
    /// # Errors
    /// There is no page.
    pub fn walk(&self, key: Key, most: usize) -> Result<Vec<Focused>, BrowserError> {
        if key == Key::Tab {
            self.script(FROM_THE_TOP, &[])?;
        }
        let mut walked: Vec<Focused> = Vec::new();
        let mut first = Value::Null;
        while walked.len() < most {
            self.press(key)?;
            let Some(focused) = self.focus()? else { break };
            let element = self.focused()?.argument();
            if element == first {
                break;
            }
            if walked.is_empty() {
                first = element;
            }
            walked.push(focused);
        }
        Ok(walked)
    }
}
